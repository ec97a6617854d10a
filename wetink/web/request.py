"""Request: requests and answers of endpoints, bodies within limits, errors, and a cache of recent answers.

A request is the same by ASGI and by the short way (`web.protocol`). Messages also come in the URL of a tracking pixel:
GET /v1/pixel/{track,identify,page,screen,group,alias}?data=BASE64 (Segment's Pixel Tracking API).

Clients drop data for good on most 4xx. So 400 is only for unreadable or oversized bodies, 401 only for a key that is
certainly unknown. If the server cannot know or cannot store, it answers 503 with Retry-After.
"""

import base64
import binascii
import logging
import re
import time
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from wetink.content.content import Content
from wetink.core.errors import (
    BadContent,
    BadRequest,
    BadSettings,
    Conflict,
    Forbidden,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    WetinkError,
    log_error,
)
from wetink.opens.lookup import Lookup
from wetink.ports.drawing import Served

logger = logging.getLogger(__name__)
_SLASHES = re.compile("//+")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


def now_ms() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


LONGEST_PARAMETER, MOST_PARAMETERS, LONGEST_NAME = 256, 32, 64


class OpenRequest(msgspec.Struct, frozen=True, gc=False):
    """A request. Names of headers are in lower case; of several, the last counts, which the nearest proxy added.

    `client` is an IP address, empty if unknown.
    """

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    client: str

    @property
    def head(self) -> bool:
        """Whether this is a HEAD request: nobody will see the body."""
        return self.method == "HEAD"

    def header(self, name: bytes) -> str:
        """Return a header's value, empty without one."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def key(self) -> Hashable:
        """What tells this request from others."""
        return self.method, self.path, self.query, tuple(self.headers.items()), self.client

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the query."""
        return dict(parse_qsl(self.query.decode("latin-1"), errors="replace")) if self.query else {}


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer. `served` is the count of a picture, made each time it is sent.

    `stopgap` means that an error occurred and this replaces the real answer.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes
    served: Served | None = None
    stopgap: bool = False


def from_scope(scope: Scope) -> OpenRequest:
    """Return the request of an ASGI scope."""
    client = scope.get("client")
    path, query, headers = scope["path"], scope["query_string"], dict(scope["headers"])
    return OpenRequest(scope["method"], path, query, headers, client[0] if client else "")


async def reply_with(send: Send, reply: Reply, *, head: bool) -> None:
    """Send an answer, without the body if `head` is set."""
    length = () if reply.status == 204 else ((b"content-length", b"%d" % len(reply.body)),)
    await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, *length]})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


def parameters_of(query: dict[str, str]) -> dict[str, str]:
    """Return the query's parameters for rules, without those that identify the recipient, and within limits."""
    if not query:
        return {}
    kept = [(name, value[:LONGEST_PARAMETER]) for name, value in query.items() if name not in ("user", "email")]
    return {name: value for name, value in kept[:MOST_PARAMETERS] if len(name) <= LONGEST_NAME}


DRAINED = 16 * 1024 * 1024
"""Bytes of an oversized body that are still read, so that its sender sees the answer."""

_GZIP = b"\x1f\x8b"


async def read_body(
    headers: Mapping[bytes, bytes], receive: Callable[[], Awaitable[MutableMapping[str, Any]]], limit: int
) -> bytes:
    """Return a request's body, inflated as by `unpacked`.

    Raises TooLarge over `limit` bytes, packed or not, BadRequest if it cannot be inflated, and Unavailable if the
    sender hangs up.
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


def single_slashes(path: str) -> str:
    """Return a path without empty parts: SDKs append theirs to a host that may end with a slash."""
    return _SLASHES.sub("/", path) if "//" in path else path


def unpacked(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Return a body, inflated if it is gzip or zlib, whatever its `Content-Encoding` is.

    Raises TooLarge over `limit` bytes, BadRequest if it cannot be inflated.
    """
    encoding = encoding.strip().lower()
    if body.startswith(_GZIP) or (encoding in (b"gzip", b"x-gzip", b"deflate") and body[:1] not in (b"{", b"")):
        return _inflated(body, limit, raw=encoding == b"deflate" and not body.startswith(_GZIP))
    if encoding not in (b"", b"identity", b"gzip", b"x-gzip", b"deflate"):
        raise BadRequest(f"the encoding {encoding.decode('latin-1')!r} is unknown here", hint="send gzip or plain JSON")
    return body


