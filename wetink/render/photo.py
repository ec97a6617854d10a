"""Photos made fit for the engine: readable, not larger than a picture needs, and something neutral in place of none."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw

LONGEST = 1600
"""Device pixels of the longer side that a photo keeps; a picture is rarely wider."""
MOST_PIXELS = 50_000_000
"""A photo with more is left out: decoding it would take seconds and hundreds of megabytes."""


FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def fitted(body: bytes) -> bytes | None:
    """Return a photo the engine can draw at once, None when it is no photo. Large ones are made smaller."""
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as photo:  # reads the header only
            width, height = photo.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if width * height > MOST_PIXELS:
        return None
    return body if max(width, height) <= LONGEST else _shrunk(body)


@lru_cache(maxsize=16)
def _shrunk(body: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as photo:
            photo.draft("RGB", (LONGEST, LONGEST))
            small = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
            small.thumbnail((LONGEST, LONGEST))
            kept = io.BytesIO()
            small.save(kept, "PNG" if small.mode == "RGBA" else "JPEG", quality=90)
            return kept.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


@lru_cache(maxsize=1)
def placeholder() -> bytes:
    """Return the PNG that stands where a photo is missing: quiet hills under a sun, at home in any design."""
    side = 480
    drawing = Image.new("RGB", (side, side), "#eceef1")
    pen = ImageDraw.Draw(drawing)
    pen.ellipse((272, 168, 320, 216), fill="#d5d9df")
    pen.polygon(((120, 312), (208, 192), (296, 312)), fill="#d5d9df")
    pen.polygon(((224, 312), (290, 240), (360, 312)), fill="#c8cdd5")
    kept = io.BytesIO()
    drawing.save(kept, "PNG")
    return kept.getvalue()
