"""Tiles: the parts of a template that differ from person to person, drawn apart from the rest of the page.

A tile is a direct child of the page's root element and gives its own position:

    <div data-tile="card-1" style="left:28px; top:72px; width:176px; height:200px">…</div>

It shows nothing outside of that box, or up to `data-bleed="12"` CSS pixels around it. A page without its tiles is the
layer; a tile drawn on its own page and pasted over the layer gives the same pixels as the whole page.
"""

import re
from collections.abc import Mapping
from itertools import combinations

import msgspec

from wetink.render.page import attributes, tag

_TAG = re.compile(
    r"<!--.*?-->|<(/?)([a-z][\w:-]*)([^>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^>\"']*)*)>", re.IGNORECASE | re.DOTALL
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_PLACE = re.compile(r"(?<![\w-])(left|top|width|height)\s*:\s*(-?\d+(?:\.\d+)?)px\s*(?:;|$)", re.IGNORECASE)
_CORNER = re.compile(r"(?<![\w-])(?:left|top)\s*:[^;]*(?:;|$)", re.IGNORECASE)

MOST_TILES = 40
"""Tiles of one page."""
BARE = "background: none; border-radius: 0; box-shadow: none; overflow: visible"
"""Style of the page's element around a single tile: it shows nothing itself and does not cut off the tile."""


class Refused(Exception):
    """The tiles of a page cannot be drawn apart."""

    def __init__(self, attrs: str, tile: Mapping[str, str] | None = None) -> None:
        """`tile` has the attributes of the tile with the problem."""
        super().__init__(f"the tile `{tile.get('data-tile', '')}` {attrs}" if tile is not None else attrs)


class Tile(msgspec.Struct, frozen=True):
    """One tile: its box on the page in device pixels, with its bleed, and the HTML that draws it alone at (0, 0)."""

    left: int
    top: int
    width: int
    height: int
    body: str
    name: str

    def meets(self, other: "Tile") -> bool:
        """Whether two tiles have a pixel in common."""
        across = self.left < other.left + other.width and other.left < self.left + self.width
        return across and self.top < other.top + other.height and other.top < self.top + self.height


class Layered(msgspec.Struct, frozen=True):
    """A page split in two: the HTML of its layer, and its tiles from back to front."""

    layer: str
    tiles: tuple[Tile, ...]


class _Element(msgspec.Struct, frozen=True):
    """An element: its name and attributes, its start and end, and the start and end of its content."""

    name: str
    attrs: Mapping[str, str]
    start: int
    inside: int
    end: int
    after: int


def layered(body: str, width: int, height: int, scale: int) -> Layered:
    """Return the layer and the tiles of a page of `width` by `height` CSS pixels.

    Raises Refused if a tile cannot be drawn apart from the rest.
    """
    root, elements = _elements(body)
    if len(elements) > MOST_TILES:
        raise Refused(f"is one of more than {MOST_TILES}", elements[-1].attrs)
    # The page's element stays around a tile, for inherited styles and for selectors, but without its background.
    around = tag(root.name, _styled(root.attrs, BARE)), body[root.end : root.after]
    tiles: list[Tile] = []
    rest: list[str] = []
    at = root.inside
    for element in elements:
        tiles.append(_tile(element, body[element.inside : element.after], around, (width, height), scale))
        rest.append(body[at : element.start])
        at = element.after
    for (one, first), (other, second) in combinations(zip(tiles, elements, strict=True), 2):
        if one.meets(other):
            raise Refused(f"lies over the tile `{first.attrs['data-tile']}`, if only by a bleed", second.attrs)
    left = "".join((*rest, body[at : root.end]))
    # The engine draws an empty element, but not one that contains only a space.
    return Layered(body[: root.inside] + (left if left.strip() else "") + body[root.end :], tuple(tiles))


def _elements(body: str) -> tuple[_Element, list[_Element]]:
    """Return the page's one element and the tiles directly in it. Raises Refused if the HTML is not that tidy."""
    opened: list[tuple[str, Mapping[str, str], int, int]] = []
    roots: list[_Element] = []
    found: list[_Element] = []
    for each in _TAG.finditer(body):
        name = (each[2] or "").lower()
        if each[1]:
            if not opened or opened[-1][0] != name:
                raise Refused(f"tiles need tidy HTML, and `</{name}>` closes an element that is not open")
            element = _Element(*opened.pop(), each.start(), each.end())
            if not opened:
                roots.append(element)
            elif len(opened) == 1 and "data-tile" in element.attrs:
                found.append(element)
        elif name and name not in _VOID and not each[3].endswith("/"):
            attrs = attributes(each[3]) if not opened or "data-tile" in each[3] else {}
            if "data-tile" in attrs and len(opened) != 1:
                raise Refused("must stand right inside of the page's one element", attrs)
            opened.append((name, attrs, each.start(), each.end()))
    if opened:
        raise Refused(f"tiles need tidy HTML, and `<{opened[-1][0]}>` is not closed")
    if len(roots) != 1 or body[: roots[0].start].strip() or body[roots[0].after :].strip():
        raise Refused("tiles need a page of one element that holds all the rest")
    return roots[0], found


def _tile(element: _Element, inner: str, around: tuple[str, str], page: tuple[int, int], scale: int) -> Tile:
    attrs = element.attrs
    place = {name.lower(): float(number) for name, number in _PLACE.findall(attrs.get("style", ""))}
    if len(place) < 4:
        raise Refused("needs left, top, width and height in px in its style", attrs)
    written = attrs.get("data-bleed", "0")
    if not written.isdecimal() or len(written) > 3:
        raise Refused("has a data-bleed that is not a whole number of CSS pixels", attrs)
    bleed = int(written)
    pixels = {name: number * scale for name, number in place.items()}
    if any(abs(number - round(number)) > 1e-6 for number in pixels.values()):
        raise Refused(f"does not lie at whole device pixels at {scale}x", attrs)
    left, top, width, height = (round(pixels[name]) for name in ("left", "top", "width", "height"))
    if min(left, top, width - 1, height - 1) < 0 or left + width > page[0] * scale or top + height > page[1] * scale:
        raise Refused("is not on the page", attrs)
    # Drawn at the corner of its page, and without a name, it is the same tile in every place.
    alone = {**attrs, "data-tile": "", "style": _CORNER.sub("", attrs["style"]).strip()}
    return Tile(
        left - bleed * scale,
        top - bleed * scale,
        width + 2 * bleed * scale,
        height + 2 * bleed * scale,
        around[0] + tag(element.name, _styled(alone, f"left: {bleed}px; top: {bleed}px")) + inner + around[1],
        attrs["data-tile"],
    )


def _styled(attrs: Mapping[str, str], style: str) -> dict[str, str]:
    """Return attributes with more style, which overrides the rest of it."""
    return {**attrs, "style": f"{attrs.get('style', '')}; {style}".removeprefix("; ")}
