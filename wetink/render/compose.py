"""Composing: pixels laid over pixels. All are arrays of rows of RGBA, eight bits each, alpha not multiplied in."""

from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.intp]

ROUNDING = 2
"""Levels of 255 by which two ways to draw the same thing may differ."""
PATCH = 8
"""Pixels along a side of the squares in which differences are looked at."""


class Cut(msgspec.Struct, frozen=True):
    """Pixels made ready to be laid over others."""

    pixels: Pixels
    solid: npt.NDArray[np.bool_]
    """Which of them hide what is below."""
    rows: Places
    columns: Places
    """Where those are that tint what is below: few, the rims of letters and shadows."""
    tint: npt.NDArray[np.float32]
    """Their colors, by which alpha is multiplied in, and their alpha, all up to 255."""
    through: npt.NDArray[np.float32]
    """The share of what is below that shines through them."""

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        part = self.rows.nbytes + self.columns.nbytes + self.tint.nbytes + self.through.nbytes
        return self.pixels.nbytes + self.solid.nbytes + part


def cut(pixels: Pixels) -> Cut:
    """Return pixels made ready to be laid over others."""
    alpha = np.ascontiguousarray(pixels[..., 3])
    part = np.flatnonzero((alpha - 1) < 254)  # in eight bits, 0 - 1 is 255
    rows, columns = np.divmod(part, alpha.shape[1])
    tint = pixels[rows, columns].astype(np.float32)
    through = (1 - tint[:, 3:] / 255).astype(np.float32)
    tint[:, :3] *= tint[:, 3:] / 255
    return Cut(pixels, alpha == 255, rows, columns, tint, through)


def lay(canvas: Pixels, above: Cut, left: int, top: int, *, opaque: bool) -> None:
    """Paint pixels over a canvas, on which they lie with every pixel, from (left, top) on.

    Nothing of an `opaque` canvas is clear, which is quicker.
    """
    height, width = above.solid.shape
    words = canvas.view(np.uint32)[..., 0]  # a pixel is one number: so they are moved quickest
    np.copyto(words[top : top + height, left : left + width], above.pixels.view(np.uint32)[..., 0], where=above.solid)
    flat = words.reshape(-1)
    places = (above.rows + top) * words.shape[1] + (above.columns + left)
    below = flat[places].view(np.uint8).reshape(-1, 4)
    if opaque:
        mixed = below * above.through
        mixed += above.tint
    else:
        shine = below[:, 3:] * above.through
        alpha = above.tint[:, 3:] + shine
        mixed = np.concatenate(((above.tint[:, :3] * 255 + below[:, :3] * shine) / alpha, alpha), axis=1)
    mixed += 0.5
    flat[places] = mixed.astype(np.uint8).view(np.uint32)[:, 0]


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
