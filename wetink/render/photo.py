"""Photos prepared for the engine: readable, no larger than a picture needs, and a neutral one for a missing photo."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw

from wetink.ports import Picture

LONGEST = 1600
"""Device pixels of the longer side that a photo keeps; a picture is rarely wider."""
MOST_PIXELS = 50_000_000
"""A photo with more is left out: decoding it would take seconds and hundreds of megabytes."""


FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def fitted(body: bytes, box: tuple[int, int] | None = None) -> bytes | None:
    """Return a photo that the engine can draw at once, None if the bytes are not a photo.

    It is just large enough to cover a box of device pixels, and never larger than the original.
    """
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as photo:
            width, height = photo.size  # from the header: nothing is decoded yet
            if width * height > MOST_PIXELS:
                return None
            share = min(1.0, LONGEST / max(width, height))
            if box is not None:
                share = min(share, max(box[0] / width, box[1] / height))
            # Up to twice the needed size, the engine is faster than shrinking the photo first.
            return body if share > 0.5 else _shrunk(photo, share)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _shrunk(photo: Image.Image, share: float) -> bytes:
    size = max(1, round(photo.width * share)), max(1, round(photo.height * share))
    photo.draft("RGB", size)
    clear = photo.has_transparency_data
    small = photo.convert("RGBA" if clear else "RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    kept = io.BytesIO()
    if clear:
        small.save(kept, "PNG", compress_level=1)
    else:  # the engine decodes a JPEG fastest; at this quality nobody sees that it is encoded twice
        small.save(kept, "JPEG", quality=93, subsampling=0)
    return kept.getvalue()


@lru_cache(maxsize=2)
def placeholder(*, dark: bool = False) -> bytes:
    """Return the PNG that replaces a missing photo: gray hills under a sun, to suit any design."""
    side = 480
    sky, far, near = ("#2c303a", "#3d424e", "#484e5c") if dark else ("#eceef1", "#d5d9df", "#c8cdd5")
    drawing = Image.new("RGB", (side, side), sky)
    pen = ImageDraw.Draw(drawing)
    pen.ellipse((272, 168, 320, 216), fill=far)
    pen.polygon(((120, 312), (208, 192), (296, 312)), fill=far)
    pen.polygon(((224, 312), (290, 240), (360, 312)), fill=near)
    kept = io.BytesIO()
    drawing.save(kept, "PNG")
    return kept.getvalue()


def blank() -> Picture:
    """Return a small transparent picture for a place without a block. It suits the background of any email."""
    clear = io.BytesIO()
    Image.new("RGBA", (16, 8), (255, 255, 255, 0)).save(clear, "PNG")
    return Picture(clear.getvalue(), "image/png")
