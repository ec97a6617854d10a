"""Composing: pixels laid over pixels. All are arrays of rows of RGBA, eight bits each, alpha not multiplied in."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]

ROUNDING = 2
"""Levels of 255 by which two ways to draw the same thing may differ."""
PATCH = 8
"""Pixels along a side of the squares in which differences are looked at."""


def over(ground: Pixels, above: Pixels) -> Pixels:
    """Return `above` painted over a ground of the same size."""
    painted = ground.copy()
    alpha = above[..., 3]
    np.copyto(painted.view(np.uint32), above.view(np.uint32), where=(alpha == 255)[..., None])
    part = np.flatnonzero((alpha > 0) & (alpha < 255))  # few: rims, letters and shadows
    top, bottom = (pixels.reshape(-1, 4)[part].astype(np.float32) for pixels in (above, ground))
    top_alpha, bottom_alpha = top[:, 3:] / 255, bottom[:, 3:] / 255 * (1 - top[:, 3:] / 255)
    alphas = top_alpha + bottom_alpha
    colors = (top[:, :3] * top_alpha + bottom[:, :3] * bottom_alpha) / alphas
    painted.reshape(-1, 4)[part] = np.concatenate((colors, alphas * 255), axis=1) + 0.5
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
