"""The press: pictures of a countdown, its ground and its digits, encoded once for every time that may remain."""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from wetink.render.compose import Pixels, cut, lay, window
from wetink.render.gif import lzw
from wetink.render.gif.countdown import Change, Countdown, Number, Plate, place
from wetink.render.gif.palette import Colors, extended, indexed, missed, none

MOST_COLORS = 1 << lzw.SECTION_SIZE
RAMPS = (10, 16, 32, 64)
"""Colors that the digits of a unit may add to the palette. The fewer, the fewer bits take their pixels."""
CLOSE = 100.0
"""Mean square distance, in levels of 255, up to which the smaller ramp will do."""

Indices: TypeAlias = npt.NDArray[np.uint8]


class Slot(msgspec.Struct, frozen=True):
    """A place where `seconds // unit % count` is shown by its last `places` digits, each `step` pixels after the other.

    The corner of the first lies at (left, top) in device pixels.
    """

    unit: int
    count: int
    places: int
    left: int
    top: int
    step: int

    def lefts(self) -> list[int]:
        """Return where each of its digits begins."""
        return [self.left + self.step * at for at in range(self.places)]


class Face(msgspec.Struct, frozen=True):
    """What a countdown looks like: its ground, the ten digits, and the slots on it, which have no column in common.

    The ground is opaque, digits need not be. They are of one size.
    """

    ground: Pixels
    digits: Sequence[Pixels]
    slots: Sequence[Slot]


def prepare(near: Face, far: Face) -> Countdown:
    """Return a countdown that looks like these faces; `far` is for a hundred days and more.

    Raises ValueError when the faces differ in size, when a digit does not lie on the ground or beside the others, or
    when digits differ in size.
    """
    height, width, _ = near.ground.shape
    if far.ground.shape != near.ground.shape:
        raise ValueError("the two faces differ in size")
    for face in (near, far):
        _check(face)
    press = _Press((near, far))
    colors = np.zeros((MOST_COLORS, 3), np.uint8)
    colors[: len(press.palette)] = press.palette
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    # 0xF0: a global palette, of eight bits a channel; then how many colors, as a power of two less one.
    header = b"GIF89a" + size + bytes((0xF0 | lzw.SECTION_SIZE - 1, 0, 0)) + colors.tobytes()
    return Countdown(header, press.plate(near), press.plate(far))


def _check(face: Face) -> None:
    height, width, _ = face.ground.shape
    tall, wide, _ = face.digits[0].shape
    if any(digit.shape != face.digits[0].shape for digit in face.digits):
        raise ValueError("the digits differ in size")
    right = 0
    for slot in sorted(face.slots, key=lambda slot: slot.left):
        if min(slot.left, slot.top) < 0 or slot.lefts()[-1] + wide > width or slot.top + tall > height:
            raise ValueError(f"the slot of {slot.unit} s does not lie on the ground")
        if slot.left < right or slot.step < wide:
            raise ValueError(f"the slot of {slot.unit} s does not lie beside the others")
        right = slot.lefts()[-1] + wide


