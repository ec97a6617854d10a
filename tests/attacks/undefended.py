"""Undefended: workers that decode photos with one defence or more of `wetink.feeds.photo` taken out.

They are told which by a request: `header` is the look at a picture's size before it is decoded, `memory` the bound of
what a request may take.
"""

from collections.abc import Callable

from PIL import Image

from wetink.feeds import photo
from wetink.sandbox import child

WITHOUT = b"without "


def ready() -> Callable[[bytes], bytes]:
    """Return what takes defences out, and else answers as the real workers do."""
    real = photo.ready()

    def answer(raw: bytes) -> bytes:
        if not raw.startswith(WITHOUT):
            return real(raw)
        if b"header" in raw:
            photo.MOST_PIXELS = 1 << 60
            Image.MAX_IMAGE_PIXELS = None
        if b"memory" in raw:
            allow = child.allow
            child.allow = lambda seconds, memory: allow(seconds, max(memory, 1 << 29))
        return b"+"

    return answer
