"""Palettes: the few colors that stand for all of a picture, found by cutting its colors where they differ most."""

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from wetink.render.compose import Pixels

Colors: TypeAlias = npt.NDArray[np.uint8]
"""Rows of red, green and blue."""
Words: TypeAlias = npt.NDArray[np.uint32]

SEEN = 4.0
"""Mean square distance, in levels of 255, below which nobody sees that colors were left out."""
MOST_SHADES = 1 << 15
"""Different colors that are told apart. Of more, as photos have them, those a few levels apart count as one."""

BAND, CHUNK = 1 << 18, 4096
"""Pixels of a picture that are looked at in one go, and colors."""

_NONE = np.empty((0, 3), np.uint8)


def words(pixels: Pixels) -> Words:
    """Return the color of each pixel as one number; alpha is ignored."""
    packed = pixels[..., 0].astype(np.uint32)
    for channel in (1, 2):
        packed <<= 8
        packed |= pixels[..., channel]
    return packed


def extended(palette: Colors, pictures: Sequence[Pixels], most: int) -> Colors:
    """Return a palette with up to `most` more colors, as many as it takes to stand for these pictures, too."""
    colors, weights = _shades(pictures)
    missed = _distances(colors, palette).min(axis=1, initial=3 * 255.0**2)
    if np.average(missed, weights=weights) <= SEEN:
        return palette
    far = missed > SEEN
    return np.concatenate((palette, _cut(colors[far], weights[far], most)))


def missed(palette: Colors, pictures: Sequence[Pixels]) -> float:
    """Return the mean square distance of pictures to what is left of them with a palette."""
    colors, weights = _shades(pictures)
    return float(np.average(_distances(colors, palette).min(axis=1), weights=weights))


def indexed(palette: Colors, pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return for each pixel which color of a palette is nearest."""
    # One byte for each color there is: only those that do occur are ever touched.
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
    """Return the colors of pictures and what each weighs: less than its pixels, as rims of letters are few but seen."""
    found = [np.unique(words(picture[rows]), return_counts=True) for picture in pictures for rows in _bands(picture)]
    shades, back = np.unique(np.concatenate([some for some, _ in found]), return_inverse=True)
    counts = np.bincount(back, np.concatenate([many for _, many in found]))
    if len(shades) > MOST_SHADES:
        shades, back = np.unique(shades & 0xF8F8F8 | 0x040404, return_inverse=True)
        counts = np.bincount(back, counts)
    return _apart(shades), np.sqrt(counts)


def _bands(pixels: Pixels) -> Iterator[slice]:
    """Yield the rows of a picture in bands, so that what is worked out for each pixel never needs much memory."""
    rows = max(1, BAND // max(1, math.prod(pixels.shape[1:-1])))
    return (slice(start, start + rows) for start in range(0, len(pixels), rows))


def _apart(shades: Words) -> npt.NDArray[np.float64]:
    return np.stack([shades >> 16, shades >> 8 & 255, shades & 255], axis=1).astype(np.float64)


def _distances(colors: npt.NDArray[np.float64], palette: Colors) -> npt.NDArray[np.float64]:
    """Return the square distance of each color to each of a palette."""
    few = palette.astype(np.float64)
    apart = (colors**2).sum(axis=1)[:, None] - 2 * colors @ few.T + (few**2).sum(axis=1)
    distances: npt.NDArray[np.float64] = np.maximum(apart, 0)
    return distances


def _cut(colors: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.uint8]:
    """Return up to `most` colors; fewer when those are enough."""
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
    """Return the color that stands for a box: the commonest where it prevails, as grounds must stay what they are."""
    commonest = int(np.argmax(weights))
    middle: npt.NDArray[np.float64] = np.average(colors, axis=0, weights=weights)
    return colors[commonest] if weights[commonest] * 2 > weights.sum() else np.round(middle)
