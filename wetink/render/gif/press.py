"""The press: encodes the pictures of a countdown, its background and its digits, once for every remaining time.

A palette holds the few colors that represent a whole picture, found by splitting the group that differs most.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from wetink.render.compose import Pixels, cut, lay, window
from wetink.render.gif import lzw
from wetink.render.gif.countdown import Change, Countdown, Number, Plate, place

Colors: TypeAlias = npt.NDArray[np.uint8]
"""Rows of red, green and blue."""
Words: TypeAlias = npt.NDArray[np.uint32]

SEEN = 4.0
"""Mean square distance, in levels of 255, below which nobody sees that colors are missing."""
MOST_SHADES = 1 << 15
"""Distinct colors to count. If there are more, as in photos, colors a few levels apart count as one."""

BAND, CHUNK = 1 << 18, 4096
"""Pixels of a picture to process at once, and colors."""

_NONE = np.empty((0, 3), np.uint8)


def words(pixels: Pixels) -> Words:
    """Return the color of each pixel as one number; alpha is ignored."""
    packed = pixels[..., 0].astype(np.uint32)
    for channel in (1, 2):
        packed <<= 8
        packed |= pixels[..., channel]
    return packed


def extended(palette: Colors, pictures: Sequence[Pixels], most: int) -> Colors:
    """Return a palette with up to `most` more colors, as many as these pictures need."""
    colors, weights = _shades(pictures)
    missed = _distances(colors, palette).min(axis=1, initial=3 * 255.0**2)
    if np.average(missed, weights=weights) <= SEEN:
        return palette
    far = missed > SEEN
    return np.concatenate((palette, _cut(colors[far], weights[far], most)))


def missed(palette: Colors, pictures: Sequence[Pixels]) -> float:
    """Return the mean square distance between pictures and their version in a palette."""
    colors, weights = _shades(pictures)
    return float(np.average(_distances(colors, palette).min(axis=1), weights=weights))


def indexed(palette: Colors, pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return the nearest color of a palette for each pixel."""
    # One byte for each possible color: only those that occur are ever touched.
    nearest = np.empty(1 << 24, np.uint8)
    chosen = np.empty(pixels.shape[:-1], np.uint8)
    for rows in _bands(pixels):
        packed = words(pixels[rows])
        shades = np.unique(packed)
        for start in range(0, len(shades), CHUNK):
            some = shades[start : start + CHUNK]
            nearest[some] = _distances(_apart(some), palette).argmin(axis=1)
        chosen[rows] = nearest[packed]
    return chosen


def none() -> Colors:
    """Return a palette without colors."""
    return _NONE


