"""Protocol: uvicorn's HTTP connection, with a short way for requests that an endpoint takes without waiting.

An ASGI call costs a task, a dozen awaits and an answer in two pieces: more than the processing of one message. A
request that is not plain (pipelined, chunked, compressed, with an unknown key) goes the long way, so that the short one
has no special cases.

A sender of messages repeats the same head, except for a few lengths. Once a head is parsed and its request has gone the
short way, the same bytes are not parsed again, and nobody is asked again who takes the body. A client of opens repeats
the headers below another target: those are not parsed again either.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import lru_cache
from types import coroutine
from typing import Any, Self, TypeAlias

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from wetink.telemetry.metrics import ROUTES, Route
from wetink.telemetry.request import CURRENT, Request, given_id, new_id

logger = logging.getLogger(__name__)

Header: TypeAlias = tuple[bytes, bytes]
Respond: TypeAlias = Callable[[int, Sequence[Header], bytes], None]
"""Call it once with status, headers without content-length, and body."""

Take: TypeAlias = Callable[[bytes, Respond], None]
"""Takes a request's body and a callback for the answer. Never raises. A POST's takes any body after the same head."""

Find: TypeAlias = Callable[[bytes, bytes, Sequence[Header], str], Take | None]
"""Takes method, target, headers and the client's address. Returns None if the request must go the long way. Names of
headers are in lower case."""


class _Head(msgspec.Struct, frozen=True):
    """A parsed head. `length` is the length of its body in bytes. `given_id` is the request ID that it has."""

    take: Take
    headers: Sequence[Header]
    length: int
    route: Route
    given_id: bytes


class FastPath:
    """The short way of one application: `find` returns who takes a request."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self.heads: dict[bytes, _Head] = {}
        """Parsed heads by their bytes, those of a GET after its first line. All connections share them, since the
        meaning depends on the bytes alone."""


_GET = re.compile(rb"GET (/[A-Za-z0-9._~/?&=-]{1,1000}) HTTP/1\.1(?=\r\n)")
"""The first line of nearly all opens. The parser reads any other."""

MOST_HEADS, LONGEST_HEAD = 1_000, 2_048
"""Number of heads kept, and bytes of the longest."""


LARGEST_HEAD, MOST_HEADERS = 32 * 1024, 100
"""Limits of a request's first line and headers in bytes, and of headers in number. Previews have events in the URL."""

HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0
"""Seconds for a whole head, and seconds between two parts of a body."""

MOST_CONNECTIONS = 10_000
"""Connections of one process. A further one gets 503 and is closed, so its client tries again."""

TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 21\r\nretry-after: 2\r\n"
    b"connection: close\r\n\r\nToo many connections."
)
TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain\r\ncontent-length: 28\r\nconnection: close\r\n\r\n"
    b"The request came too slowly."
)
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\ncontent-length: 31\r\n"
    b"connection: close\r\n\r\nThe request's head is too long."
)


