"""Composing and comparing pixels: arrays of rows of RGBA, eight bits each, alpha not multiplied in."""

import io
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from wetink.core.errors import BadContent

Pixels: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

BLUR, CLEARLY = 4, 24
"""Device pixels by which two engines' pictures are blurred before the comparison, because engines never agree on the
edges of letters; and levels of 255 in any channel from which a color counts as different."""


class Cut(msgspec.Struct, frozen=True):
    """Pixels prepared for pasting over others: only the visible ones, with the places (row, column) of each."""

    block: Pixels
    """The longest run of whole rows that hide the pixels below; it begins at row `first`."""
    first: int
    solid: npt.NDArray[np.uint32]
    """The other pixels that hide those below, each as one number."""
    solid_at: Places
    tint: npt.NDArray[np.float32]
    """Pixels that tint those below, the edges of letters and shadows: premultiplied colors, and alpha."""
    tint_at: Places
    through: npt.NDArray[np.float32]
    """The share of the pixels below that shines through them."""

    @property
    def nbytes(self) -> int:
        """The bytes of memory it takes."""
        places = sum(places.nbytes for places in (*self.solid_at, *self.tint_at))
        return self.block.nbytes + self.solid.nbytes + self.tint.nbytes + self.through.nbytes + places


def cut(pixels: Pixels) -> Cut:
    """Return pixels prepared for pasting over others."""
    alpha = np.ascontiguousarray(pixels[..., 3])
    words, width = np.ascontiguousarray(pixels).view(np.uint32).reshape(-1), alpha.shape[1]
    solid = alpha == 255
    edges = np.flatnonzero(np.diff(solid.all(axis=1), prepend=False, append=False)).tolist()
    stretches = zip(edges[::2], edges[1::2], strict=True)  # from the first row of each to the one after its last
    first, after = max(stretches, key=lambda rows: rows[1] - rows[0], default=(0, 0))
    solid[first:after] = False
    rest = np.flatnonzero(solid)
    part = np.flatnonzero((alpha - 1) < 254)  # in eight bits, 0 - 1 is 255
    tint = words[part].view(np.uint8).reshape(-1, 4).astype(np.float32)
    share = tint[:, 3:] / np.float32(255)
    tint[:, :3] *= share
    places = np.divmod(rest, width), np.divmod(part, width)
    return Cut(pixels[first:after].copy(), first, words[rest], places[0], tint, places[1], 1 - share)


def lay(canvas: Pixels, above: Cut, left: int, top: int, *, opaque: bool) -> None:
    """Paint pixels over a canvas, from (left, top) on. All of them must lie inside the canvas.

    An `opaque` canvas has no transparent pixels, which makes this faster.
    """
    height, width, _ = above.block.shape
    canvas[top + above.first : top + above.first + height, left : left + width] = above.block
    words = canvas.view(np.uint32).reshape(-1)  # each pixel is one number, which is the fastest to move
    across = canvas.shape[1]
    words[(above.solid_at[0] + top) * across + (above.solid_at[1] + left)] = above.solid
    places = (above.tint_at[0] + top) * across + (above.tint_at[1] + left)
    below = words[places].view(np.uint8).reshape(-1, 4)
    if opaque:
        mixed = below * above.through
        mixed += above.tint
    else:
        shine = below[:, 3:] * above.through
        alpha = above.tint[:, 3:] + shine
        mixed = np.concatenate(((above.tint[:, :3] * 255 + below[:, :3] * shine) / alpha, alpha), axis=1)
    mixed += 0.5
    words[places] = mixed.astype(np.uint8).view(np.uint32)[:, 0]


def window(pixels: npt.NDArray[Any], left: int, top: int, width: int, height: int) -> npt.NDArray[Any]:
    """Return the part of a picture inside a box. The box may reach beyond the picture's edges."""
    return pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]


def pixels(body: bytes) -> Pixels:
    """Return the pixels of an encoded picture. Raises BadContent if the bytes are not a picture."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG", "PNG")) as picture:
            return np.asarray(picture.convert("RGBA"))
    except (OSError, ValueError, SyntaxError) as error:
        raise BadContent(f"this is not a picture: {error}") from error


def compared(ours: bytes, theirs: bytes) -> tuple[float, bytes]:
    """Return the share (0 to 1) in which two pictures look different, and a PNG that marks it in red on ours."""
    mine, other = (Image.fromarray(pixels(body), "RGBA") for body in (ours, theirs))
    if mine.size != other.size:
        raise BadContent(f"the pictures differ in size: {mine.size} and {other.size}")
    grounds = [Image.new("RGBA", mine.size, "#8a8f99") for _ in range(2)]
    flat = [Image.alpha_composite(ground, each) for ground, each in zip(grounds, (mine, other), strict=True)]
    soft = [np.asarray(each.convert("RGB").filter(ImageFilter.BoxBlur(BLUR)), np.int16) for each in flat]
    apart = np.abs(soft[0] - soft[1]).max(axis=2)
    pale = np.asarray(flat[0].convert("L").convert("RGB"), np.float32) * 0.35 + 165
    red = np.array([214.0, 40.0, 57.0], np.float32)
    strength = np.clip((apart[..., None] - CLEARLY / 2) / 60, 0, 1).astype(np.float32)
    shown = Image.fromarray((pale * (1 - strength) + red * strength).astype(np.uint8), "RGB")
    body = io.BytesIO()
    shown.save(body, "PNG", compress_level=3)
    return float((apart > CLEARLY).mean()), body.getvalue()
