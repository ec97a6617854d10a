"""Encoding: turns pixels into a picture file that every mail client can show, within a limit of bytes."""

import io
import zlib

import numpy as np
from PIL import Image

from wetink.ports import Picture
from wetink.render.compose import Pixels

QUALITIES = (82, 74, 66, 58, 50, 42)
"""JPEG qualities to try in turn. Text stays crisp while color keeps its full resolution (4:4:4)."""
COARSE = (50, 35, 20)
"""Qualities to try after those, with color at half the resolution (4:2:0): only photos need them."""
FULL, HALF = "4:4:4", "4:2:0"
COLORS = (256, 128, 64, 32, 16)
"""Numbers of colors to try in turn for a PNG that is too heavy with all of them."""
MOST_BYTES = 200_000


def jpeg(pixels: Pixels, most: int = MOST_BYTES) -> Picture:
    """Return opaque pixels as a JPEG of at most `most` bytes if possible; alpha is ignored."""
    body = b""
    for quality, color in (*((each, FULL) for each in QUALITIES), *((each, HALF) for each in COARSE)):
        body = turbo(pixels, quality, color)
        if len(body) <= most:
            break
    note = "" if quality == QUALITIES[0] else f"JPEG at quality {quality}, to stay below {_kilo(most)}"
    return Picture(body, "image/jpeg", note=note if len(body) <= most else _heavy(body, most))


def turbo(pixels: Pixels, quality: int, color: str = FULL, restart: int = 0) -> bytes:
    """Return pixels as a JPEG, with a marker after every `restart` blocks of 8 by 8 pixels; 0 sets no markers."""
    body = io.BytesIO()
    height, width, _ = pixels.shape
    # With this mode, Pillow reads the pixels in place, four bytes for each, and ignores the fourth.
    image = Image.frombuffer("RGBX", (width, height), np.ascontiguousarray(pixels), "raw", "RGBX", 0, 1)
    image.save(body, "JPEG", quality=quality, subsampling=color, restart_marker_blocks=restart)
    return body.getvalue()


def png(pixels: Pixels, most: int = MOST_BYTES) -> Picture:
    """Return pixels with their alpha as a PNG of at most `most` bytes if possible, with fewer colors if needed."""
    body = _plain(pixels)
    if len(body) <= most:
        return Picture(body, "image/png")
    image = Image.fromarray(pixels, "RGBA")
    for colors in COLORS:
        fewer = io.BytesIO()
        # Only this way of finding colors considers alpha.
        image.quantize(colors, Image.Quantize.FASTOCTREE).save(fewer, "PNG", compress_level=6)
        body = min(body, fewer.getvalue(), key=len)
        if len(body) <= most:
            return Picture(body, "image/png", note=f"PNG of {colors} colors, to stay below {_kilo(most)}")
    return Picture(body, "image/png", note=_heavy(body, most))


def _plain(pixels: Pixels) -> bytes:
    """Return a PNG of all colors, with each row as its difference to the one above, which compresses quickly."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, width * 4)
    lines = np.empty((height, 1 + width * 4), np.uint8)
    lines[:, 0] = 2  # the filter "up"
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    head = width.to_bytes(4) + height.to_bytes(4) + bytes((8, 6, 0, 0, 0))
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.data, 1)), (b"IEND", b""))
    packed = (len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4) for name, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _kilo(size: int) -> str:
    return f"{size // 1000} KB"


def _heavy(body: bytes, most: int) -> str:
    return f"it weighs {_kilo(len(body))} and cannot be made smaller than {_kilo(most)}: make the block smaller"
