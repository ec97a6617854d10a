"""Faces of countdowns: the pictures of a template's ground and numbers, drawn by the renderer's engine."""

from collections.abc import Collection, Mapping
from importlib.resources import files

import msgspec

from wetink.core.errors import BadContent
from wetink.ports import Scene
from wetink.render import fonts, liquid
from wetink.render.compose import Pixels, window
from wetink.render.drawing import Drawing
from wetink.render.gif.countdown import DAY, Countdown, Look
from wetink.render.gif.press import Face, Slot, prepare
from wetink.render.markup import taken_apart
from wetink.render.sheet import sheet
from wetink.render.tiles import Refused, Tile, layered

TEMPLATE = files("wetink.render.gif").joinpath("countdown.liquid").read_text(encoding="utf-8")
LEAST_WIDTH, LEAST_HEIGHT = 120, 32
"""CSS pixels."""
MOST_PIXELS = 2_000_000
"""Device pixels of a countdown: it should weigh little, and most of it is drawn many times."""
UNITS = {"hundreds": (100 * DAY, 10), "days": (DAY, 100), "hours": (3600, 24), "minutes": (60, 60), "seconds": (1, 60)}
"""The tiles that tick: the seconds of each unit, and how many numbers it has."""


def drawn(drawing: Drawing, families: Collection[str], look: Look, width: int, height: int, scale: int) -> Countdown:
    """Return the countdown of `width` by `height` CSS pixels that looks so, drawn with fonts of these families.

    It takes about a second. Raises BadContent when it is too small or too large.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        raise BadContent(f"a countdown needs {LEAST_WIDTH} by {LEAST_HEIGHT} pixels", hint="make the block larger")
    if width * height * scale**2 > MOST_PIXELS:
        raise BadContent(f"the countdown has more than {MOST_PIXELS:,} pixels", hint="make the block smaller")
    near, far = (_face(drawing, families, look, width, height, scale, wide=wide) for wide in (False, True))
    return prepare(near, far)


def _face(
    drawing: Drawing, families: Collection[str], look: Look, width: int, height: int, scale: int, *, wide: bool
) -> Face:
    """Draw every number at every place where it may stand, on a page that shows nothing else."""
    places: dict[str, Tile] = {}
    pictures: dict[str, list[Pixels]] = {name: [] for name in UNITS}
    for number in range(100):
        shown = dict.fromkeys(UNITS, f"{number:02}") | {"hundreds": str(number % 10)}
        page = scene(look, width, height, scale, shown, wide=wide)
        filled = sheet(page, taken_apart(fonts.drawable(liquid.html(TEMPLATE, page.data), families)), {})
        try:
            parts = layered(filled.markup.body, width, height, scale)
        except Refused as refused:
            raise BadContent(f"the countdown cannot be drawn: {refused}", hint="make the block larger") from refused
        canvas = drawing.composed(filled, parts)
        for tile in parts.tiles:
            if number < UNITS[tile.name][1]:
                part = window(canvas, tile.left, tile.top, tile.width, tile.height)
                pictures[tile.name].append(part.copy())
                places[tile.name] = tile
    slots = [Slot(UNITS[name][0], tile.left, tile.top, pictures[name]) for name, tile in places.items()]
    return Face(canvas.copy(), slots)


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
