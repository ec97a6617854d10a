"""Drawing: a filled-in page into pixels, from its layer and its tiles as far as they were drawn before."""

from collections.abc import Mapping
from functools import partial
from html import unescape

import msgspec

from wetink.ports import Scene
from wetink.render.compose import Cut, Pixels, cut, lay, window
from wetink.render.engine import Engine
from wetink.render.kept import Kept, key_of
from wetink.render.markup import Box, Markup, page
from wetink.render.photo import fitted, placeholder
from wetink.render.tiles import Layered, Refused, layered

LAYERS, TILES, PHOTOS = 64 << 20, 128 << 20, 32 << 20
"""Bytes that are kept of drawn layers, of tiles, and of photos made smaller."""


class Photo(msgspec.Struct, frozen=True):
    """A photo as a page draws it: its bytes, the device pixels it is to cover if that is known, and a hash of both."""

    body: bytes
    box: Box | None
    version: bytes


class Sheet(msgspec.Struct, frozen=True):
    """A page ready to be drawn: filled in, with the photos it draws by address, in the order of their addresses."""

    scene: Scene
    markup: Markup
    photos: Mapping[str, Photo]
    css: str
    look: bytes
    """A hash of what all parts share."""
    key: bytes
    """A hash of all that makes the picture what it is."""


def sheet(scene: Scene, markup: Markup, photos: Mapping[str, Photo]) -> Sheet:
    """Return a page ready to be drawn."""
    photos = dict(sorted(photos.items()))
    versions = (part for url, photo in photos.items() for part in (url, photo.version))
    look = key_of(scene.scale, scheme(scene), *markup.styles)
    key = key_of(look, markup.body, scene.width, scene.height, scene.transparent, *versions)
    return Sheet(scene, markup, photos, "\n".join(markup.styles), look, key)


def scheme(scene: Scene) -> str:
    """Return the class of the page's element, by which style sheets can tell a dark picture."""
    return "dark" if scene.scheme == "dark" else "light"


class Drawing:
    """Draws pages, and keeps the parts. May be used by many threads."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine."""
        self._engine = engine
        self._layers = Kept[Pixels](LAYERS, lambda pixels: pixels.nbytes)
        self._tiles = Kept[Cut](TILES, lambda cut: cut.nbytes)
        self._photos = Kept[bytes](PHOTOS, len)

    def drawn(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page. Raises BadContent when it cannot be drawn."""
        if "data-tile" not in sheet.markup.body:
            return self.whole(sheet)
        scene = sheet.scene
        try:
            parts = layered(sheet.markup.body, scene.width, scene.height, scene.scale)
        except Refused:
            return self.whole(sheet)
        return self.composed(sheet, parts)

    def whole(self, sheet: Sheet) -> Pixels:
        """Return the pixels of a page, drawn at once. Raises BadContent when it cannot be drawn."""
        return self._draw(self._page(sheet, sheet.markup.body))

    def composed(self, sheet: Sheet, parts: Layered) -> Pixels:
        """Return the pixels of a page, put together. Raises BadContent when it cannot be drawn."""
        ground = self._page(sheet, parts.layer)
        layer = self._layers.made(ground.key, partial(self._draw, ground))
        canvas = layer.copy()
        for tile in parts.tiles:
            alone = _part(sheet, tile.body, tile.width, tile.height, "transparent")
            left, top = max(0, tile.left), max(0, tile.top)
            height, width, _ = window(canvas, tile.left, tile.top, tile.width, tile.height).shape
            seen = left - tile.left, top - tile.top, width, height  # less than all if its bleed leaves the page
            above = self._tiles.made(key_of(alone.key, *seen), partial(self._cut, alone, *seen))
            lay(canvas, above, left, top, opaque=not sheet.scene.transparent)
        return canvas

    def _cut(self, part: "_Part", left: int, top: int, width: int, height: int) -> Cut:
        return cut(window(self._draw(part), left, top, width, height))

    def _page(self, sheet: Sheet, body: str) -> "_Part":
        scene = sheet.scene
        paper = "transparent" if scene.transparent else "#ffffff"
        return _part(sheet, body, scene.width * scene.scale, scene.height * scene.scale, paper)

    def _draw(self, part: "_Part") -> Pixels:
        nothing = placeholder(dark=part.dark)
        images = {url: self._photo(photo) or nothing for url, photo in part.photos.items()}
        return self._engine.draw(part.page, part.styles, images, part.width, part.height, part.scale)

    def _photo(self, photo: Photo) -> bytes:
        return self._photos.made(photo.version, lambda: fitted(photo.body, photo.box) or b"")


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
    scale = sheet.scene.scale
    alone = page(body, width / scale, height / scale, scheme=scheme(sheet.scene), paper=paper)
    text = unescape(body)
    photos = {url: photo for url, photo in sheet.photos.items() if url in text or url in sheet.css}
    versions = (part for url, photo in photos.items() for part in (url, photo.version))
    key = key_of(sheet.look, alone, width, height, *versions)
    return _Part(key, alone, sheet.markup.styles, photos, width, height, scale, scheme(sheet.scene) == "dark")
