"""Encoding: pixels into the bytes of a picture that every mail client can show."""

import io
import zlib

import numpy as np
import simplejpeg
from PIL import Image

from wetink.ports import Picture
from wetink.render.compose import Pixels

QUALITIES = (82, 70, 55)
"""Tried in turn. Text stays crisp at the first as long as color is kept at full resolution (4:4:4)."""
MOST_BYTES = 200_000
"""Weight of a JPEG over which it is encoded at the next lower quality: mail on a phone should not wait for it."""


def jpeg(pixels: Pixels) -> Picture:
    """Return opaque pixels as a JPEG; alpha is ignored."""
    body = b""
    for quality in QUALITIES:
        body = simplejpeg.encode_jpeg(pixels, quality, "RGBA", "444")
        if len(body) <= MOST_BYTES:
            break
    return Picture(body, "image/jpeg")


def png(pixels: Pixels) -> Picture:
    """Return pixels as a PNG, with their alpha; each row as its difference to the one above, which packs quickly."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, width * 4)
    lines = np.empty((height, 1 + width * 4), np.uint8)
    lines[:, 0] = 2  # the filter "up"
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    head = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 6, 0, 0, 0))
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.data, 1)), (b"IEND", b""))
    packed = (len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4) for name, body in chunks)
    return Picture(b"\x89PNG\r\n\x1a\n" + b"".join(packed), "image/png")


def blank() -> Picture:
    """Return a small picture of nothing, for places where no block is: clear, so it suits any email."""
    clear = io.BytesIO()
    Image.new("RGBA", (16, 8), (255, 255, 255, 0)).save(clear, "PNG")
    return Picture(clear.getvalue(), "image/png")
