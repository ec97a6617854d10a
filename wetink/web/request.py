"""Request: what an endpoint is asked and what it answers: bodies within bounds, errors, and recently given answers.

A request is the same whether it comes by ASGI or the short way (`web.protocol`). Messages also come in the address of a
tracking pixel: GET /v1/pixel/{track,identify,page,screen,group,alias}?data=BASE64 (Segment's Pixel Tracking API).

Clients drop data for good on most 4xx: 400 is for what cannot be read or is too large, 401 for a key that is certainly
unknown, and 503 with Retry-After for whenever we cannot know or cannot store.
"""

import base64
import binascii
import logging
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

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


def now_ms() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


LONGEST_PARAMETER, MOST_PARAMETERS, LONGEST_NAME = 256, 32, 64


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request. Names of headers are in lower case; `client` is an IP address, empty when it is not known."""

    method: str
    path: str
    query: bytes
    headers: tuple[Header, ...]
    client: str

    @property
    def head(self) -> bool:
        """Whether only the headers are wanted: then nobody looks at what would come with them."""
        return self.method == "HEAD"

    def header(self, name: bytes) -> bytes:
        """Return a header, empty for none of this name; of several the last, which the nearest proxy added."""
        found = b""
        for each, value in self.headers:
            if each == name:
                found = value
        return found

    def parameters(self) -> dict[str, str]:
        """Return what stands after the question mark."""
        return dict(parse_qsl(self.query.decode("latin-1"), errors="replace")) if self.query else {}


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer. `served` is what a picture counts as whenever it is sent.

    `stopgap`: something went wrong, and this stands in for the answer.
    """

    status: int
    headers: tuple[Header, ...]
    body: bytes
    served: Served | None = None
    stopgap: bool = False


def of_scope(scope: Scope) -> Asked:
    """Return the request of an ASGI scope."""
    client = scope.get("client")
    headers = tuple(map(tuple, scope["headers"]))
    return Asked(scope["method"], scope["path"], scope["query_string"], headers, client[0] if client else "")


async def reply_with(send: Send, reply: Reply, *, head: bool) -> None:
    """Send an answer, the headers alone to who wants no more."""
    length = () if reply.status == 204 else ((b"content-length", b"%d" % len(reply.body)),)
    await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, *length]})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


def parameters_of(query: dict[str, str]) -> dict[str, str]:
    """Return what an address says beyond what names the reader, as far as rules may ask for it."""
    if not query:
        return {}
    kept = [(name, value[:LONGEST_PARAMETER]) for name, value in query.items() if name not in ("user", "email")]
    return {name: value for name, value in kept[:MOST_PARAMETERS] if len(name) <= LONGEST_NAME}


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
"""Error class -> status; a class that does not stand here has its parent's."""

RETRY_AFTER_SECONDS = 2


def status_of(error: WetinkError) -> int:
    """Return the status of an error's answer."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 503)


def body_of(error: WetinkError) -> bytes:
    """Return an error as JSON. `code` and `message` stand at the top as well: Segment's Python SDK reads them there."""
    told = {"code": error.code, "message": str(error)}
    details = {**told, "hint": error.hint, "where": error.where}
    return msgspec.json.encode({**told, "error": {name: value for name, value in details.items() if value}})


TTL_MS = 2_000
"""How long an answer may be given again: what depends on the time alone is no older."""
MOST_ANSWERS, MOST_BYTES = 1_024, 32 << 20


class Again:
    """Answers by all that was asked, with the content and the lookup they were made of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Content, Lookup, int, Reply]] = OrderedDict()
        self._bytes = 0
        self._asked: dict[str, int] = {}

    def asked_before(self, path: str, now: int) -> bool:
        """Return whether anybody has asked for this path a moment ago, and note that somebody has now (Unix ms)."""
        last = self._asked.get(path)
        if len(self._asked) >= MOST_ANSWERS:
            self._asked.clear()
        self._asked[path] = now
        return last is not None and 0 <= now - last < TTL_MS

    async def standing(self, asked: Hashable, content: Content, now: int) -> Reply | None:
        """Return the answer of a moment before `now` (Unix ms) if the store still says the same. Never raises."""
        kept = self._kept.get(asked)
        if kept is None or kept[0] is not content or not 0 <= now - kept[2] < TTL_MS:
            return None
        try:
            return kept[3] if await kept[1].stands(now) else None
        except Exception as error:  # an open is answered all the same
            log_error(logger, error, "the store cannot say whether an answer still stands")
            return None

    def put(self, asked: Hashable, content: Content, look: Lookup, now: int, reply: Reply) -> None:
        """Keep an answer; those kept longest go first."""
        old = self._kept.pop(asked, None)
        self._bytes += len(reply.body) - (len(old[3].body) if old is not None else 0)
        self._kept[asked] = content, look, now, reply
        while self._bytes > MOST_BYTES or len(self._kept) > MOST_ANSWERS:
            self._bytes -= len(self._kept.popitem(last=False)[1][3].body)
