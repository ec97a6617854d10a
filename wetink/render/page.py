"""Sheets: pages that are filled in and have all they need to be drawn."""

from collections.abc import Mapping

import msgspec

from wetink.ports import Scene
from wetink.render.cache import key_of
from wetink.render.markup import Box, Markup

MOST_PHOTOS = 24
"""Photos of one picture; the rest are drawn as placeholders."""


class Photo(msgspec.Struct, frozen=True):
    """A photo as a page draws it: its bytes, the device pixels it is to cover if that is known, and a hash of both.

    Without bytes (None) it can only be drawn by who has drawn it before; with none of them (empty) there is no photo.
    """

    body: bytes | None
    box: Box | None
    version: bytes


class Scenery(msgspec.Struct, frozen=True):
    """Of a scene what a page needs to know beside its HTML."""

    width: int
    height: int
    scale: int
    transparent: bool
    scheme: str


class Sheet(msgspec.Struct, frozen=True):
    """A page ready to be drawn: filled in, with the photos it draws by address, in the order of their addresses."""

    markup: Markup
    width: int
    height: int
    scale: int
    transparent: bool
    scheme: str
    """`light` or `dark`: the class of the page's element, by which style sheets can tell."""
    photos: dict[str, Photo]
    look: bytes
    """A hash of what all parts share."""
    key: bytes
    """A hash of all that makes the picture what it is."""

    @property
    def css(self) -> str:
        """All its style sheets."""
        return "\n".join(self.markup.styles)


def photo(body: bytes | None, hashed: bytes, box: Box | None, scale: int) -> Photo:
    """Return a photo that is to cover a box of CSS pixels; `hashed` is the hash of its bytes."""
    if box is not None:
        box = (box[0] * scale, box[1] * scale)
    return Photo(body, box, key_of(hashed, *(box or ())))


NO_PHOTO = key_of(b"")
"""The hash of a photo that there is not."""


def sheet(scene: "Scene | Scenery", markup: Markup, photos: Mapping[str, Photo]) -> Sheet:
    """Return a page ready to be drawn."""
    photos = dict(sorted(photos.items()))
    scheme = "dark" if scene.scheme == "dark" else "light"
    versions = (part for url, photo in photos.items() for part in (url, photo.version))
    look = key_of(scene.scale, scheme, *markup.styles)
    key = key_of(look, markup.body, scene.width, scene.height, scene.transparent, *versions)
    return Sheet(markup, scene.width, scene.height, scene.scale, scene.transparent, scheme, photos, look, key)
