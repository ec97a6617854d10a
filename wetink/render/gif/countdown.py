"""Countdowns: animated GIFs of the remaining time, second by second, joined from parts that are encoded once.

Only the first picture is complete; each later one replaces only the changed pixels. The first is also joined from
parts: every row of pixels of each digit is kept encoded, and a row of the picture is one row of each digit in turn.
"""

from itertools import chain

import msgspec

from wetink.render.gif import lzw

DAY = 86_400
"""Seconds."""
FRAMES, MOST_FRAMES = 60, 120
"""Seconds to show one after the other: the default and the maximum."""
MOST_PIXELS = 5_000_000
"""Device pixels of a countdown: a larger block gets fewer of them for each CSS pixel."""
PART_BYTES = 40
"""The overhead of a bytes object in memory."""
TICK, BRIEF = 100, 2
"""Hundredths of a second: for one second, and for each of its images but the last. Viewers lengthen less than 2."""


class Look(msgspec.Struct, frozen=True):
    """A marketer's settings. Colors are like `#3451d1`; an empty one is the scheme's."""

    title: str = ""
    labels: tuple[str, str, str, str] = ("DAYS", "HOURS", "MINUTES", "SECONDS")
    accent: str = "#ff6b4a"
    background: str = ""
    ink: str = ""
    scheme: str = "light"


class Change(msgspec.Struct, frozen=True, array_like=True):
    """An image that turns one number into the next: its place from the slot's corner, its size, its encoded data."""

    left: int
    top: int
    width: int
    height: int
    data: bytes


class Number(msgspec.Struct, frozen=True, array_like=True):
    """The place that shows `seconds // unit % count`. Its digits' sections start where the number to its left ends.

    `digits` holds, for each digit (the highest first), the index of its set in the plate's `digits`. `changes` holds,
    for each number, the index of the plate's change that turns the next higher number into it, -1 if no pixel differs.
    The corner of the changes is (left, top).
    """

    unit: int
    count: int
    left: int
    top: int
    digits: tuple[int, ...]
    changes: tuple[int, ...]


class Plate(msgspec.Struct, frozen=True, array_like=True):
    """A whole encoded picture: the part above its numbers, the numbers with all beside them, and the part below.

    `place` is the image header of the whole picture. `digits` are sets of the ten digits, each by its rows of pixels.
    """

    place: bytes
    above: bytes
    numbers: tuple[Number, ...]
    below: bytes
    digits: tuple[tuple[tuple[bytes, ...], ...], ...]
    changes: tuple[Change, ...]


class Countdown(msgspec.Struct, frozen=True, array_like=True):
    """A countdown prepared for any remaining time: a plate for up to 99 days, and one for more."""

    header: bytes
    near: Plate
    far: Plate

    @property
    def nbytes(self) -> int:
        """The approximate bytes of memory it takes."""
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
    """Return a GIF that counts down from the remaining milliseconds for `frames` seconds and then stops.

    It plays once, and ends at zero. Without remaining time it is a still picture of zeros. More than 999 days are shown
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
        if not changed:  # no visible change: the image before stays longer
            parts[-1] = parts[-1][0] + TICK, parts[-1][1]
            continue
        parts += [(BRIEF, part) for part in changed[:-1]]
        parts.append((TICK - BRIEF * (len(changed) - 1), changed[-1]))
    return b"".join((countdown.header, *chain.from_iterable((stands(delay), part) for delay, part in parts), b";"))


def stands(delay: int) -> bytes:
    """Return the control block of an image that shows for `delay` hundredths of a second and is then drawn over."""
    return b"\x21\xf9\x04\x04" + min(max(delay, 0), 0xFFFF).to_bytes(2, "little") + b"\0\0"


def place(left: int, top: int, width: int, height: int) -> bytes:
    """Return the header of an image's data: its place."""
    return b"," + b"".join(side.to_bytes(2, "little") for side in (left, top, width, height)) + b"\0"


def _at(countdown: Countdown, seconds: int) -> tuple[Plate, tuple[int, ...]]:
    """Return the plate for a time, and its numbers."""
    plate = countdown.near if seconds < 100 * DAY else countdown.far
    if seconds >= 1000 * DAY:
        seconds = 999 * DAY + seconds % DAY
    return plate, tuple([seconds // number.unit % number.count for number in plate.numbers])


def _changes(plate: Plate, old: tuple[int, ...], new: tuple[int, ...]) -> list[bytes]:
    """Return the images that turn the old numbers into the new ones."""
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
