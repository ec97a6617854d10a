"""Drawing: a filled-in page into pixels, from its layer and its tiles as far as they were drawn before."""

from collections.abc import Mapping
from functools import partial
from html import unescape

import msgspec
import numpy as np

from wetink.render.compose import Cut, Pixels, cut, lay, window
from wetink.render.engines import Engine
from wetink.render.kept import Kept, key_of
from wetink.render.markup import page
from wetink.render.photo import fitted, placeholder
from wetink.render.sheet import Photo, Sheet
from wetink.render.tiles import Layered, Refused, layered

LAYERS, TILES, PHOTOS = 48 << 20, 96 << 20, 24 << 20
"""Bytes that are kept of drawn layers, of tiles, and of photos made smaller."""


class Lacking(Exception):
    """A photo has to be drawn whose bytes are not at hand."""


class Drawing:
    """Draws pages, one at a time, and keeps the parts."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine."""
        self._engine = engine
        self._layers = Kept[Pixels](LAYERS, lambda pixels: pixels.nbytes)
        self._tiles = Kept[Cut](TILES, lambda cut: cut.nbytes)
        self._photos = Kept[bytes](PHOTOS, len)
        self._canvas: Pixels | None = None

    def drawn(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page. Raises BadContent when it cannot be drawn, Lacking for a photo."""
        if "data-tile" not in sheet.markup.body:
            return self.whole(sheet)
        try:
            parts = layered(sheet.markup.body, sheet.width, sheet.height, sheet.scale)
        except Refused:
            return self.whole(sheet)
        return self.composed(sheet, parts)

    def whole(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page, drawn at once. Raises BadContent when it cannot be drawn."""
        return self._draw(self._page(sheet, sheet.markup.body))

    def composed(self, sheet: Sheet, parts: Layered) -> Pixels:
        """Return the pixels of a page, put together: they hold until the next is. Raises as `drawn` does."""
        ground = self._page(sheet, parts.layer)
        layer = self._layers.made(ground.key, partial(self._draw, ground))
        if self._canvas is None or self._canvas.shape != layer.shape:
            self._canvas = layer.copy()
        else:  # the same memory as last time: to be given new pages of it takes longer than to copy
            np.copyto(self._canvas, layer)
        canvas = self._canvas
        for tile in parts.tiles:
            alone = _part(sheet, tile.body, tile.width, tile.height, "transparent")
            left, top = max(0, tile.left), max(0, tile.top)
            height, width, _ = window(canvas, tile.left, tile.top, tile.width, tile.height).shape
            seen = left - tile.left, top - tile.top, width, height  # less than all if its bleed leaves the page
            above = self._tiles.made(key_of(alone.key, *seen), partial(self._cut, alone, *seen))
            lay(canvas, above, left, top, opaque=not sheet.transparent)
        return canvas

    def _cut(self, part: "_Part", left: int, top: int, width: int, height: int) -> Cut:
        return cut(window(self._draw(part), left, top, width, height))

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


def _part(sheet: Sheet, body: str, width: int, height: int, paper: str) -> _Part:
    scale = sheet.scale
    alone = page(body, width / scale, height / scale, scheme=sheet.scheme, paper=paper)
    text, css = unescape(body), sheet.css
    photos = {url: photo for url, photo in sheet.photos.items() if url in text or url in css}
    versions = (part for url, photo in photos.items() for part in (url, photo.version))
    key = key_of(sheet.look, alone, width, height, *versions)
    return _Part(key, alone, sheet.markup.styles, photos, width, height, scale, sheet.scheme == "dark")
