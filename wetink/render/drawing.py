"""Drawing: a filled-in page into pixels, from its layer and its tiles as far as they were drawn before."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from html import unescape

import msgspec
import numpy as np

from wetink.ports import Picture
from wetink.render.compose import Cut, Pixels, cut, lay, window
from wetink.render.encode import jpeg, png
from wetink.render.engines import Engine
from wetink.render.kept import Kept, key_of
from wetink.render.markup import page
from wetink.render.mosaic import Box, encoded, grid, joined
from wetink.render.photo import fitted, placeholder
from wetink.render.sheet import Photo, Sheet
from wetink.render.tiles import Layered, Refused, Tile, layered

LAYERS, TILES, CELLS, PHOTOS = 48 << 20, 96 << 20, 32 << 20, 24 << 20
"""Bytes that are kept of drawn layers, of tiles, of what of both is encoded, and of photos made smaller."""


class Lacking(Exception):
    """A photo has to be drawn whose bytes are not at hand."""


class Drawing:
    """Draws pages, one at a time, and keeps the parts."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine."""
        self._engine = engine
        self._layers = Kept[Pixels](LAYERS, lambda pixels: pixels.nbytes)
        self._tiles = Kept[Cut](TILES, lambda cut: cut.nbytes)
        self._cells = Kept[tuple[bytes, ...]](CELLS, lambda rows: sum(map(len, rows)))
        self._photos = Kept[bytes](PHOTOS, len)
        self._canvas: Pixels | None = None

    def picture(self, sheet: Sheet, most: int) -> Picture:
        """Return the picture of a page, of at most `most` bytes if that can be. Raises as `drawn` does."""
        if sheet.transparent:
            return png(self.drawn(sheet), most)
        parts = _apart(sheet)
        if parts is None:
            return jpeg(self.whole(sheet), most)
        body = self._joined(sheet, parts)
        return Picture(body, "image/jpeg") if len(body) <= most else jpeg(self.composed(sheet, parts), most)

    def drawn(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page. Raises BadContent when it cannot be drawn, Lacking for a photo."""
        parts = _apart(sheet)
        return self.whole(sheet) if parts is None else self.composed(sheet, parts)

    def whole(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page, drawn at once. Raises BadContent when it cannot be drawn."""
        return self._draw(self._page(sheet, sheet.markup.body))

    def composed(self, sheet: Sheet, parts: Layered) -> Pixels:
        """Return the pixels of a page, put together: they hold until the next is. Raises as `drawn` does."""
        ground = self._page(sheet, parts.layer)
        placed = [_placed(sheet, tile) for tile in parts.tiles]
        return self._painted(ground, placed, [(0, 0, ground.width, ground.height)], opaque=not sheet.transparent)

    def _joined(self, sheet: Sheet, parts: Layered) -> bytes:
        """Return the JPEG of a page, of which only what is new is painted and encoded. Raises as `drawn` does."""
        ground = self._page(sheet, parts.layer)
        placed = [_placed(sheet, tile) for tile in parts.tiles]
        plan = grid(ground.width, ground.height, tuple(each.box for each in placed))
        keys = [
            key_of(ground.key, plan.blocks, *cell.rect, *(part for tile in cell.tiles for part in placed[tile].where))
            for cell in plan.cells
        ]
        cells = [self._cells.get(key) for key in keys]
        new = [plan.cells[number] for number, cell in enumerate(cells) if cell is None]
        if new:
            tiles = sorted({tile for cell in new for tile in cell.tiles})
            canvas = self._painted(ground, [placed[tile] for tile in tiles], map(plan.box, new), opaque=True)
            for number, (cell, key) in enumerate(zip(plan.cells, keys, strict=True)):
                if cells[number] is None:
                    rows = cells[number] = encoded(plan, cell, window(canvas, *plan.box(cell)))
                    self._cells.put(key, rows)
        return joined(plan, [cell for cell in cells if cell is not None])

    def _painted(self, ground: "_Part", placed: Sequence["_Placed"], boxes: Iterable[Box], *, opaque: bool) -> Pixels:
        """Return the layer of a page with some of its tiles. Outside of the boxes and the tiles it is anything."""
        layer = self._layers.made(ground.key, partial(self._draw, ground))
        cuts = [self._tiles.made(each.key, partial(self._cut, each)) for each in placed]
        if self._canvas is None or self._canvas.shape != layer.shape:
            self._canvas = np.empty_like(layer)  # kept: to be given new pages of memory takes longer than to copy
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
        """Return the addresses of the photos of a page whose bytes are not at hand."""
        return [url for url, each in sheet.photos.items() if each.body is None and not self._photos.has(each.version)]


class _Placed(msgspec.Struct, frozen=True):
    """A tile: how it is drawn alone, what of that is seen, and where that lies on the page."""

    part: "_Part"
    seen: Box
    box: Box

    @property
    def key(self) -> bytes:
        """What is equal for tiles that look the same."""
        return key_of(self.part.key, *self.seen)

    @property
    def where(self) -> tuple[bytes | int, ...]:
        """What is equal for those that lie in the same place, too."""
        return self.part.key, *self.seen, *self.box


class _Part(msgspec.Struct, frozen=True):
    """A piece of a page on a page of its own, `width` by `height` device pixels."""

    key: bytes
    page: str
    styles: tuple[str, ...]
    photos: Mapping[str, Photo]
    width: int
    height: int
    scale: int
    dark: bool


def _apart(sheet: Sheet) -> Layered | None:
    """Return a page as its layer and tiles, None for one that is drawn at once."""
    if "data-tile" not in sheet.markup.body:
        return None
    try:
        return layered(sheet.markup.body, sheet.width, sheet.height, sheet.scale)
    except Refused:
        return None


def _placed(sheet: Sheet, tile: Tile) -> _Placed:
    # A bleed may leave the page.
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
