"""Countdowns: animated GIFs that show what remains, second by second, joined from parts that were encoded before.

Only the first picture is complete; those after it replace just what changed. The first is joined, too: of each number
every row of pixels is kept encoded, so that a row of the picture is a row of each number, one after the other.
"""

from itertools import chain

import msgspec

from wetink.render.gif import lzw

DAY = 86_400
"""Seconds."""
FRAMES, MOST_FRAMES = 60, 120
"""Seconds that are shown one after the other, unless told otherwise, and at the most."""
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


class Number(msgspec.Struct, frozen=True):
    """What shows `seconds // unit % len(rows)`, encoded.

    Of each number `rows` has the rows of pixels, with what is left of them on the picture, as sections; `changes` has
    the image that brings it about after the next higher number, nothing when no pixel differs.
    """

    unit: int
    rows: tuple[tuple[bytes, ...], ...]
    changes: tuple[bytes, ...]


class Plate(msgspec.Struct, frozen=True):
    """All of a picture, encoded: what is above its numbers, they from left to right, what is right of them, and below.

    `place` says where the picture lies: everywhere.
    """

    place: bytes
    above: bytes
    numbers: tuple[Number, ...]
    edge: tuple[bytes, ...]
    below: bytes


class Countdown(msgspec.Struct, frozen=True):
    """A countdown that is ready to show any time that remains: a plate for up to 99 days, and one for more."""

    header: bytes
    near: Plate
    far: Plate

    @property
    def nbytes(self) -> int:
        """The memory it takes, about."""
        numbers = (*self.near.numbers, *self.far.numbers)
        parts = chain.from_iterable((*chain.from_iterable(number.rows), *number.changes) for number in numbers)
        return sum(len(part) + 8 for part in parts)


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


def _at(countdown: Countdown, seconds: int) -> tuple[Plate, tuple[int, ...]]:
    """Return the plate for a time, and its numbers."""
    plate = countdown.near if seconds < 100 * DAY else countdown.far
    if seconds >= 1000 * DAY:
        seconds = 999 * DAY + seconds % DAY
    return plate, tuple([seconds // number.unit % len(number.rows) for number in plate.numbers])


def _changes(plate: Plate, old: tuple[int, ...], new: tuple[int, ...]) -> list[bytes]:
    """Return the images that bring about the new numbers."""
    return [
        number.changes[shown]
        for number, was, shown in zip(plate.numbers, old, new, strict=True)
        if was != shown and number.changes[shown]
    ]


def _whole(plate: Plate, shown: tuple[int, ...]) -> bytes:
    """Return the image of a complete picture."""
    numbers = (number.rows[value] for number, value in zip(plate.numbers, shown, strict=True))
    rows = chain.from_iterable(zip(*numbers, plate.edge, strict=True))
    return plate.place + lzw.image((plate.above, *rows, plate.below))
