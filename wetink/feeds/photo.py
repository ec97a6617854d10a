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

    Raises Refused for what is no picture, or one with too many pixels: that is known from its header. It takes up to
    four bytes of memory for each pixel, and nobody knows how long: call it where it can be stopped.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise Refused(f"{width} x {height} pixels are too many")
            see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            mode = "RGBA" if see_through else "RGB"
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is not even decoded larger than that
            picture.load()
            ready = picture if picture.mode == mode else picture.convert(mode)
            ready.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
            upright = ImageOps.exif_transpose(ready)
            out = io.BytesIO()
            if see_through:
                upright.save(out, "PNG", compress_level=4)
            else:
                upright.save(out, "JPEG", quality=QUALITY, subsampling=0)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"not a picture: {error}") from error
