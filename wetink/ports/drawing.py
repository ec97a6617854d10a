"""Ports of drawing: scenes, pictures, the renderer, and the source of photos."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec


class Served(msgspec.Struct, frozen=True, gc=False):
    """The block, variant and campaign of a delivered picture."""

    block: str
    variant: str
    campaign: str


class Picture(msgspec.Struct, frozen=True):
    """Encoded bytes and their content type (`image/jpeg`, `image/png`, `image/gif`).

    `served` is its count on delivery. `note` names the compromise that keeps it within its size limit. `stopgap` means
    that an error occurred and this replaces the decided picture.
    """

    body: bytes
    content_type: str
    served: Served | None = None
    note: str = ""
    stopgap: bool = False


class Scene(msgspec.Struct, frozen=True):
    """A Liquid template with its data. Sizes are CSS pixels; `scale` (1, 2 or 3) is the device pixels for each.

    `scheme` is `light` or `dark`, as the reader's mail client requested. `photos` are the only picture URLs that the
    template may draw; the renderer gets them from Photos. `engine` names the engine that draws it, empty for the
    default. `most_bytes` is the picture's size limit.
    """

    template: str
    data: Mapping[str, Any]
    width: int
    height: int
    scale: int = 2
    transparent: bool = False
    photos: tuple[str, ...] = ()
    scheme: str = "light"
    engine: str = ""
    most_bytes: int = 200_000


class Ticking(msgspec.Struct, frozen=True):
    """A countdown to animate: its texts, its size in CSS pixels, device pixels for each, and the time left (ms)."""

    title: str
    labels: tuple[str, str, str, str]
    accent: str
    width: int
    height: int
    remaining_ms: int
    scale: int = 2
    scheme: str = "light"


class Film(msgspec.Struct, frozen=True):
    """A scene drawn as several pictures in a row. Its template sees `frame` (from 0) and `frames`.

    Each picture lasts `milliseconds`. The first is that of the scene drawn once.
    """

    scene: Scene
    frames: int
    milliseconds: int
    loop: bool = True
    most_bytes: int = 500_000


class Comparison(msgspec.Struct, frozen=True):
    """A scene's served picture, the browser's rendering of it, and their difference.

    `share` (0 to 1) is the part of the picture that looks different.
    """

    ours: Picture
    theirs: Picture
    difference: Picture
    share: float


class Renderer(Protocol):
    """Turns a scene into a picture, without network or file access of its own."""

    async def render(self, scene: Scene) -> Picture:
        """Return the picture. Limited in time and memory. Raises BadContent for a template that cannot be drawn."""
        ...

    async def countdown(self, ticking: Ticking) -> Picture:
        """Return an animated GIF whose first frame is complete. Raises BadContent for an impossible size.

        The first of its look takes about a second, unless it was prepared.
        """
        ...

    async def prepare_countdown(self, ticking: Ticking) -> None:
        """Prepare a countdown, so that no open waits for it. Raises BadContent."""
        ...

    async def film(self, film: Film) -> Picture:
        """Return a film as an animated GIF whose first frame is complete. Raises BadContent."""
        ...

    async def warm(self, scene: Scene) -> None:
        """Draw the cacheable parts of a scene ahead. Yields to `render`. Never raises BadContent."""
        ...

    def missing(self, text: str) -> str:
        """Return the characters of a text that no font has, each once. They are drawn as boxes."""
        ...

    async def compare(self, scene: Scene) -> Comparison | None:
        """Return a scene's picture next to the browser's; None without a browser. Raises BadContent."""
        ...


class Photos(Protocol):
    """Fetches and keeps photos of products, from public hosts only."""

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        """Return a photo's bytes (JPEG or PNG, checked); None if it is unavailable within the deadline."""
        ...

    def at_hand(self, url: str) -> bytes | None:
        """Return the same bytes as `get` if that needs no waiting; else None. Never raises."""
        ...

    def warm(self, url: str) -> None:
        """Start fetching a photo in the background unless it is cached. Never raises."""
        ...