def _inflated(body: bytes, limit: int, *, raw: bool) -> bytes:
    """Return an inflated body. With `raw`, it may lack zlib's header, as many libraries send `deflate`."""
    try:
        unpacking = zlib.decompressobj(wbits=47)
        plain = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        try:
            unpacking = zlib.decompressobj(wbits=-15)
            plain = unpacking.decompress(body if raw else b"", limit + 1)
        except zlib.error:
            plain = b""
        if not plain:
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
    """Return a message's JSON from `data` in a query, in either alphabet of Base64, padded or not.

    Anything but a JSON object is returned as a JSON string: such a message is set aside and can be inspected. Without
    `data`, the result is empty.

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


_ALPHABET = str.maketrans({"-": "+", "_": "/", " ": "+", "\n": "", "\r": "", "\t": ""})  # a query reads + as a space


def as_batch(raw: bytes, type_: str) -> bytes:
    """Return the body of a batch with this one message. A message without a type gets `type_`, the type in its path."""
    try:
        fields: dict[str, Any] = _object(raw)
    except (msgspec.DecodeError, RecursionError):
        return b'{"batch":[%b]}' % raw
    fields.pop("writeKey", None)
    if "type" not in fields:
        fields["type"] = type_
    return msgspec.json.encode({"batch": [fields]})


STATUS: dict[type[WetinkError], int] = {
    BadRequest: 400,
    BadContent: 400,
    BadSettings: 400,
    Unauthorized: 401,
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    TooManyRequests: 429,
    Unavailable: 503,
}
"""Status by error class. A class that is missing has its parent's."""

RETRY_AFTER_SECONDS = 2


def status_of(error: WetinkError) -> int:
    """Return the status of an error's answer."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 503)


def body_of(error: WetinkError) -> bytes:
    """Return an error as JSON. `code` and `message` are also at the top, where Segment's Python SDK reads them."""
    named = {"code": error.code, "message": str(error)}
    details = {**named, "hint": error.hint, "where": error.where}
    return msgspec.json.encode({**named, "error": {name: value for name, value in details.items() if value}})


TTL_MS = 2_000
"""Time that an answer may be reused, in milliseconds. Parts that depend on time alone are at most this old."""
MOST_ANSWERS, MOST_BYTES = 1_024, 32 << 20


class ResponseCache:
    """Recent answers by request, each with the content and the lookup that it was made from."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Content, Lookup, int, Reply]] = OrderedDict()
        self._bytes = 0
        self._last_seen: dict[str, int] = {}

    def seen_before(self, path: str, now: int) -> bool:
        """Note a request for this path at `now` (Unix ms). Returns whether there was another one shortly before."""
        last = self._last_seen.get(path)
        if len(self._last_seen) >= MOST_ANSWERS:
            self._last_seen.clear()
        self._last_seen[path] = now
        return last is not None and 0 <= now - last < TTL_MS

    async def standing(self, request: Hashable, content: Content, now: int) -> Reply | None:
        """Return a recent answer if the store's answers are the same at `now` (Unix ms); else None. Never raises."""
        cached = self._kept.get(request)
        if cached is None or cached[0] is not content or not 0 <= now - cached[2] < TTL_MS:
            return None
        try:
            return cached[3] if await cached[1].stands(now) else None
        except Exception as error:  # the open is answered without the cache
            log_error(logger, error, "the store cannot say whether an answer still stands")
            return None

    def put(self, request: Hashable, content: Content, look: Lookup, now: int, reply: Reply) -> None:
        """Store an answer. The oldest ones go first."""
        old = self._kept.pop(request, None)
        self._bytes += len(reply.body) - (len(old[3].body) if old is not None else 0)
        self._kept[request] = content, look, now, reply
        while self._bytes > MOST_BYTES or len(self._kept) > MOST_ANSWERS:
            self._bytes -= len(self._kept.popitem(last=False)[1][3].body)
