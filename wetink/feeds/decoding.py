"""Decoding: photos from outside made small and plain, by a worker of the sandbox."""

from collections.abc import Callable

from PIL import Image

from wetink.feeds.guard import Refused
from wetink.feeds.photo import plain
from wetink.sandbox import Lost, Pool

WORKERS = 1
SECONDS = 4.0
"""How long a photo may take. Most take a twentieth of a second."""
_FINE, _REFUSED = b"+", b"-"


def ready() -> Callable[[bytes], bytes]:
    """Return what makes photos plain."""
    Image.init()
    return _answer


class Decoders:
    """The workers that decode photos."""

    def __init__(self) -> None:
        """Begin with none."""
        self.pool = Pool("wetink.feeds.decoding", WORKERS)

    async def plain(self, raw: bytes) -> bytes:
        """Return what `photo.plain` makes of it. Raises Refused, also when that takes too long or too much memory."""
        try:
            said = await self.pool.ask(raw, SECONDS)
        except Lost as lost:
            raise Refused(f"it cannot be decoded: {lost}") from lost
        if said[:1] != _FINE:
            raise Refused(said[1:].decode("utf-8", "replace"))
        return said[1:]

    def close(self) -> None:
        """End them."""
        self.pool.close()


def _answer(raw: bytes) -> bytes:
    try:
        return _FINE + plain(raw)
    except Refused as refused:
        return _REFUSED + str(refused).encode("utf-8", "replace")