def _shades(pictures: Sequence[Pixels]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the colors of pictures and their weights: less than their pixels, as edges of letters are few but seen."""
    found = [np.unique(words(picture[rows]), return_counts=True) for picture in pictures for rows in _bands(picture)]
    shades, back = np.unique(np.concatenate([some for some, _ in found]), return_inverse=True)
    counts = np.bincount(back, np.concatenate([many for _, many in found]))
    if len(shades) > MOST_SHADES:
        shades, back = np.unique(shades & 0xF8F8F8 | 0x040404, return_inverse=True)
        counts = np.bincount(back, counts)
    return _apart(shades), np.sqrt(counts)


def _bands(pixels: Pixels) -> Iterator[slice]:
    """Yield the rows of a picture in bands, so that the values for each pixel never need much memory."""
    rows = max(1, BAND // max(1, math.prod(pixels.shape[1:-1])))
    return (slice(start, start + rows) for start in range(0, len(pixels), rows))


def _apart(shades: Words) -> npt.NDArray[np.float64]:
    return np.stack([shades >> 16, shades >> 8 & 255, shades & 255], axis=1).astype(np.float64)


def _distances(colors: npt.NDArray[np.float64], palette: Colors) -> npt.NDArray[np.float64]:
    """Return the square distance of each color to each color of a palette."""
    few = palette.astype(np.float64)
    apart = (colors**2).sum(axis=1)[:, None] - 2 * colors @ few.T + (few**2).sum(axis=1)
    distances: npt.NDArray[np.float64] = np.maximum(apart, 0)
    return distances


def _cut(colors: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.uint8]:
    """Return up to `most` colors; fewer if those are enough."""
    boxes = [np.arange(len(colors))]
    spreads = [_spread(colors, weights)]
    while len(boxes) < most:
        errors = [spread.sum() for spread in spreads]
        widest = int(np.argmax(errors))
        if sum(errors) <= SEEN * weights.sum() or len(boxes[widest]) < 2:
            break
        box = boxes[widest]
        channel = colors[box, int(np.argmax(spreads[widest]))]
        low = channel <= np.average(channel, weights=weights[box])
        boxes[widest : widest + 1] = [box[low], box[~low]]
        spreads[widest : widest + 1] = [_spread(colors[part], weights[part]) for part in (box[low], box[~low])]
    return np.array([_middle(colors[box], weights[box]) for box in boxes], np.uint8).reshape(-1, 3)


def _spread(colors: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the sum of square differences to the mean, by channel."""
    middle = np.average(colors, axis=0, weights=weights)
    spread: npt.NDArray[np.float64] = ((colors - middle) ** 2 * weights[:, None]).sum(axis=0)
    return spread


def _middle(colors: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the color of a box: the commonest if it prevails, so that backgrounds keep their color; else the mean."""
    commonest = int(np.argmax(weights))
    middle: npt.NDArray[np.float64] = np.average(colors, axis=0, weights=weights)
    return colors[commonest] if weights[commonest] * 2 > weights.sum() else np.round(middle)


MOST_COLORS = 1 << lzw.SECTION_SIZE
RAMPS = (10, 16, 32, 64)
"""Colors that the digits of a unit may add to the palette. Fewer colors need fewer bits for each pixel."""
CLOSE = 100.0
"""Mean square distance, in levels of 255, up to which the smaller number of colors is good enough."""

Indices: TypeAlias = npt.NDArray[np.uint8]


class Slot(msgspec.Struct, frozen=True):
    """A place that shows `seconds // unit % count` as its last `places` digits, each `step` pixels after the other.

    The corner of the first digit is (left, top) in device pixels.
    """

    unit: int
    count: int
    places: int
    left: int
    top: int
    step: int

    def lefts(self) -> list[int]:
        """Return the left edge of each of its digits."""
        return [self.left + self.step * at for at in range(self.places)]


class Face(msgspec.Struct, frozen=True):
    """The look of a countdown: its background, the ten digits, and the slots on it, which have no column in common.

    The background is opaque, digits need not be. All digits have one size.
    """

    ground: Pixels
    digits: Sequence[Pixels]
    slots: Sequence[Slot]


def prepare(near: Face, far: Face) -> Countdown:
    """Return a countdown with the look of these faces; `far` is for a hundred days and more.

    Raises ValueError if the faces differ in size, if a digit lies outside the background or overlaps others, or if
    digits differ in size.
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
    # 0xF0: a global palette with eight bits a channel; then its number of colors, as a power of two less one.
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
    """Encodes the faces of a countdown with one palette. It encodes equal pixels only once."""

    def __init__(self, faces: Sequence[Face]) -> None:
        """Find the palette: first the colors of the fastest units, as low numbers take fewer bits."""
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
        """Return, for each of a slot's places, the ten digits on its background: mostly the same ones in all places."""
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
                # A digit's rows begin where those of the one before end: long empty stretches compress best.
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
        """Return the image that turns the next higher number into this one, None if no pixel differs."""
        new, old = (_shown(slot, tens, between, each) for each in (number, (number + 1) % slot.count))
        differs = box(new != old)
        if differs is None:
            return None
        left, top, right, bottom = differs
        bits = max(2, (self._reach[slot.unit] - 1).bit_length())
        data = self._encoded(new[top:bottom, left:right].tobytes(), bits)
        return Change(left, top, right - left, bottom - top, data)


def _shown(slot: Slot, tens: Sequence[Indices], between: Indices, number: int) -> Indices:
    """Return a number as pixels: its digits on the background between them."""
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
    """Return the smallest box around all differences (left, top, right, bottom), None if there are none."""
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
