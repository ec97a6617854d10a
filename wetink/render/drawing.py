"""Drawing: turns a filled-in page into pixels, and reuses its layer and tiles if they were drawn before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from html import unescape
from sys import getsizeof
from time import perf_counter
from typing import ParamSpec, TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace

from wetink.ports import Picture
from wetink.render.cache import Kept, key_of
from wetink.render.compose import Cut, Pixels, cut, lay, window
from wetink.render.encode import jpeg, png
from wetink.render.mosaic import Box, Cell, Grid, encoded, grid, joined
from wetink.render.page import Photo, Sheet, page
from wetink.render.photo import fitted, placeholder
from wetink.render.takumi import Takumi
from wetink.render.tiles import Layered, Refused, Tile, layered

P = ParamSpec("P")
T = TypeVar("T")

LAYERS, TILES, CELLS, PHOTOS = 48 << 20, 48 << 20, 48 << 20, 24 << 20
"""Bytes to keep of drawn layers, of tiles, of the encoded parts of both, and of shrunk photos."""
MOST_MOVED = 7
"""Tiles that are prepared for the place of another."""


class Lacking(Exception):
    """A page needs a photo whose bytes this worker does not have."""


class Drawing:
    """Draws pages, one at a time, and keeps the parts."""

    def __init__(self, engine: Takumi) -> None:
        self._engine = engine
        self._layers = Kept[Pixels](LAYERS, lambda pixels: pixels.nbytes)
        self._tiles = Kept[Cut](TILES, lambda cut: cut.nbytes)
        self._cells = Kept[tuple[bytes, ...]](CELLS, lambda rows: sum(map(getsizeof, rows)))
        self._photos = Kept[bytes](PHOTOS, len)
        self._canvas: Pixels | None = None
        self.encode_seconds = 0.0
        """Time spent on encoding since somebody set it to 0."""

    def picture(self, sheet: Sheet, most: int, *, ahead: bool = False) -> Picture:
        """Return the picture of a page, of at most `most` bytes if possible. Raises the errors of `drawn`.

        With `ahead`, when no open waits for the picture, prepare its tiles for every place that they may take.
        """
        if sheet.transparent:
            return self._timed(png, self.drawn(sheet), most)
        parts = _apart(sheet)
        if parts is None:
            return self._timed(jpeg, self.whole(sheet), most)
        laid = self._laid(sheet, parts)
        body = self._timed(joined, laid.plan, self._encoded(laid, laid.plan.cells))
        if ahead:
            for moved, cell in laid.moved():
                self._encoded(moved, (cell,))
        return (
            Picture(body, "image/jpeg") if len(body) <= most else self._timed(jpeg, self.composed(sheet, parts), most)
        )

    def _timed(self, encode: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Return the result of an encoder, and add its time to `encode_seconds`."""
        begun = perf_counter()
        made = encode(*given, **named)
        self.encode_seconds += perf_counter() - begun
        return made

    def drawn(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page. Raises BadContent if it cannot be drawn, Lacking for a missing photo."""
        parts = _apart(sheet)
        return self.whole(sheet) if parts is None else self.composed(sheet, parts)

    def whole(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page, drawn as a whole. Raises the errors of `drawn`."""
        return self._draw(self._page(sheet, sheet.markup.body))

    def composed(self, sheet: Sheet, parts: Layered) -> Pixels:
        """Return the pixels of a page, joined from its parts. The next call overwrites them. Raises as `drawn` does."""
        laid = self._laid(sheet, parts)
        everything = (0, 0, laid.plan.width, laid.plan.height)
        return self._painted(laid, laid.placed, (everything,), opaque=not sheet.transparent)

    def ground(self, sheet: Sheet, parts: Layered) -> Pixels:
        """Return the pixels of a page without its tiles. Raises the errors of `drawn`."""
        return self._draw(self._page(sheet, parts.layer))

    def tile(self, sheet: Sheet, tile: Tile) -> Pixels:
        """Return the pixels of a tile alone, transparent where it is empty. Raises the errors of `drawn`."""
        return self._draw(_placed(sheet, tile).part)

    def _laid(self, sheet: Sheet, parts: Layered) -> "_Laid":
        ground, placed = self._page(sheet, parts.layer), tuple(_placed(sheet, tile) for tile in parts.tiles)
        return _Laid(ground, placed, grid(ground.width, ground.height, tuple(each.box for each in placed)))

    def _encoded(self, laid: "_Laid", cells: Sequence[Cell]) -> list[tuple[bytes, ...]]:
        """Return cells encoded for a JPEG. Paint and encode only the new ones. Raises the errors of `drawn`."""
        keys = [laid.key(cell) for cell in cells]
        found = {key: rows for key in keys if (rows := self._cells.get(key)) is not None}
        new = [(key, cell) for key, cell in zip(keys, cells, strict=True) if key not in found]
        if new:
            boxes = [laid.plan.box(cell) for _, cell in new]
            tiles = sorted({tile for _, cell in new for tile in cell.tiles})
            canvas = self._painted(laid, [laid.placed[tile] for tile in tiles], boxes, opaque=True)
            for (key, cell), box in zip(new, boxes, strict=True):
                found[key] = self._timed(encoded, laid.plan, cell, window(canvas, *box))
                self._cells.put(key, found[key])
        return [found[key] for key in keys]

    def _painted(self, laid: "_Laid", placed: Sequence["_Placed"], boxes: Sequence[Box], *, opaque: bool) -> Pixels:
        """Return the layer of a page with some of its tiles. Pixels outside the boxes and the tiles are undefined."""
        layer = self._layers.made(laid.ground.key, partial(self._draw, laid.ground))
        cuts = [self._tiles.made(each.key, partial(self._cut, each)) for each in placed]
        if self._canvas is None or self._canvas.shape != layer.shape:
            self._canvas = np.empty_like(layer)  # kept, because allocating memory takes longer than copying
        for box in (*boxes, *(each.box for each in placed)):
            np.copyto(window(self._canvas, *box), window(layer, *box))
        for each, above in zip(placed, cuts, strict=True):
            lay(self._canvas, above, *each.box[:2], opaque=opaque)
        return self._canvas

    def _cut(self, placed: "_Placed") -> Cut:
        return cut(window(self._draw(placed.part), *placed.seen))

    def _page(self, sheet: Sheet, body: str) -> "_Part":
        paper = "transparent" if sheet.transparent else "#ffffff"
        return _part(sheet, body, sheet.width * sheet.scale, sheet.height * sheet.scale, paper)

    def _draw(self, part: "_Part") -> Pixels:
        nothing = placeholder(dark=part.dark)
        images = {url: self._photo(photo) or nothing for url, photo in part.photos.items()}
        return self._engine.draw(part.page, part.styles, images, part.width, part.height, part.scale)

    def _photo(self, photo: Photo) -> bytes:
        def made() -> bytes:
            if photo.body is None:
                raise Lacking
            return fitted(photo.body, photo.box) or b""

        return self._photos.made(photo.version, made)

    def lacks(self, sheet: Sheet) -> list[str]:
        """Return the addresses of the photos of a page whose bytes this worker does not have."""
        return [url for url, each in sheet.photos.items() if each.body is None and each.version not in self._photos]


class _Laid(msgspec.Struct, frozen=True):
    """A page split into its layer and tiles, and the grid by which it is encoded."""

    ground: "_Part"
    placed: tuple["_Placed", ...]
    plan: Grid

    def key(self, cell: Cell) -> bytes:
        """Equal for cells that look the same in the same place."""
        tiles = (part for tile in cell.tiles for part in self.placed[tile].where)
        return key_of(self.ground.key, self.plan.blocks, *cell.rect, *tiles)

    def moved(self) -> Iterator[tuple["_Laid", Cell]]:
        """Yield the page with a tile in the place of another of its size, and the cell of that place."""
        for cell in self.plan.cells:
            if len(cell.tiles) == 1:
                here = self.placed[cell.tiles[0]]
                for other in [each for each in self.placed if each.fits(here)][:MOST_MOVED]:
                    there = (replace(other, box=here.box) if each is here else each for each in self.placed)
                    yield replace(self, placed=tuple(there)), cell


class _Placed(msgspec.Struct, frozen=True):
    """A tile: its own page, the visible part of it, and the place of that part on the page."""

    part: "_Part"
    seen: Box
    box: Box

    def fits(self, other: "_Placed") -> bool:
        """Return whether the tile fits in the place of another one."""
        return self.seen == other.seen and self is not other

    @property
    def key(self) -> bytes:
        """Equal for tiles that look the same."""
        return key_of(self.part.key, *self.seen)

    @property
    def where(self) -> tuple[bytes | int, ...]:
        """Equal for tiles that look the same in the same place."""
        return self.part.key, *self.seen, *self.box


class _Part(msgspec.Struct, frozen=True):
    """A part of a page on its own page, `width` by `height` device pixels."""

    key: bytes
    page: str
    styles: tuple[str, ...]
    photos: Mapping[str, Photo]
    width: int
    height: int
    scale: int
    dark: bool


def _apart(sheet: Sheet) -> Layered | None:
    """Return a page as its layer and tiles, None for one that must be drawn as a whole."""
    if "data-tile" not in sheet.markup.body:
        return None
    try:
        return layered(sheet.markup.body, sheet.width, sheet.height, sheet.scale)
    except Refused:
        return None


def _placed(sheet: Sheet, tile: Tile) -> _Placed:
    # A bleed may reach beyond the page.
    left, top = max(0, tile.left), max(0, tile.top)
    width = min(tile.left + tile.width, sheet.width * sheet.scale) - left
    height = min(tile.top + tile.height, sheet.height * sheet.scale) - top
    part = _part(sheet, tile.body, tile.width, tile.height, "transparent")
    return _Placed(part, (left - tile.left, top - tile.top, width, height), (left, top, width, height))


def _part(sheet: Sheet, body: str, width: int, height: int, paper: str) -> _Part:
    scale = sheet.scale
    alone = page(body, width / scale, height / scale, scheme=sheet.scheme, paper=paper)
    text, css = unescape(body), sheet.css
    photos = {url: photo for url, photo in sheet.photos.items() if url in text or url in css}
    versions = (part for url, photo in photos.items() for part in (url, photo.version))
    key = key_of(sheet.look, alone, width, height, *versions)
    return _Part(key, alone, sheet.markup.styles, photos, width, height, scale, sheet.scheme == "dark")
