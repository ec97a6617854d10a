"""Protocol: uvicorn's HTTP connection, with a short way for requests that a door takes without waiting.

An ASGI call costs a task, a dozen awaits and an answer in two pieces, more than all that is done with a single message.
Whatever is not plain about a request (pipelined, chunked, compressed, an unknown key) goes the long way, so that the
short one has nothing to decide.

Who sends messages sends the same head with each, but for a few lengths. Once it was read, and its request went the
short way, the same bytes mean the same and are not read again.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import lru_cache
from types import coroutine
from typing import Any, TypeAlias

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

logger = logging.getLogger(__name__)

Header: TypeAlias = tuple[bytes, bytes]
Answer: TypeAlias = Callable[[int, Sequence[Header], bytes], None]
"""To be called once with status, headers but for the length's, and body."""

Take: TypeAlias = Callable[[bytes, Answer], None]
"""Takes a request's body; sees to it that it is answered. Never raises."""

Short: TypeAlias = Callable[[bytes, bytes, Sequence[Header], str], Take | None]
"""Tells from method, target, headers and the client's address whether a request may go the short way; names in headers
are in lower case."""


class _Head(msgspec.Struct, frozen=True, gc=False):
    """What a POST's head says; `length` is its body's."""

    target: bytes
    headers: Sequence[Header]
    length: int


_heads: dict[bytes, _Head] = {}
"""Heads as they were sent, read. What bytes mean depends on nothing else, so all connections share them."""

MOST_HEADS, LONGEST_HEAD = 1_000, 2_048
"""How many are remembered, of how many bytes at most."""


LARGEST_HEAD, MOST_HEADERS = 32 * 1024, 100
"""Bytes of a request's first line and headers, and how many headers: previews carry messages in their addresses."""

HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0
"""How long a head may take in whole, and how long no byte of a body may come."""

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
    """One connection. The application's attribute `short`, if it has one, is asked about each request.

    A request that is larger than it may be, or that comes more slowly, ends its connection.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*given, **named)
        self._short: Short | None = getattr(self.config.app, "short", None)
        self._idle, self._idle_since = False, 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._begun, self._ended = 0, 0  # requests
        self._in_head, self._head_bytes, self._half_closed = False, 0, False
        self._since = self._heard = 0.0  # when the head began, and when the last bytes came

    def data_received(self, data: bytes) -> None:
        """Take in what has come: a whole request whose head is known at once, all else by the parser."""
        if self._short is None or self._begun != self._ended or not data.startswith(b"POST "):
            self._parsed(data)
            return
        end = data.find(b"\r\n\r\n") + 4
        known = _heads.get(data[:end])
        if known is not None and known.length == len(data) - end and self._may_go_short():
            take = self._short(b"POST", known.target, known.headers, self.client[0] if self.client else "")
            if take is not None:
                self._unset_keepalive_if_required()
                cycle = _Cycle(self, take, data[end:])
                self.cycle = cycle  # type: ignore[assignment]
                cycle.set()
                return
        before = self._ended
        self._parsed(data)
        if known is None and self._ended == self._begun == before + 1 and 4 < end <= LONGEST_HEAD:
            self._remember(data[:end], len(data) - end)

    def _parsed(self, data: bytes) -> None:
        """Have the parser read what came, as long as it is no more than a request may be."""
        self._heard, begun, whole = self.loop.time(), self._begun, self._begun == self._ended
        if whole and len(data) > LARGEST_HEAD and b"\r\n\r\n" not in data[:LARGEST_HEAD]:
            self._end(TOO_LARGE)
            return
        was_idle = self._idle
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._begun == self._ended:
            if self.cycle is not None and self.cycle.response_complete and not self._idle:  # blank lines
                self._idle, self._idle_since = True, self._idle_since if was_idle else self._heard
        else:
            if self._begun == begun or (whole and self._begun == begun + 1):  # else it is of several requests
                self._head_bytes += len(data)
            if len(self.headers) > MOST_HEADERS or (self._in_head and self._head_bytes > LARGEST_HEAD):
                self._end(TOO_LARGE)
                return
        if self._watch is None:
            self._watch = self.loop.call_later(min(HEAD_SECONDS, self.timeout_keep_alive), self._look)

    def _end(self, answer: bytes) -> None:
        """End the connection, with an answer unless another one is under way."""
        if self._nothing_under_way():
            self.transport.write(answer)
        self.transport.close()

    def _remember(self, head: bytes, length: int) -> None:
        """Remember the head of the request that has just come, if it went the short way and is as long as it seems."""
        cycle: Any = self.cycle
        if isinstance(cycle, _Cycle) and cycle.keep_alive and len(cycle.body) == length:
            if len(_heads) >= MOST_HEADS:
                _heads.clear()
            _heads[head] = _Head(self.url, tuple(self.headers), length)

    def on_message_begin(self) -> None:
        """Hear of a request's first byte."""
        self._begun += 1
        self._in_head, self._head_bytes, self._since = True, 0, self.loop.time()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Hear of a request's last byte."""
        self._ended += 1
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Begin with a request, the short way if it may."""
        known = self.parser.get_http_version() in ("1.1", "1.0")
        if not known or len(self.headers) > MOST_HEADERS or self._head_too_large():
            raise ValueError("no head that we read")  # the parser ends the connection with 400
        self._in_head = False
        take = self._short_way()
        if take is None:
            super().on_headers_complete()
        else:
            self.cycle = _Cycle(self, take)  # type: ignore[assignment]

    def rest(self) -> None:
        """Begin to wait for the next request, after an answer that went the short way.

        One timer looks after a connection, however many requests come: to set one for each takes as long as to read it.
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
            return  # the answer sees to it
        elif self.flow.read_paused:
            left = BODY_SECONDS  # we do not listen
        else:
            left = self._heard + BODY_SECONDS - now
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self._end(TOO_SLOW)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Hear of a new connection: its first request has to come soon."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._end(TOO_MANY)
            return
        self._since = self.loop.time()
        self._watch = self.loop.call_later(min(HEAD_SECONDS, self.timeout_keep_alive), self._look)

    def _unset_keepalive_if_required(self) -> None:
        self._idle = False  # uvicorn calls it whenever bytes come
        super()._unset_keepalive_if_required()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Hear that no more will come. What has come is still answered."""
        self._half_closed = not self._nothing_under_way() and self._begun == self._ended
        return self._half_closed

    def on_response_complete(self) -> None:
        """Hear that an answer that went the long way is sent."""
        super().on_response_complete()
        if self._half_closed and self._nothing_under_way():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _head_too_large(self) -> bool:
        """Whether a head that has come in whole is larger than it may be: its last bytes may end it beyond that."""
        return len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers]) > LARGEST_HEAD

    def _short_way(self) -> Take | None:
        parser = self.parser
        if self._short is None or self.expect_100_continue or not self._may_go_short():
            return None
        if parser.get_http_version() != "1.1" or parser.should_upgrade():
            return None
        return self._short(parser.get_method(), self.url, self.headers, self.client[0] if self.client else "")

    def _may_go_short(self) -> bool:
        """Whether nothing is under way: else a request is pipelined, and waits for its turn."""
        return self._nothing_under_way() and not self.flow.write_paused

    def _nothing_under_way(self) -> bool:
        return self.cycle is None or self.cycle.response_complete


class _Cycle:
    """A request that goes the short way, where uvicorn looks for the one it is busy with.

    All attributes without an underscore are what it looks for there.
    """

    def __init__(self, connection: HttpProtocol, take: Take, whole: bytes | None = None) -> None:
        """`whole` is the body of a request with a known head: it is taken at once, and its connection stays."""
        self._connection, self._take, self._taken = connection, take, False
        self.body = bytearray() if whole is None else whole
        self.more_body = whole is None
        self.disconnected = self.response_complete = False
        self.keep_alive: bool = whole is not None or connection.parser.should_keep_alive()
        self.message_event = self

    def set(self) -> None:
        """Hear that there is news: bytes, the end of them, or the end of the connection."""
        if not self.more_body and not self._taken and not self.disconnected:
            self._taken = True
            self._take(bytes(self.body), self._answer)

    def _answer(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        if self.disconnected or self.response_complete:
            return
        self.response_complete = True
        connection = self._connection
        parts = [STATUS_LINE[status], _lines((*connection.server_state.default_headers, *headers))]
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"content-length: %d\r\n\r\n" % len(body), body)
        connection.transport.write(b"".join(parts))
        if not self.keep_alive:
            connection.transport.close()
        connection.rest()


@lru_cache(maxsize=64)
def _lines(headers: tuple[Header, ...]) -> bytes:
    """Return headers as they are sent: most answers have those of the one before."""
    return b"".join(b"%s: %s\r\n" % header for header in headers)


class Turns:
    """Begins with all that has come since the last turn of the event loop in the next one, in its order.

    Whatever anybody was told before a request came is seen there.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Coroutine[Any, Any, None], bool]] = []
        self._running: set[asyncio.Task[None]] = set()

    def add(self, work: Coroutine[Any, Any, None], *, prompt: bool) -> None:
        """Begin with `work` in the next turn. What is `prompt` hardly ever waits: it has no task until it does."""
        self._waiting.append((work, prompt))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        for work, prompt in waiting:
            try:
                task = begin(work) if prompt else asyncio.ensure_future(work)
            except Exception:  # of one whose connection broke, say: the others get their answers all the same
                logger.exception("an answer could not be sent")
                continue
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)


def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run `work` up to its end, or up to where it waits: then a task goes on with it, which is to be held on to.

    What it does before it first waits must not ask for its task, as `asyncio.timeout` does. Call it in the event loop.
    """
    try:
        waited_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_go_on(work, waited_for))


@coroutine
def _go_on(work: Coroutine[Any, Any, None], waited_for: Any) -> Generator[Any, Any, None]:
    try:
        while True:
            try:
                heard = yield waited_for
            except BaseException as error:
                waited_for = work.throw(error)
            else:
                waited_for = work.send(heard)
    except StopIteration:
        return
