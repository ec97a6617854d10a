"""Body: a request's bytes, gathered and inflated within bounds, or read from the address of a tracking pixel.

    GET /v1/pixel/{track,identify,page,screen,group,alias}?data=BASE64

Source: Segment's Pixel Tracking API.
"""

import base64
import binascii
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

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


PREFIX = "/v1/pixel/"

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def message_in(query: bytes) -> bytes:
    """Return the JSON of a message that stands in `data` of a query, in either alphabet of base64, padded or not.

    What is no JSON object comes as a JSON string: a message of that kind is set aside, and can be read. Its bytes are
    empty where there is no `data`.

    >>> message_in(b"data=eyJ1c2VySWQiOiAidSJ9"), message_in(b"data=no%21"), message_in(b"")
    (b'{"userId": "u"}', b'"no!"', b'')
    """
    data = dict(parse_qsl(query.decode("latin-1"))).get("data", "")
    if not data:
        return b""
    try:
        coded = data.translate(_ALPHABET).rstrip("=")
        raw = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
        _object(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(data)
    return raw


_ALPHABET = str.maketrans({"-": "+", "_": "/", " ": "+", "\n": "", "\r": "", "\t": ""})  # a plus is a blank in a query


def as_batch(raw: bytes, type_: str) -> bytes:
    """Return the body of a batch with the one message, which is of the type its path says unless it says another."""
    try:
        fields: dict[str, Any] = _object(raw)
    except (msgspec.DecodeError, RecursionError):
        return b'{"batch":[%b]}' % raw
    fields.pop("writeKey", None)
    if "type" not in fields:
        fields["type"] = type_
    return msgspec.json.encode({"batch": [fields]})
