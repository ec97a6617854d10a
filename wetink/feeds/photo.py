"""Photo: bytes from outside, checked before they are decoded, and made small and plain."""

import io
import warnings

from PIL import Image, ImageOps

from wetink.feeds.guard import Refused

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1_200
QUALITY = 88


def plain(raw: bytes) -> bytes:
    """Return the first frame of a picture as JPEG, or as PNG where it is transparent, at most 1,200 pixels long.

    Raises Refused for what is no picture, or one with too many pixels: that is known from its header.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise Refused(f"{width} x {height} pixels are too many")
            if picture.format == "JPEG":
                picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture)
            see_through = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
            ready = upright.convert("RGBA" if see_through else "RGB")
            ready.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
            out = io.BytesIO()
            if see_through:
                ready.save(out, "PNG", compress_level=4)
            else:
                ready.save(out, "JPEG", quality=QUALITY, subsampling=0)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, MemoryError) as error:
        raise Refused(f"no picture: {error}") from error
