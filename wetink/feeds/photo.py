"""Photo: external bytes that a worker of the sandbox checks, decodes, shrinks and re-encodes."""

import io
import warnings
from collections.abc import Callable

from PIL import Image, ImageOps

from wetink.feeds.guard import Refused
from wetink.sandbox import Lost, Pool

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1_200
QUALITY = 88


def plain(raw: bytes) -> bytes:
    """Return the first frame of a picture as JPEG, or as PNG if it is transparent, at most 1,200 pixels long.

    Raises Refused if it is not a picture, or if its header announces too many pixels. Decoding takes up to four bytes
    for each pixel and may take long, so call it in a process that can be killed.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(raw), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise Refused(f"{width} x {height} pixels are too many")
            see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            mode = "RGBA" if see_through else "RGB"
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # lets Pillow decode a JPEG at a reduced size
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


WORKERS = 1
SECONDS = 4.0
"""Seconds that a photo may take. Most take a twentieth of a second."""
_FINE, _REFUSED = b"+", b"-"


def ready() -> Callable[[bytes], bytes]:
    """Return the function that re-encodes photos."""
    Image.init()
    return _answer


class Decoders:
    """The workers that decode photos."""

    def __init__(self) -> None:
        self.pool = Pool("wetink.feeds.photo", WORKERS)

    async def plain(self, raw: bytes) -> bytes:
        """Return the result of `photo.plain`. Raises Refused, also if it takes too long or too much memory."""
        try:
            reply = await self.pool.ask(raw, SECONDS)
        except Lost as lost:
            raise Refused(f"it cannot be decoded: {lost}") from lost
        if reply[:1] != _FINE:
            raise Refused(reply[1:].decode("utf-8", "replace"))
        return reply[1:]

    def close(self) -> None:
        """End the workers."""
        self.pool.close()


def _answer(raw: bytes) -> bytes:
    try:
        return _FINE + plain(raw)
    except Refused as refused:
        return _REFUSED + str(refused).encode("utf-8", "replace")
