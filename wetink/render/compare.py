"""Compare: how much two pictures of the same page differ to the eye, and where.

Engines never agree on the rims of letters. So both are blurred first, as by looking from arm's length, and only what is
then clearly of another color counts.
"""

import io

import numpy as np
from PIL import Image, ImageFilter

from wetink.core.errors import BadContent
from wetink.render.compose import Pixels

BLUR = 4
"""Device pixels of the blur, for a picture at twice its size."""
CLEARLY = 24
"""Levels of 255 in some channel from which a color is another one."""


def pixels(body: bytes) -> Pixels:
    """Return the pixels of an encoded picture. Raises BadContent when it is none."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG", "PNG")) as picture:
            return np.asarray(picture.convert("RGBA"))
    except (OSError, ValueError, SyntaxError) as error:
        raise BadContent(f"this is no picture: {error}") from error


def compared(ours: bytes, theirs: bytes) -> tuple[float, bytes]:
    """Return the share of two pictures (0 to 1) in which they look different, and a PNG of where: red on ours."""
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
