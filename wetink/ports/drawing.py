"""The seam of drawing: what is to be drawn, the picture of it, who draws, and where photos come from."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec


class Served(msgspec.Struct, frozen=True, gc=False):
    """What a picture that was sent shows: of which block and variant, in which campaign."""

    block: str
    variant: str
    campaign: str


class Picture(msgspec.Struct, frozen=True):
    """Encoded bytes and their content type (`image/jpeg`, `image/png`, `image/gif`).

    `served` is what they are counted as when sent, `note` what had to give so that they weigh no more than they may.
    `stopgap`: something went wrong, and they stand in for what was decided.
    """

    body: bytes
    content_type: str
    served: Served | None = None
    note: str = ""
    stopgap: bool = False


class Scene(msgspec.Struct, frozen=True):
    """What to draw: a Liquid template with its data. Sizes are CSS pixels; `scale` (1, 2 or 3) device pixels for each.

    `scheme` is `light` or `dark`: what the reader's mail client asked for. `photos` are the only URLs of pictures the
    template may draw; the renderer gets those it does draw from Photos. `engine` names what draws it, empty: the usual
    one. `most_bytes` is what the picture may weigh.
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
    """A countdown to draw as it ticks: what stands on it, CSS pixels, device pixels for each, and what is left."""

    title: str
    labels: tuple[str, str, str, str]
    accent: str
    width: int
    height: int
    remaining_ms: int
    scale: int = 2
    scheme: str = "light"


class Film(msgspec.Struct, frozen=True):
    """A scene drawn several times, as pictures that follow each other: its template sees `frame` (from 0) and `frames`.

    Each picture stands for `milliseconds`. The first is that of the scene drawn once.
    """

    scene: Scene
    frames: int
    milliseconds: int
    loop: bool = True
    most_bytes: int = 500_000


class Comparison(msgspec.Struct, frozen=True):
    """A scene as it is served, as the operator's browser draws it, and where they differ.

    `share` (0 to 1) is how much of the picture looks different.
    """

    ours: Picture
    theirs: Picture
    difference: Picture
    share: float


class Renderer(Protocol):
    """Turns a scene into a picture, with no network and no file access of its own."""

    async def render(self, scene: Scene) -> Picture:
        """Return the picture. Raises BadContent for a template that cannot be drawn; bounded in time and memory."""
        ...

    async def countdown(self, ticking: Ticking) -> Picture:
        """Return an animated GIF whose first picture is complete. Raises BadContent for a size it cannot have.

        The first of its look takes a second or so, unless it was prepared.
        """
        ...

    async def prepare_countdown(self, ticking: Ticking) -> None:
        """Make a countdown ready ahead of need, so that it has not to be waited for. Raises BadContent."""
        ...

    async def film(self, film: Film) -> Picture:
        """Return an animated GIF of a film, whose first picture is complete. Raises BadContent."""
        ...

    async def warm(self, scene: Scene) -> None:
        """Draw the parts of a scene that are kept, ahead of need. Gives way to `render`; never raises BadContent."""
        ...

    def missing(self, text: str) -> str:
        """Return the characters of a text that no font has, each once: a box is drawn for them."""
        ...

    async def compare(self, scene: Scene) -> Comparison | None:
        """Return a scene's picture beside the browser's, None when the operator has no browser. Raises BadContent."""
        ...


class Photos(Protocol):
    """Fetches and keeps photos of products, from public hosts only."""

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        """Return a photo's bytes (JPEG or PNG, checked), None when it cannot be had within the deadline."""
        ...

    def at_hand(self, url: str) -> bytes | None:
        """Return a photo's bytes, the same as `get` would, if that needs no waiting; never raises."""
        ...

    def warm(self, url: str) -> None:
        """Start to fetch it in the background, if it is not there already; never raises."""
        ...
