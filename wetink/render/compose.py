"""Composing: pixels laid over pixels. All are arrays of rows of RGBA, eight bits each, alpha not multiplied in."""

from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]

ROUNDING = 2
"""Levels of 255 by which two ways to draw the same thing may differ."""
PATCH = 8
"""Pixels along a side of the squares in which differences are looked at."""


class Cut(msgspec.Struct, frozen=True):
    """Pixels made ready to be laid over others: which of them hide what is below, and which only tint it."""

    pixels: Pixels
    solid: npt.NDArray[np.bool_]
    part: npt.NDArray[np.intp]
    """Where the tinting ones are, counted row by row: few, the rims of letters and shadows."""
    tint: npt.NDArray[np.float32]
    """Their colors, by which alpha is multiplied in, and their alpha, from 0 to 1."""

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        return self.pixels.nbytes + self.solid.nbytes + self.part.nbytes + self.tint.nbytes


def cut(pixels: Pixels) -> Cut:
    """Return pixels made ready to be laid over others."""
    alpha = pixels[..., 3]
    part = np.flatnonzero((alpha > 0) & (alpha < 255))
    tint = pixels.reshape(-1, 4)[part].astype(np.float32)
    tint[:, 3] /= 255
    tint[:, :3] *= tint[:, 3:]
    return Cut(pixels, alpha == 255, part, tint)


def over(ground: Pixels, above: Cut) -> Pixels:
    """Return a ground with pixels of the same size painted over it."""
    painted = ground.copy()
    whole, words = painted.view(np.uint32)[..., 0], above.pixels.view(np.uint32)[..., 0]
    np.copyto(whole, words, where=above.solid)
    flat = whole.reshape(-1)
    below = flat[above.part].view(np.uint8).reshape(-1, 4).astype(np.float32)
    shine = below[:, 3:] * ((1 - above.tint[:, 3:]) / 255)
    alpha = above.tint[:, 3:] + shine
    mixed = np.empty((len(below), 4), np.uint8)
    mixed[:, :3] = (above.tint[:, :3] + below[:, :3] * shine) / alpha + 0.5
    mixed[:, 3:] = alpha * 255 + 0.5
    flat[above.part] = mixed.view(np.uint32)[:, 0]
    return painted


def window(pixels: npt.NDArray[Any], left: int, top: int, width: int, height: int) -> npt.NDArray[Any]:
    """Return the part of a picture that a box covers, of a box that may reach beyond its edges."""
    return pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]


def far_apart(one: Pixels, other: Pixels) -> npt.NDArray[np.bool_]:
    """Return which pixels of two pictures differ by more than rounding."""
    apart: npt.NDArray[np.bool_] = (np.maximum(one, other) - np.minimum(one, other)).max(axis=2) > ROUNDING
    return apart


def patches(apart: npt.NDArray[np.bool_]) -> int:
    """Return how many squares of a picture differ in more than a quarter of their pixels."""
    height, width = (side - side % PATCH for side in apart.shape)
    squares = apart[:height, :width].reshape(height // PATCH, PATCH, width // PATCH, PATCH)
    return int((squares.sum(axis=(1, 3)) > PATCH * PATCH / 4).sum())