class HttpProtocol(HttpToolsProtocol):
    """One connection. It calls the application's attribute `fast_path`, if there is one, for each request.

    A request that is too large or too slow ends its connection.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._fast_path: FastPath | None = getattr(self.config.app, "fast_path", None)
        self._idle, self._idle_since = False, 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._begun, self._ended = 0, 0  # requests whose first and last byte have come
        self._in_head, self._head_bytes, self._half_closed = False, 0, False
        self._since = self._last_data_at = 0.0  # when the head began, and when the last bytes came

    def data_received(self, data: bytes) -> None:
        """Handle received bytes: a whole request with a known head directly, all else with the parser."""
        path, get = self._fast_path, _GET.match(data)
        if path is None or self._begun != self._ended or (get is None and not data.startswith(b"POST ")):
            self._parsed(data)
            return
        end = data.find(b"\r\n\r\n") + 4
        head = data[get.end() if get is not None else 0 : end]
        known = path.heads.get(head)
        if known is not None and known.length == len(data) - end and self._is_plain():
            take: Take | None = known.take
            route = known.route
            if get is not None:
                take, route = path.find(b"GET", get[1], known.headers, self._address), _ROUTES.get(get[1][:3], _OTHER)
            if take is not None:
                self._unset_keepalive_if_required()
                cycle = _Cycle(self, take, route, known.given_id or new_id())
                self.cycle = cycle  # type: ignore[assignment]
                cycle.start(data[end:])
                return
        before = self._ended
        self._parsed(data)
        if known is None and self._ended == self._begun == before + 1 and 4 < end <= LONGEST_HEAD:
            self._remember(path.heads, head, len(data) - end)

    def _parsed(self, data: bytes) -> None:
        """Parse received bytes within the limits of a request."""
        self._last_data_at, begun, whole = self.loop.time(), self._begun, self._begun == self._ended
        if whole and len(data) > LARGEST_HEAD and b"\r\n\r\n" not in data[:LARGEST_HEAD]:
            self._end(TOO_LARGE)
            return
        was_idle = self._idle
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._begun == self._ended:
            if self.cycle is not None and self.cycle.response_complete and not self._idle:  # only blank lines came
                self._idle, self._idle_since = True, self._idle_since if was_idle else self._last_data_at
        else:
            if self._begun == begun or (whole and self._begun == begun + 1):  # else the bytes span several requests
                self._head_bytes += len(data)
            if len(self.headers) > MOST_HEADERS or (self._in_head and self._head_bytes > LARGEST_HEAD):
                self._end(TOO_LARGE)
                return
        if self._watch is None:
            self._watch = self.loop.call_later(min(HEAD_SECONDS, self.timeout_keep_alive), self._look)

    def _end(self, respond: bytes) -> None:
        """End the connection. Send an answer first unless another is in progress."""
        if self._nothing_under_way():
            self.transport.write(respond)
        self.transport.close()

    def _remember(self, heads: dict[bytes, _Head], head: bytes, length: int) -> None:
        """Keep the head of the last request if it went the short way and its body has this length."""
        cycle: Any = self.cycle
        if isinstance(cycle, _Cycle) and cycle.keep_alive and len(cycle.body) == length:
            if len(heads) >= MOST_HEADS:
                heads.clear()
            heads[head] = _Head(cycle.take, tuple(self.headers), length, cycle.route, given_id(self.headers))

    def on_message_begin(self) -> None:
        """Note a request's first byte."""
        self._begun += 1
        self._in_head, self._head_bytes, self._since = True, 0, self.loop.time()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note a request's last byte."""
        self._ended += 1
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Start a request, the short way if possible."""
        known = self.parser.get_http_version() in ("1.1", "1.0")
        if not known or len(self.headers) > MOST_HEADERS or self._head_too_large():
            raise ValueError("no head that we read")  # the parser ends the connection with 400
        self._in_head = False
        take = self._take_of_head()
        if take is None:
            super().on_headers_complete()
        else:
            route, id_ = _ROUTES.get(self.url[:3], _OTHER), given_id(self.headers) or new_id()
            cycle = _Cycle(self, take, route, id_)
            cycle.body, cycle.keep_alive = bytearray(), self.parser.should_keep_alive()
            self.cycle = cycle  # type: ignore[assignment]

    def rest(self) -> None:
        """Wait for the next request after an answer that went the short way.

        One timer serves a connection for all its requests: setting one for each takes as long as parsing it.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        if self._half_closed:
            self.transport.close()
            return
        self._idle, self._idle_since = True, self.loop.time()
        if self._watch is None:
            self._watch = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Close a connection that has been idle for too long, or whose request comes too slowly."""
        self._watch, now = None, self.loop.time()
        if self._idle:
            left = self._idle_since + self.timeout_keep_alive - now
            if left <= 0:
                self.timeout_keep_alive_handler()
                return
        elif self._in_head or self.cycle is None:
            left = self._since + HEAD_SECONDS - now
        elif self._begun == self._ended:
            return  # the answer ends this wait
        elif self.flow.read_paused:
            left = BODY_SECONDS  # reading is paused
        else:
            left = self._last_data_at + BODY_SECONDS - now
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self._end(TOO_SLOW)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer: a new connection's first request has to come soon."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._end(TOO_MANY)
            return
        self._since = self.loop.time()
        self._watch = self.loop.call_later(min(HEAD_SECONDS, self.timeout_keep_alive), self._look)

    def _unset_keepalive_if_required(self) -> None:
        self._idle = False  # uvicorn calls this whenever bytes come
        super()._unset_keepalive_if_required()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Note that the client sends no more. Complete requests are still answered."""
        self._half_closed = not self._nothing_under_way() and self._begun == self._ended
        return self._half_closed

    def on_response_complete(self) -> None:
        """Close a half-closed connection once its last answer is sent."""
        super().on_response_complete()
        if self._half_closed and self._nothing_under_way():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer. The connection is freed at once, since its request lets go of it."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]

    def _head_too_large(self) -> bool:
        """Return whether a complete head is too large: its last bytes may take it past the limit."""
        return len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers]) > LARGEST_HEAD

    def _take_of_head(self) -> Take | None:
        parser = self.parser
        if self._fast_path is None or self.expect_100_continue or not self._is_plain():
            return None
        if parser.get_http_version() != "1.1" or parser.should_upgrade():
            return None
        return self._fast_path.find(parser.get_method(), self.url, self.headers, self._address)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _is_plain(self) -> bool:
        """Return whether no request is in progress. Otherwise this one is pipelined and waits for its turn."""
        return self._nothing_under_way() and not self.flow.write_paused

    def _nothing_under_way(self) -> bool:
        return self.cycle is None or self.cycle.response_complete


