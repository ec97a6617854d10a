"""Countdowns: animated GIFs that show what remains, second by second, joined from parts that were encoded before.

Only the first picture is complete; those after it replace just what changed. The first is joined, too: of each digit
every row of pixels is kept encoded, so that a row of the picture is a row of each digit, one after the other.
"""

from itertools import chain

import msgspec

from wetink.render.gif import lzw

DAY = 86_400
"""Seconds."""
FRAMES, MOST_FRAMES = 60, 120
"""Seconds that are shown one after the other, unless told otherwise, and at the most."""
MOST_PIXELS = 5_000_000
"""Device pixels of a countdown: a larger block is drawn with fewer of them for each of CSS."""
PART_BYTES = 40
"""What an object of bytes takes beside them."""
TICK, BRIEF = 100, 2
"""Hundredths of a second: how long one second stands, and each of its parts but the last. Viewers raise less than 2."""


class Look(msgspec.Struct, frozen=True):
    """What a marketer can set. Colors are like `#3451d1`; an empty one is that of the scheme."""

    title: str = ""
    labels: tuple[str, str, str, str] = ("DAYS", "HOURS", "MINUTES", "SECONDS")
    accent: str = "#ff6b4a"
    background: str = ""
    ink: str = ""
    scheme: str = "light"


class Change(msgspec.Struct, frozen=True, array_like=True):
    """An image that brings a number about: where it lies from the slot's corner, its size, and its data, encoded."""

    left: int
    top: int
    width: int
    height: int
    data: bytes


class Number(msgspec.Struct, frozen=True, array_like=True):
    """Where `seconds // unit % count` is shown, and what lies left of it, by rows of pixels as sections.

    `digits` says for each of its digits, the highest first, which of the plate's sets of digits it is taken from.
    `changes` says for each number which of the plate's changes brings it about after the next higher one, -1 where no
    pixel differs. The corner of the changes is (left, top).
    """

    unit: int
    count: int
    left: int
    top: int
    digits: tuple[int, ...]
    changes: tuple[int, ...]


class Plate(msgspec.Struct, frozen=True, array_like=True):
    """All of a picture, encoded: what is above its numbers, they from left to right, what is right of them, and below.

    `place` says where the picture lies: everywhere. `digits` are sets of the ten digits, each by its rows of pixels.
    """

    place: bytes
    above: bytes
    numbers: tuple[Number, ...]
    below: bytes
    digits: tuple[tuple[tuple[bytes, ...], ...], ...]
    changes: tuple[Change, ...]


class Countdown(msgspec.Struct, frozen=True, array_like=True):
    """A countdown that is ready to show any time that remains: a plate for up to 99 days, and one for more."""

    header: bytes
    near: Plate
    far: Plate

    @property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        return sum(_nbytes(plate) for plate in (self.near, self.far))


def _nbytes(plate: Plate) -> int:
    parts = (
        plate.above,
        plate.below,
        *chain.from_iterable(chain.from_iterable(plate.digits)),
        *(change.data for change in plate.changes),
    )
    return sum(len(part) + PART_BYTES for part in parts)


def gif(countdown: Countdown, remaining_ms: int, frames: int = FRAMES) -> bytes:
    """Return a GIF that counts down from what remains, in milliseconds, for `frames` seconds, and then stands still.

    It plays once, and ends at zero. Where nothing remains it is a still picture of zeros. More than 999 days are shown
    as 999 days, and their hours, minutes and seconds.
    """
    seconds = max(0, remaining_ms // 1000)
    last = max(0, seconds - min(max(1, frames), MOST_FRAMES) + 1)
    plate, shown = _at(countdown, seconds)
    whole = _whole(plate, shown)
    if seconds == last:
        return b"".join((countdown.header, whole, b";"))
    parts = [(TICK, whole)]
    for second in range(seconds - 1, last - 1, -1):
        before, old = plate, shown
        plate, shown = _at(countdown, second)
        changed = _changes(plate, old, shown) if plate is before else [_whole(plate, shown)]
        if not changed:  # nothing to see: what was there stands for longer
            parts[-1] = parts[-1][0] + TICK, parts[-1][1]
            continue
        parts += [(BRIEF, part) for part in changed[:-1]]
        parts.append((TICK - BRIEF * (len(changed) - 1), changed[-1]))
    return b"".join((countdown.header, *chain.from_iterable((stands(delay), part) for delay, part in parts), b";"))


def stands(delay: int) -> bytes:
    """Return what goes before an image that stands for so many hundredths of a second and is then drawn over."""
    return b"\x21\xf9\x04\x04" + min(max(delay, 0), 0xFFFF).to_bytes(2, "little") + b"\0\0"


def place(left: int, top: int, width: int, height: int) -> bytes:
    """Return what goes before the data of an image: where it lies."""
    return b"," + b"".join(side.to_bytes(2, "little") for side in (left, top, width, height)) + b"\0"


def _at(countdown: Countdown, seconds: int) -> tuple[Plate, tuple[int, ...]]:
    """Return the plate for a time, and its numbers."""
    plate = countdown.near if seconds < 100 * DAY else countdown.far
    if seconds >= 1000 * DAY:
        seconds = 999 * DAY + seconds % DAY
    return plate, tuple([seconds // number.unit % number.count for number in plate.numbers])


def _changes(plate: Plate, old: tuple[int, ...], new: tuple[int, ...]) -> list[bytes]:
    """Return the images that bring about the new numbers."""
    images = []
    for number, was, shown in zip(plate.numbers, old, new, strict=True):
        if was != shown and number.changes[shown] >= 0:
            change = plate.changes[number.changes[shown]]
            corner = number.left + change.left, number.top + change.top
            images.append(place(*corner, change.width, change.height) + change.data)
    return images


def _whole(plate: Plate, shown: tuple[int, ...]) -> bytes:
    """Return the image of a complete picture."""
    columns: list[tuple[bytes, ...]] = []
    for number, value in zip(plate.numbers, shown, strict=True):
        for at, which in enumerate(reversed(number.digits)):
            columns.insert(len(columns) - at, plate.digits[which][value // 10**at % 10])
    rows = chain.from_iterable(zip(*columns, strict=True))
    return plate.place + lzw.image((plate.above, *rows, plate.below))
