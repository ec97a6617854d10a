"""Pictures: the limits and the digests of last pictures, as all engines store them."""

from hashlib import blake2b

import msgspec

from wetink.ports import Picture
from wetink.ports.ledger import Place

MOST_BYTES = 256 << 20
"""Bytes that all last pictures may take."""
MOST_WAITING = 500
"""Pictures that wait to be written. Of more in half a second, only these survive a restart."""

_pack = msgspec.msgpack.Encoder().encode


def digest_of(picture: Picture) -> bytes:
    """Return the digest that names a picture."""
    return blake2b(picture.body, digest_size=16).digest()


def digests_of(place: Place) -> tuple[bytes, bytes]:
    """Return the digests of a picture's recipient and of its place: 128 bits separate people."""
    return tuple(blake2b(_pack(each), digest_size=16).digest() for each in (place[2], place))  # type: ignore[return-value]
