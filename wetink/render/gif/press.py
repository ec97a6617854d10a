"""The press: pictures of a countdown, its ground and its numbers, encoded once for every time that may remain."""

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from wetink.render.compose import Pixels
from wetink.render.gif import lzw
from wetink.render.gif.countdown import Countdown, Number, Plate
from wetink.render.gif.palette import Colors, extended, indexed, missed, none

MOST_COLORS = 1 << lzw.SECTION_SIZE
RAMPS = (16, 32, 64)
"""Colors that the numbers of a unit may add to the palette. The fewer, the fewer bits take their pixels."""
CLOSE = 100.0
"""Mean square distance, in levels of 255, up to which the smaller ramp will do."""

Indices: TypeAlias = npt.NDArray[np.uint8]


class Slot(msgspec.Struct, frozen=True):
    """A place where `seconds // unit % len(pictures)` is shown by the picture of that number.

    The pictures are opaque and of one size; their corner lies at (left, top) in device pixels.
    """

    unit: int
    left: int
    top: int
    pictures: Sequence[Pixels]


class Face(msgspec.Struct, frozen=True):
    """What a countdown looks like: its ground, and the slots on it, which have no column of pixels in common."""

    ground: Pixels
    slots: Sequence[Slot]


def prepare(near: Face, far: Face) -> Countdown:
    """Return a countdown that looks like these faces; `far` is for a hundred days and more.

    Raises ValueError when the faces differ in size, when a slot does not lie on the ground or beside the others, or
    when its pictures differ in size.
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


def place(left: int, top: int, width: int, height: int) -> bytes:
    """Return what goes before the data of an image: where it lies."""
    return b"," + b"".join(side.to_bytes(2, "little") for side in (left, top, width, height)) + b"\0"


def _check(face: Face) -> None:
    height, width, _ = face.ground.shape
    right = 0
    for slot in sorted(face.slots, key=lambda slot: slot.left):
        tall, wide, _ = slot.pictures[0].shape
        if any(picture.shape != slot.pictures[0].shape for picture in slot.pictures):
            raise ValueError(f"the pictures of the slot of {slot.unit} s differ in size")
        if min(slot.left, slot.top) < 0 or slot.left + wide > width or slot.top + tall > height:
            raise ValueError(f"the slot of {slot.unit} s does not lie on the ground")
        if slot.left < right:
            raise ValueError(f"the slot of {slot.unit} s does not lie beside the others")
        right = slot.left + wide


class _Press:
    """Encodes the faces of a countdown by one palette. What was encoded before, for whichever number, is not again."""

    def __init__(self, faces: Sequence[Face]) -> None:
        """Find the palette: first the colors of what ticks most often, as low numbers take fewer bits."""
        self._section = cache(lzw.section)
        self._encoded = cache(lzw.encoded)
        self._reach: dict[int, int] = {}
        self.palette: Colors = none()
        slots = [slot for face in faces for slot in face.slots]
        for unit in sorted({slot.unit for slot in slots}):
            pictures = [picture for slot in slots if slot.unit == unit for picture in slot.pictures]
            self._extend(pictures)
            self._reach[unit] = len(self.palette)
        grounds = [face.ground for face in faces]
        self.palette = extended(self.palette, grounds, MOST_COLORS - len(self.palette))

    def _extend(self, pictures: Sequence[Pixels]) -> None:
        before = self.palette
        if len(before) and missed(before, pictures) <= CLOSE:
            return
        for ramp in RAMPS:
            self.palette = extended(before, pictures, min(ramp, MOST_COLORS - len(before)))
            if missed(self.palette, pictures) <= CLOSE:
                break

    def plate(self, face: Face) -> Plate:
        """Return a face, encoded."""
        canvas = indexed(self.palette, face.ground)
        height, width = canvas.shape
        slots = [self._moving(slot, canvas) for slot in sorted(face.slots, key=lambda slot: slot.left)]
        top = min((slot.top for slot in slots), default=0)
        bottom = max((slot.top + slot.pictures.shape[1] for slot in slots), default=0)
        numbers = []
        left = 0
        for slot in slots:
            right = slot.left + slot.pictures.shape[2]
            rows = []
            for picture in slot.pictures:
                _paste(canvas, picture, slot.left, slot.top)
                rows.append(self._rows(canvas[top:bottom, left:right]))
            changes = (self._change(slot, number) for number in range(len(rows)))
            numbers.append(Number(slot.unit, tuple(rows), tuple(changes)))
            left = right
        above, below = canvas[:top].tobytes(), canvas[bottom:].tobytes()
        return Plate(
            place(0, 0, width, height),
            self._section(above),
            tuple(numbers),
            self._rows(canvas[top:bottom, left:]),
            self._section(below),
        )

    def _moving(self, slot: Slot, canvas: Indices) -> "_Moving":
        """Put a slot on the canvas; return the part of it in which its pictures differ."""
        pixels = np.concatenate(slot.pictures)
        pictures = indexed(self.palette[: self._reach[slot.unit]], pixels).reshape(
            len(slot.pictures), *slot.pictures[0].shape[:2]
        )
        _paste(canvas, pictures[0], slot.left, slot.top)
        left, top, right, bottom = box((pictures != pictures[0]).any(axis=0)) or (0, 0, 1, 1)
        return _Moving(slot.unit, slot.left + left, slot.top + top, pictures[:, top:bottom, left:right])

    def _rows(self, pixels: Indices) -> tuple[bytes, ...]:
        return tuple([self._section(row.tobytes()) for row in pixels])

    def _change(self, slot: "_Moving", number: int) -> bytes:
        new, old = slot.pictures[number], slot.pictures[(number + 1) % len(slot.pictures)]
        differs = box(new != old)
        if differs is None:
            return b""
        left, top, right, bottom = differs
        bits = max(2, (self._reach[slot.unit] - 1).bit_length())
        data = self._encoded(new[top:bottom, left:right].tobytes(), bits)
        return place(slot.left + left, slot.top + top, right - left, bottom - top) + data


class _Moving(msgspec.Struct, frozen=True):
    """A slot whose pictures are numbers of colors, cut to where they differ."""

    unit: int
    left: int
    top: int
    pictures: Indices


def box(differs: npt.NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Return the smallest box that holds all that differs (left, top, right, bottom), None when nothing does."""
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _paste(canvas: Indices, picture: Indices, left: int, top: int) -> None:
    height, width = picture.shape
    canvas[top : top + height, left : left + width] = picture