_ROUTES = {b"/o/": ROUTES["picture"], b"/d/": ROUTES["data"], b"/v1": ROUTES["message"]}
"""Groups of the requests that go the short way, by the first three bytes of the target."""
_OTHER = ROUTES["other"]


class _Cycle(Request):
    """A request that goes the short way, in the place of uvicorn's request cycle.

    The attributes from `body` to `keep_alive` and `message_event` are those that uvicorn uses.
    """

    body: bytes | bytearray = b""
    more_body, disconnected, response_complete, keep_alive = True, False, False, True

    def __init__(self, connection: HttpProtocol, take: Take, route: Route, id_: bytes) -> None:
        self._connection: HttpProtocol | None = connection  # until the answer: a context may keep the request
        self.take, self.route, self.id = take, route, id_

    @property
    def message_event(self) -> Self:
        """The request itself: uvicorn calls its `set`. An attribute would be a cycle for the garbage collector."""
        return self

    def set(self) -> None:
        """Handle news from uvicorn: bytes, their end, or the end of the connection."""
        if not self.more_body and not self.begun and not self.disconnected:
            self.start(bytes(self.body))

    def start(self, body: bytes) -> None:
        """Pass the whole body on."""
        self.begin(self.route)
        self.take(body, self._answer)

    def _answer(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        connection, self._connection = self._connection, None
        if connection is None or self.disconnected:
            return
        self.response_complete = True
        self.end(status)
        parts = [STATUS_LINE[status], _lines((*connection.server_state.default_headers, *headers))]
        parts += (b"x-request-id: ", self.id, b"\r\n")
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"content-length: %d\r\n\r\n" % len(body), body)
        connection.transport.write(b"".join(parts))
        if not self.keep_alive:
            connection.transport.close()
        connection.rest()


@lru_cache(maxsize=64)
def _lines(headers: tuple[Header, ...]) -> bytes:
    """Return headers as bytes. They are cached, since most answers have the same ones."""
    return b"".join(b"%s: %s\r\n" % header for header in headers)


class Turns:
    """Starts all requests since the last turn of the event loop in the next turn, in order.

    A request therefore sees all writes that were acknowledged before it came.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Coroutine[Any, Any, None], bool, Request]] = []
        self._running: set[asyncio.Task[None]] = set()

    def add(self, work: Coroutine[Any, Any, None], *, prompt: bool) -> None:
        """Start `work` in the next turn. `prompt` work rarely waits, so it gets a task only when it does."""
        self._waiting.append((work, prompt, CURRENT.get()))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        for work, prompt, request in waiting:
            CURRENT.set(request)
            try:
                task = begin(work) if prompt else asyncio.ensure_future(work)
            except Exception:  # such as a broken connection; the others get their answers
                logger.exception("an answer could not be sent")
                continue
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)


def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run `work` until it ends or waits. In the second case, return a task for the rest; the caller must hold on to it.

    Before it first waits, `work` must not use its task, as `asyncio.timeout` does. Call this in the event loop.
    """
    try:
        waited_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_resume(work, waited_for))


@coroutine
def _resume(work: Coroutine[Any, Any, None], waited_for: Any) -> Generator[Any, Any, None]:
    try:
        while True:
            try:
                result = yield waited_for
            except BaseException as error:
                waited_for = work.throw(error)
            else:
                waited_for = work.send(result)
    except StopIteration:
        return
