"""Films: pictures that follow each other as an animated GIF, within a limit of bytes.

All share one palette. The first picture is complete, as some mail programs show only that one; each later one sends
only the box in which it differs. If that is too heavy, the film loses colors, then sharpness, then pictures.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image

from wetink.render.compose import Pixels
from wetink.render.gif.countdown import stands
from wetink.render.gif.press import Colors, box, extended, none

STEPS = ((1, 256), (1, 128), (2, 256), (2, 128), (2, 64), (3, 64), (3, 32))
"""Factors by which a film is shrunk, and its number of colors, tried in turn."""
SHORTEST, LONGEST = 200, 60_000
"""Milliseconds for each picture: shorter ones flicker, and mail programs slow them down."""
FOR_EVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
SAMPLED = 160_000
"""Pixels, sampled from all pictures, that determine the palette."""

Rows = npt.NDArray[np.uint8]
"""Rows of red, green and blue."""


def film(pictures: Sequence[Pixels], milliseconds: int, most: int, *, loop: bool) -> tuple[bytes, str]:
    """Return pictures of one size, each shown for `milliseconds`, as a GIF of at most `most` bytes if possible.

    Also return a text that names the losses, empty if there are none.
    """
    opaque = [np.ascontiguousarray(picture[..., :3]) for picture in pictures]
    stand = min(max(milliseconds, SHORTEST), LONGEST)
    body, note = b"", ""
    while True:
        for smaller, colors in STEPS:
            if body and len(body) > most * 4 and smaller == 1:
                continue  # fewer colors will not be enough
            body = _encoded([_shrunk(each, smaller) for each in opaque], colors, stand, loop=loop)
            if len(body) <= most:
                notes = [f"GIF of {colors} colors"] if colors < STEPS[0][1] else []
                notes += [f"a {'half' if smaller == 2 else 'third'} of the sharpness"] if smaller > 1 else []
                notes += [note] if note else []
                return body, f"{', '.join(notes)}, to stay below {most // 1000} KB" if notes else ""
        if len(opaque) < 3:
            return body, f"it has {len(body) // 1000} KB and cannot be made smaller: make the block smaller"
        opaque, stand = opaque[::2], min(stand * 2, LONGEST)
        note = f"{len(opaque)} pictures of {len(pictures)}"


def _encoded(pictures: Sequence[Rows], colors: int, milliseconds: int, *, loop: bool) -> bytes:
    palette = _palette(pictures, colors)
    height, width, _ = pictures[0].shape
    whole = np.zeros((256, 3), np.uint8)
    whole[: len(palette)] = palette
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    parts = [b"GIF89a", size, b"\xf7\0\0", whole.tobytes(), FOR_EVER if loop and len(pictures) > 1 else b""]
    delay = round(milliseconds / 10)
    for (left, top, right, bottom), picture, count in _changes(pictures):
        parts += (stands(delay * count), _image(picture[top:bottom, left:right], palette, left, top))
    return b"".join((*parts, b";"))


def _changes(pictures: Sequence[Rows]) -> Iterator[tuple[tuple[int, int, int, int], Rows, int]]:
    """Yield the box in which each picture differs from the one before it, the picture, and its number of turns."""
    height, width, _ = pictures[0].shape
    shown, where, count = pictures[0], (0, 0, width, height), 1
    for picture in pictures[1:]:
        differs = box((picture != shown).any(axis=2))
        if differs is None:
            count += 1
            continue
        yield where, shown, count
        shown, where, count = picture, differs, 1
    yield where, shown, count


def _palette(pictures: Sequence[Rows], colors: int) -> Colors:
    pixels = sum(picture.shape[0] * picture.shape[1] for picture in pictures)
    step = max(1, math.isqrt(pixels // SAMPLED))
    return extended(none(), [picture[::step, ::step] for picture in pictures], colors)


def _image(pixels: Rows, palette: Colors, left: int, top: int) -> bytes:
    """Return the image of a part of a picture: its place, and its pixels, with errors spread to their neighbors."""
    colors = Image.new("P", (1, 1))
    colors.putpalette(palette.tobytes())
    drawn = Image.fromarray(pixels, "RGB").quantize(palette=colors, dither=Image.Dither.FLOYDSTEINBERG)
    return b"".join(GifImagePlugin.getdata(drawn, (left, top)))


def _shrunk(picture: Rows, times: int) -> Rows:
    if times == 1:
        return picture
    height, width, _ = picture.shape
    size = max(1, width // times), max(1, height // times)
    return np.asarray(Image.fromarray(picture, "RGB").resize(size, Image.Resampling.BOX))
