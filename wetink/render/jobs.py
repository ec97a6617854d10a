"""Jobs: the requests of the renderer to its workers, and their answers.

A page may take over the worker that draws it, so the renderer accepts no answers but these types.
"""

from typing import TypeAlias

import msgspec

from wetink.ports import Picture
from wetink.ports.templates import Inspection
from wetink.render.fonts import Face
from wetink.render.gif.countdown import Countdown, Look
from wetink.render.page import Markup, Scenery, Sheet


class Make(msgspec.Struct, frozen=True, tag=True):
    """Fill in a template and draw it. The answer is Drawn, or Filled when the worker needs more photos.

    `data` is pickled, because Liquid takes any value and numbers of any size. `photos` maps each address that the page
    may draw to the hash of its photo, empty when the photo has not been fetched. `bodies` are the photos, by address,
    that no worker has received yet. Nobody waits for a picture that is drawn `ahead`.
    """

    template: str
    data: bytes
    photos: dict[str, bytes]
    bodies: dict[str, bytes]
    scenery: Scenery
    most_bytes: int
    ahead: bool = False


class Fill(msgspec.Struct, frozen=True, tag=True):
    """Only fill in a template. The answer is Filled."""

    template: str
    data: bytes
    photos: tuple[str, ...]


class Draw(msgspec.Struct, frozen=True, tag=True):
    """Draw a page and encode it. The answer is Drawn or Lacks."""

    sheet: Sheet
    most_bytes: int
    ahead: bool = False


class Shoot(msgspec.Struct, frozen=True, tag=True):
    """Draw pages that follow each other as a film, each for `milliseconds`. The answer is Drawn or Lacks."""

    sheets: tuple[Sheet, ...]
    milliseconds: int
    loop: bool
    most_bytes: int


class Encode(msgspec.Struct, frozen=True, tag=True):
    """Re-encode a picture in at most so many bytes, with alpha if `clear`. The answer is Drawn."""

    picture: bytes
    clear: bool
    most_bytes: int


class Compare(msgspec.Struct, frozen=True, tag=True):
    """Compare two pictures of the same page. The answer is Compared."""

    ours: bytes
    theirs: bytes


class Press(msgspec.Struct, frozen=True, tag=True):
    """Prepare a countdown. The answer is Pressed. Sizes are CSS pixels."""

    look: Look
    width: int
    height: int
    scale: int


class Use(msgspec.Struct, frozen=True, tag=True):
    """Add these fonts, by file name. The answer is Told, with the fonts that cannot be used."""

    fonts: dict[str, bytes]


class Complete(msgspec.Struct, frozen=True, tag=True):
    """Load the large fonts. The answer is an empty Told."""


class Inspect(msgspec.Struct, frozen=True, tag=True):
    """Read a template without filling it in. The answer is Inspected."""

    template: str


class Inspected(msgspec.Struct, frozen=True, tag=True):
    """The mistakes of a template and the values that it reads."""

    inspection: Inspection


class Filled(msgspec.Struct, frozen=True, tag=True):
    """A page's HTML, the addresses of the allowed photos that it draws, and those of the photos that must be sent."""

    markup: Markup
    wanted: tuple[str, ...]
    lacks: tuple[str, ...] = ()


class Drawn(msgspec.Struct, frozen=True, tag=True):
    """The picture of a page, the page's key, and the time that encoding took, in seconds."""

    body: bytes
    content_type: str
    note: str
    key: bytes
    encode_seconds: float = 0.0

    @property
    def picture(self) -> Picture:
        """The answer as a picture, without the fields that a worker must not set."""
        return Picture(self.body, self.content_type, note=self.note)


class Lacks(msgspec.Struct, frozen=True, tag=True):
    """The addresses of the photos whose bytes the job must contain."""

    photos: tuple[str, ...]


class Compared(msgspec.Struct, frozen=True, tag=True):
    """The share of two pictures (0 to 1) in which they look different, and a picture that shows where."""

    share: float
    difference: bytes


class FontReport(msgspec.Struct, frozen=True, tag=True):
    """The problems as text. For fonts also the CSS names of the usable ones, and their characters."""

    problems: tuple[str, ...]
    faces: dict[str, Face] = {}
    letters: tuple[tuple[int, int], ...] = ()


class Pressed(msgspec.Struct, frozen=True, tag=True):
    """A prepared countdown."""

    countdown: Countdown


class Refused(msgspec.Struct, frozen=True, tag=True):
    """No worker can do the job: `BadContent`."""

    message: str
    hint: str


Job: TypeAlias = Make | Fill | Draw | Shoot | Encode | Compare | Press | Use | Complete | Inspect
Reply: TypeAlias = Filled | Drawn | Lacks | Compared | FontReport | Pressed | Inspected | Refused

encoded = msgspec.msgpack.Encoder().encode
read_job = msgspec.msgpack.Decoder(Job).decode
read_reply = msgspec.msgpack.Decoder(Reply).decode
