"""Ingest endpoints, a plain ASGI callable: Segment's Tracking API, RudderStack's dialect of it, and Movable Ink's.

    POST /v1/{track,identify,page,screen,group,alias} and /v1/{t,i,p,s,g,a}    one message
    POST /v1/{batch,import,b} and /beacon/v1/batch                             {"batch": […]}
    POST /behavioral/{key}                                                     one message, or {"events": […]}
    GET  /v1/pixel/{track,identify,…}?data=BASE64                              one message, in the URL of an image
    GET  /v1/projects/…, /projects/…, /sourceConfig/ and /analytics.js/…       what SDKs load first (`web.sdk`)

Bodies are JSON whatever their content type is. Sources: Segment's HTTP Tracking API; recordings in tests/wire.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from wetink.core.errors import BadRequest, NotFound, TooManyRequests, Unauthorized, Unavailable, WetinkError
from wetink.core.events.event import MessageType
from wetink.ingest.receive import BATCH, BEHAVIORAL, Endpoint, Ingest, OnResult, write_key
from wetink.ports import Senders, Source
from wetink.telemetry.request import current_id
from wetink.web import sdk
from wetink.web.protocol import Header, Respond, Take
from wetink.web.rates import Rates
from wetink.web.request import (
    GIF,
    PREFIX,
    RETRY_AFTER_SECONDS,
    as_batch,
    body_of,
    message_in,
    now_ms,
    read_body,
    single_slashes,
    status_of,
    unpacked,
)

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TYPES: tuple[MessageType, ...] = ("track", "identify", "page", "screen", "group", "alias")
ENDPOINTS: dict[str, Endpoint] = {
    **{f"/v1/{name}": Endpoint(type=name) for name in _TYPES},
    **{f"/v1/{name[0]}": Endpoint(type=name) for name in _TYPES},
    "/v1/batch": BATCH,
    "/v1/b": BATCH,
    "/v1/import": BATCH,
    "/beacon/v1/batch": BATCH,
}
"""Endpoints by path."""

_SINGLE = {path.encode(): endpoint for path, endpoint in ENDPOINTS.items() if not endpoint.several}

KEY_MS = 1_000
"""Time that a write key is trusted without another lookup, in milliseconds."""

OLD_KEY_MS = 60_000
"""Interval between two notes that an old key is in use, in milliseconds."""

KNOWN_KEYS = 1_024
PICTURE: tuple[Header, ...] = ((b"content-type", b"image/gif"), (b"cache-control", b"no-store, max-age=0"))
SUCCESS = b'{"success":true}'
JSON: Header = (b"content-type", b"application/json")
TAKEN: tuple[int, bytes, tuple[Header, ...]] = (200, SUCCESS, (JSON,))
"""The answer to a body that is on disk: status, body, headers."""


class IngestEndpoints:
    """Answers all requests of SDKs and other senders."""

    PATHS = ("/v1/", "/behavioral/", "/sourceConfig", "/beacon/", "/projects/", "/analytics.js/")
    """Prefixes of the paths that these endpoints answer."""

    def __init__(
        self, sources: Senders, ingest: Ingest, clock: Callable[[], int] = now_ms, rates: Rates | None = None
    ) -> None:
        """Look keys up in `sources` and pass bodies to `ingest`. `clock` returns Unix ms. `rates` limits sources."""
        self._sources, self._ingest, self._clock = sources, ingest, clock
        self._rates = rates or Rates()
        self._keys: dict[str, tuple[int, Source]] = {}
        self._old: dict[str, int] = {}  # last note of an old key in use, by source
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. An error becomes an answer."""
        headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS":
            await _answer(send, 204, b"", _cors(headers, preflight=True))
            return
        more = _cors(headers)
        try:
            status, body, own = await self._answered(scope, headers, receive)
        except Exception as error:
            status, body, own = _refused(error)
        except asyncio.CancelledError:  # this process ends before the body is complete; the sender tries again
            status, body, own = _refused(Unavailable("this server is ending", hint="send it again"))
        await _answer(send, status, b"" if scope["method"] == "HEAD" else body, (*own, *more), len(body))

    def fast_path(self, target: bytes, headers: Sequence[Header]) -> Take | None:
        """Return the callable that takes a POST the short way (see `web.protocol`), None for the long way.

        The short way takes a single plain message with a key in its head.
        """
        endpoint = _SINGLE.get(target)
        if endpoint is None:
            return None
        key, length = "", -1
        origin: tuple[Header, ...] = ()
        for name, value in headers:
            if name == b"content-length":
                length = int(value)
            elif name == b"authorization":
                key = _basic(value)[0].strip()
            elif name == b"origin":
                origin = ((name, value),)
            elif name == b"content-encoding":
                return None
        if not key or not 0 < length <= endpoint.body_bytes:
            return None
        return partial(self._take, key, endpoint, _cors(dict(origin)))

    def _take(self, key: str, endpoint: Endpoint, more: tuple[Header, ...], body: bytes, respond: Respond) -> None:
        def finish(outcome: Sequence[bool] | Exception) -> None:
            status, payload, own = _refused(outcome) if isinstance(outcome, Exception) else TAKEN
            respond(status, (*own, *more), payload)

        try:
            body = unpacked(body, b"", endpoint.body_bytes)
            source = self._kept(key)
            if source is None:
                self._in_background(self._look_up_and_take(key, endpoint, body, finish))
            else:
                self._pass_on(source, endpoint, body, finish)
        except Exception as error:
            finish(error)

    async def _look_up_and_take(self, key: str, endpoint: Endpoint, body: bytes, finish: OnResult) -> None:
        try:
            self._pass_on(await self._known(key), endpoint, body, finish)
        except Exception as error:
            finish(error)

    def _pass_on(self, source: Source, endpoint: Endpoint, body: bytes, finish: OnResult) -> None:
        now = self._clock()
        if source.per_second:
            self._rates.admit(source, now)
        self._ingest.take(body, source, endpoint, now, finish)

    async def _answered(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes, tuple[Header, ...]]:
        path, method = scope["path"], scope["method"]
        path = single_slashes(path)
        if len(path) > 1:
            path = path.rstrip("/")
        if path.startswith("/behavioral/"):
            return await self._behavioral(path, method, headers, receive)
        endpoint = ENDPOINTS.get(path)
        if endpoint is not None:
            if method != "POST":
                return _wrong_method("POST")
            body = await read_body(headers, receive, endpoint.body_bytes)
            source = await self._source(scope, headers, body)
            await self._receive(body, source, endpoint)
            return TAKEN
        if path.startswith(PREFIX) and path.removeprefix(PREFIX) in _TYPES:
            return await self._pixel(path.removeprefix(PREFIX), scope, headers)
        if sdk.asks(path):
            if method not in ("GET", "HEAD"):
                return _wrong_method("GET, HEAD")
            key = sdk.key_in(path) or _key_beside_the_body(scope, headers)
            return 200, *sdk.answer(path, key, await self._known(key), scope, headers)
        raise NotFound(
            f"there is no endpoint at {path[:80]}", hint="post to /v1/batch, /v1/track, … or /behavioral/{key}"
        )

    async def _pixel(
        self, type_: str, scope: Scope, headers: dict[bytes, bytes]
    ) -> tuple[int, bytes, tuple[Header, ...]]:
        if scope["method"] not in ("GET", "HEAD"):
            return _wrong_method("GET, HEAD")
        raw = message_in(scope["query_string"])
        key = _key_beside_the_body(scope, headers)
        source = await self._known(key or (write_key(raw) if raw.startswith(b"{") else ""))
        if raw and scope["method"] == "GET":
            await self._ingest.receive(as_batch(raw, type_), source, BATCH, self._clock())
        return 200, GIF, PICTURE

    async def _behavioral(
        self, path: str, method: str, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes, tuple[Header, ...]]:
        path_key = path.removeprefix("/behavioral/")
        if not await self._sources.knows_path(path_key):
            body = msgspec.json.encode({"message": "Behavioral endpoint key not found", "request_id": current_id()})
            return 404, body, (JSON,)
        if method != "POST":
            return _wrong_method("POST")
        access_key, secret = _basic(headers.get(b"authorization", b""))
        source = await self._sources.source_of_access_key(path_key, access_key, secret)
        if source is None:
            raise Unauthorized(
                "access key and secret do not belong to this path",
                hint="send them as Basic `access key:secret`, as `wetink keys create` showed them",
            )
        if source.rotated and await self._sources.is_old_key(secret):
            self._note_old(source)
        raw = await read_body(headers, receive, BEHAVIORAL.body_bytes)
        await self._receive(raw, source, BEHAVIORAL)
        return TAKEN

    async def _receive(self, body: bytes, source: Source, endpoint: Endpoint) -> None:
        if source.per_second:
            self._rates.admit(source, self._clock())
        duplicates = await self._ingest.receive(body, source, endpoint, self._clock())
        if source.per_second:
            self._rates.charge(source, len(duplicates) - 1, self._clock())

    def _note_old(self, source: Source) -> None:
        """Note that an old key is in use, once a minute and in the background."""
        now = self._clock()
        if now - self._old.get(source.name, -OLD_KEY_MS) < OLD_KEY_MS:
            return
        self._old[source.name] = now
        self._in_background(self._noted(source.name, now))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _noted(self, name: str, now: int) -> None:
        try:
            await self._sources.old_key_used(name, now)
        except WetinkError as error:
            logger.warning("that the old key of a source was used is not noted: %s", error)

    async def _source(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Source:
        return await self._known(_key_beside_the_body(scope, headers) or write_key(body))

    async def _known(self, key: str) -> Source:
        """Return the source of a write key. Raises Unauthorized if the key is certainly unknown."""
        kept = self._kept(key)
        if kept is not None:
            return kept
        try:
            source = await self._sources.source_of_write_key(key) if key else None
        except Unavailable:
            if key not in self._keys:
                raise
            return self._keys[key][1]  # messages may go to a stream while the store is away
        if source is None:
            said = "this write key is unknown" if key else "there is no write key"
            raise Unauthorized(said, hint="send one that `wetink keys create` made, in Basic, the body or the query")
        if source.rotated and await self._sources.is_old_key(key):
            self._note_old(source)
        if len(self._keys) >= KNOWN_KEYS:
            self._keys.clear()
        self._keys[key] = (self._clock(), source)
        return source

    def _kept(self, key: str) -> Source | None:
        """Return the source of a write key if it was looked up recently; else None."""
        kept = self._keys.get(key)
        return kept[1] if kept is not None and 0 <= self._clock() - kept[0] < KEY_MS else None


def _key_beside_the_body(scope: Scope, headers: dict[bytes, bytes]) -> str:
    key = _basic(headers.get(b"authorization", b""))[0]
    if not key and scope["query_string"]:
        key = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("writeKey", "")
    return key.strip()


@lru_cache(maxsize=KNOWN_KEYS)
def _basic(authorization: bytes) -> tuple[str, str]:
    """Return user and password of a Basic header; empty strings for a missing or unreadable one."""
    scheme, _, coded = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        coded = coded.strip()
        plain = base64.b64decode(coded + b"=" * (-len(coded) % 4)).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return "", ""
    user, _, password = plain.partition(":")
    return user, password


def _cors(headers: dict[bytes, bytes], *, preflight: bool = False) -> tuple[Header, ...]:
    """Return the CORS headers: any origin may send. Requested headers are echoed, as `*` excludes Authorization."""
    origin = headers.get(b"origin")
    if origin is None:
        return ()
    allowed: tuple[Header, ...] = ((b"access-control-allow-origin", origin), (b"vary", b"origin"))
    if not preflight:
        return allowed
    requested = headers.get(b"access-control-request-headers", b"authorization, content-type, x-retry-count")
    return (
        *allowed,
        (b"access-control-allow-headers", requested),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-max-age", b"86400"),
    )


def _wrong_method(right: str) -> tuple[int, bytes, tuple[Header, ...]]:
    return 405, body_of(BadRequest(f"only {right} here")), (JSON, (b"allow", right.encode()))


def _refused(error: Exception) -> tuple[int, bytes, tuple[Header, ...]]:
    """Return the answer for an error: status, body, headers."""
    if not isinstance(error, WetinkError):
        logger.error("a request could not be taken in", exc_info=error)
        error = Unavailable("this cannot be taken in right now", hint="send it again")
    return status_of(error), body_of(error), (JSON, *_retry_headers(error))


def _retry_headers(error: WetinkError) -> tuple[Header, ...]:
    if isinstance(error, TooManyRequests):
        return ((b"retry-after", str(error.retry_after).encode()),)
    if isinstance(error, Unavailable):
        return ((b"retry-after", str(RETRY_AFTER_SECONDS).encode()),)
    if isinstance(error, Unauthorized):
        return ((b"www-authenticate", b'Basic realm="wetink"'),)
    return ()


async def _answer(send: Send, status: int, body: bytes, headers: tuple[Header, ...], length: int = 0) -> None:
    sized: tuple[Header, ...] = () if status == 204 else ((b"content-length", str(length).encode()),)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *sized]})
    await send({"type": "http.response.body", "body": body})
