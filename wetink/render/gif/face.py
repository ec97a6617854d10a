"""Faces of countdowns: pictures of a template's background and of the ten digits, drawn by the renderer's engine."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec
import numpy as np

from wetink.core.errors import BadContent
from wetink.ports import Scene
from wetink.render import liquid
from wetink.render.drawing import Drawing
from wetink.render.fonts import Letters
from wetink.render.gif.countdown import DAY, MOST_PIXELS, Countdown, Look
from wetink.render.gif.press import Face, Slot, box, prepare
from wetink.render.page import Sheet, sheet, taken_apart
from wetink.render.tiles import Layered, Refused, Tile, layered

TEMPLATE = files("wetink.render.gif").joinpath("countdown.liquid").read_text(encoding="utf-8")
LEAST_WIDTH, LEAST_HEIGHT = 120, 32
"""CSS pixels."""
UNITS = {"hundreds": (100 * DAY, 10), "days": (DAY, 100), "hours": (3600, 24), "minutes": (60, 60), "seconds": (1, 60)}
"""The units: their seconds, and how many numbers each has. Their digits are tiles like `hours-0`, `hours-1`."""


def drawn(drawing: Drawing, letters: Letters, look: Look, width: int, height: int, scale: int) -> Countdown:
    """Return a countdown of `width` by `height` CSS pixels with this look, drawn with fonts that have these letters.

    It takes half a second, three for the largest. Raises BadContent if it is too small or too large.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        raise BadContent(f"a countdown needs {LEAST_WIDTH} by {LEAST_HEIGHT} pixels", hint="make the block larger")
    if width * height * scale**2 > MOST_PIXELS:
        raise BadContent(f"the countdown has more than {MOST_PIXELS:,} pixels", hint="make the block smaller")

    def page(digit: int, *, wide: bool) -> tuple[Sheet, Layered]:
        shown = dict.fromkeys(UNITS, f"{digit}{digit}")
        filled = scene(look, width, height, scale, shown, wide=wide)
        ready = sheet(filled, taken_apart(letters.drawable(liquid.html(TEMPLATE, filled.data))), {})
        try:
            return ready, layered(ready.markup.body, width, height, scale)
        except Refused as refused:
            raise BadContent(f"the countdown cannot be drawn: {refused}", hint="make the block larger") from refused

    pages = [page(digit, wide=False) for digit in range(10)]
    # A digit is the same picture in every place.
    digits = [drawing.tile(sheet, parts.tiles[0]) for sheet, parts in pages]
    left, top, right, bottom = box(np.any([digit[..., 3] > 0 for digit in digits], axis=0)) or (0, 0, 1, 1)
    digits = [digit[top:bottom, left:right] for digit in digits]
    near, far = (
        Face(drawing.ground(sheet, parts), digits, _slots(parts, left, top))
        for sheet, parts in (pages[0], page(0, wide=True))
    )
    return prepare(near, Face(near.ground, digits, far.slots) if np.array_equal(near.ground, far.ground) else far)


def _slots(parts: Layered, left: int, top: int) -> list[Slot]:
    """Return the slots of the units whose digits are these tiles; a digit's visible part begins at (left, top)."""
    found: dict[str, list[Tile]] = {}
    for tile in sorted(parts.tiles, key=lambda tile: tile.left):
        found.setdefault(tile.name.partition("-")[0], []).append(tile)
    return [
        Slot(*UNITS[name], len(tiles), tiles[0].left + left, tiles[0].top + top, tiles[0].width)
        for name, tiles in found.items()
    ]


def scene(look: Look, width: int, height: int, scale: int, shown: Mapping[str, str], *, wide: bool) -> Scene:
    """Return a page that shows these numbers, by the names of their tiles; `wide` has room for hundreds of days."""
    data = {
        "width": width,
        "height": height,
        "scheme": look.scheme,
        "wide": wide,
        "look": msgspec.to_builtins(look),
        "shown": shown,
    }
    return Scene(TEMPLATE, data, width, height, scale, scheme=look.scheme)
