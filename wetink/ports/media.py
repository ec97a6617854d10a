"""Ports of media: pictures and fonts that somebody uploads, read and prepared where they can do no harm."""

from typing import Protocol

import msgspec

from wetink.ports.drawing import Picture


class Limits(msgspec.Struct, frozen=True):
    """The largest picture that is kept: its bytes, and the pixels of its longer side."""

    most_bytes: int
    longest: int


class Prepared(msgspec.Struct, frozen=True):
    """A picture as it is kept: encoded anew, upright, in sRGB and without the data about where it was taken."""

    body: bytes
    content_type: str
    width: int
    height: int


class FontFacts(msgspec.Struct, frozen=True):
    """A font that can be drawn: its file, the names and properties that CSS knows, and the number of its characters."""

    body: bytes
    suffix: str
    family: str
    weight: float
    style: str
    characters: int


class Darkroom(Protocol):
    """Reads files that may be anything, within limits on time and memory."""

    async def picture(self, path: str, limits: Limits, *, shrink: bool, content_type: str = "") -> Prepared:
        """Return the picture in a file, of this type if one is given.

        One above the limits is scaled down with `shrink`. Otherwise raises BadContent whose `where` is `scale`. Raises
        BadContent for a file that is no picture.
        """
        ...

    async def thumbnail(self, body: bytes, side: int) -> Picture:
        """Return a picture at most `side` pixels wide and high. Raises BadContent."""
        ...

    async def font(self, body: bytes) -> FontFacts:
        """Return the facts about a font. Raises BadContent for a file that is none, or that cannot be drawn."""
        ...

    async def specimen(self, body: bytes, *, dark: bool) -> Picture:
        """Return a line of text in a font, on a clear ground. Raises BadContent."""
        ...
