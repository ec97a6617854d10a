"""Encoding: pixels into the bytes of a picture that every mail client can show."""

import io

import simplejpeg
from PIL import Image

from wetink.ports import Picture

QUALITY = 82
"""Text stays crisp at this quality as long as color is kept at full resolution (4:4:4)."""


def jpeg(pixels: bytes, width: int, height: int) -> Picture:
    """Return opaque RGBA pixels as a JPEG. `width` and `height` are device pixels; alpha is ignored."""
    rows = memoryview(pixels).cast("B", (height, width, 4))
    return Picture(simplejpeg.encode_jpeg(rows, QUALITY, "RGBA", "444"), "image/jpeg")


def png(body: bytes) -> Picture:
    """Return what the engine encoded as PNG: it keeps alpha, and is faster at it than Pillow at any level."""
    return Picture(body, "image/png")


def blank() -> Picture:
    """Return a small picture of nothing, for places where no block is: clear, so it suits any email."""
    clear = io.BytesIO()
    Image.new("RGBA", (16, 8), (255, 255, 255, 0)).save(clear, "PNG")
    return Picture(clear.getvalue(), "image/png")
