"""Check: whether a template's tiles may be drawn apart, told in words with the line of the template."""

import re

from wetink.render.compose import far_apart, patches, window
from wetink.render.drawing import Drawing
from wetink.render.page import Sheet
from wetink.render.tiles import Refused, layered

SCALES = (1, 2, 3)
FAR_APART = 0.001
"""Share of a picture's pixels that may differ by more than rounding: a letter's rim here and there."""

_TILE = re.compile(r"(?<=\s)data-tile(?=[\s=>])")


def numbered(template: str) -> str:
    r"""Return a template whose tiles say in which line they stand.

    >>> numbered('<div>\n<div data-tile="a">')
    '<div>\n<div data-line="2" data-tile="a">'
    """
    return _TILE.sub(lambda found: f'data-line="{template.count(chr(10), 0, found.start()) + 1}" data-tile', template)


def flaws(drawing: Drawing, sheet: Sheet) -> tuple[str, ...]:
    """Return what is wrong with the tiles of a page from a `numbered` template; nothing when all is well.

    They must lie at whole device pixels at every scale and share no pixel, and the page put together from them must
    be equal to the page drawn at once. Raises BadContent when it cannot be drawn at all.
    """
    body = sheet.markup.body
    if "data-tile" not in body:
        return ()
    try:
        parts = {scale: layered(body, sheet.width, sheet.height, scale) for scale in {*SCALES, sheet.scale}}
    except Refused as refused:
        return (f"line {refused.line}: {refused}" if refused.line else str(refused),)
    tiles = parts[sheet.scale]
    apart = far_apart(drawing.whole(sheet), drawing.composed(sheet, tiles))
    if apart.mean() <= FAR_APART and not patches(apart):
        return ()
    told = []
    for tile in tiles.tiles:
        part = window(apart, tile.left, tile.top, tile.width, tile.height)
        if part.mean() > FAR_APART or patches(part):
            told.append(f"line {tile.line}: the tile `{tile.name}` looks different when drawn separately")
        part[:] = False
    if apart.any() and not told:
        told.append("the page around the tiles looks different without them")
    return tuple(told)
