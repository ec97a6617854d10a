"""Body: a request's bytes, gathered and inflated within bounds."""

import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from wetink.core.errors import BadRequest, TooLarge, Unavailable

DRAINED = 16 * 1024 * 1024
"""Bytes of an oversized body that are still read, so that its sender gets to see the answer."""

_GZIP = b"\x1f\x8b"


async def read_body(
    headers: Mapping[bytes, bytes], receive: Callable[[], Awaitable[MutableMapping[str, Any]]], limit: int
) -> bytes:
    """Return a request's body, inflated as `unpacked` does it.

    Raises TooLarge when it has more than `limit` bytes, packed or not; BadRequest when it cannot be inflated.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("the sender hung up")
        part = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > DRAINED:
            break
        if not message.get("more_body", False):
            break
    if size > limit:
        raise TooLarge(f"the body has more than {limit} bytes", hint="send fewer or smaller messages in a request")
    return unpacked(parts[0] if len(parts) == 1 else b"".join(parts), headers.get(b"content-encoding", b""), limit)


def unpacked(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Return a body inflated when it is gzip or zlib, whether or not its `Content-Encoding` says so.

    Raises TooLarge when that has more than `limit` bytes, BadRequest when it cannot be inflated.
    """
    encoding = encoding.strip().lower()
    if body.startswith(_GZIP) or (encoding in (b"gzip", b"x-gzip", b"deflate") and body[:1] not in (b"{", b"")):
        return _inflated(body, limit)
    if encoding not in (b"", b"identity", b"gzip", b"x-gzip", b"deflate"):
        raise BadRequest(f"the encoding {encoding.decode('latin-1')!r} is unknown here", hint="send gzip or plain JSON")
    return body


def _inflated(body: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(wbits=47)
    try:
        plain = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadRequest(f"the body cannot be inflated: {error}", hint="send it as gzip or plain") from error
    if len(plain) > limit:
        raise TooLarge(f"the body has more than {limit} bytes inflated", hint="send fewer messages in a request")
    if not unpacking.eof:
        raise BadRequest("the body's gzip ends too early", hint="send it whole")
    return plain