class _Press:
    """Encodes the faces of a countdown by one palette. What was encoded before, for whichever number, is not again."""

    def __init__(self, faces: Sequence[Face]) -> None:
        """Find the palette: first the colors of what ticks most often, as low numbers take fewer bits."""
        self._section = cache(lzw.section)
        self._encoded = cache(lzw.encoded)
        self._pictures: dict[tuple[int, bytes], list[Pixels]] = {}
        self._reach: dict[int, int] = {}
        self.palette: Colors = none()
        for unit in sorted({slot.unit for face in faces for slot in face.slots}):
            pairs = [(face, slot) for face in faces for slot in face.slots if slot.unit == unit]
            looks = {id(ten): ten for face, slot in pairs for ten in self._laid(face, slot)}
            self._extend([picture for ten in looks.values() for picture in ten])
            self._reach[unit] = len(self.palette)
        grounds = [face.ground for face in faces if face.ground is not faces[0].ground]
        self.palette = extended(self.palette, [faces[0].ground, *grounds], MOST_COLORS - len(self.palette))

    def _extend(self, pictures: Sequence[Pixels]) -> None:
        before = self.palette
        if len(before) and missed(before, pictures) <= CLOSE:
            return
        for ramp in RAMPS:
            self.palette = extended(before, pictures, min(ramp, MOST_COLORS - len(before)))
            if missed(self.palette, pictures) <= CLOSE:
                break

    def _laid(self, face: Face, slot: Slot) -> list[list[Pixels]]:
        """Return for each of a slot's places the ten digits as they look there: mostly the same ones everywhere."""
        tall, wide, _ = face.digits[0].shape
        laid = []
        for left in slot.lefts():
            ground = window(face.ground, left, slot.top, wide, tall)
            key = id(face.digits), ground.tobytes()
            if key not in self._pictures:
                self._pictures[key] = [_above(ground, digit) for digit in face.digits]
            laid.append(self._pictures[key])
        return laid

    def plate(self, face: Face) -> Plate:
        """Return a face, encoded."""
        canvas = indexed(self.palette, face.ground)
        height, width = canvas.shape
        tall, wide, _ = face.digits[0].shape
        top = min((slot.top for slot in face.slots), default=0)
        bottom = max((slot.top + tall for slot in face.slots), default=0)
        sets: dict[tuple[tuple[bytes, ...], ...], int] = {}
        changes: dict[Change, int] = {}
        numbers = []
        left = 0
        slots = sorted(face.slots, key=lambda slot: slot.left)
        for slot in slots:
            tens = [indexed(self.palette[: self._reach[slot.unit]], np.stack(ten)) for ten in self._laid(face, slot)]
            digits = []
            for here, ten in zip(slot.lefts(), tens, strict=True):
                last = slot is slots[-1] and here == slot.lefts()[-1]
                # A digit's rows begin where those of the one before end: the emptier a stretch, the less it takes.
                column = canvas[top:bottom, left : None if last else here + wide].copy()
                rows = []
                for digit in ten:
                    column[slot.top - top : slot.top - top + tall, here - left : here - left + wide] = digit
                    rows.append(self._rows(column))
                digits.append(sets.setdefault(tuple(rows), len(sets)))
                left = here + wide
            between = canvas[slot.top : slot.top + tall, slot.left : left].copy()
            changed = [self._change(slot, tens, between, number) for number in range(slot.count)]
            which = tuple([changes.setdefault(each, len(changes)) if each is not None else -1 for each in changed])
            numbers.append(Number(slot.unit, slot.count, slot.left, slot.top, tuple(digits), which))
        return Plate(
            place(0, 0, width, height),
            self._section(canvas[:top].tobytes()),
            tuple(numbers),
            self._section(canvas[bottom:].tobytes()),
            tuple(sets),
            tuple(changes),
        )

    def _rows(self, pixels: Indices) -> tuple[bytes, ...]:
        return tuple([self._section(row.tobytes()) for row in pixels])

    def _change(self, slot: Slot, tens: Sequence[Indices], between: Indices, number: int) -> Change | None:
        """Return the image that makes the next higher number this one, None when nothing differs."""
        new, old = (_shown(slot, tens, between, each) for each in (number, (number + 1) % slot.count))
        differs = box(new != old)
        if differs is None:
            return None
        left, top, right, bottom = differs
        bits = max(2, (self._reach[slot.unit] - 1).bit_length())
        data = self._encoded(new[top:bottom, left:right].tobytes(), bits)
        return Change(left, top, right - left, bottom - top, data)


def _shown(slot: Slot, tens: Sequence[Indices], between: Indices, number: int) -> Indices:
    """Return a number as its digits make it, on what lies between them."""
    shown = between.copy()
    for at, ten in enumerate(reversed(tens)):
        left = slot.step * (slot.places - 1 - at)
        shown[:, left : left + ten.shape[2]] = ten[number // 10**at % 10]
    return shown


def _above(ground: Pixels, digit: Pixels) -> Pixels:
    canvas = np.ascontiguousarray(ground).copy()
    lay(canvas, cut(digit), 0, 0, opaque=True)
    return canvas


def box(differs: npt.NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Return the smallest box that holds all that differs (left, top, right, bottom), None when nothing does."""
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
