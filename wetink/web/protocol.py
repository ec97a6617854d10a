"""Protocol: uvicorn's HTTP connection, with a short way for requests that a door takes without waiting.

An ASGI call costs a task, a dozen awaits and an answer in two pieces, more than all that is done with a single message.
Whatever is not plain about a request (pipelined, chunked, compressed, an unknown key) goes the long way, so that the
short one has nothing to decide.

Who sends messages sends the same head with each, but for a few lengths. Once it was read, and its request went the
short way, the same bytes mean the same and are not read again.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

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


class HttpProtocol(HttpToolsProtocol):
    """One connection. The application's attribute `short`, if it has one, is asked about each request."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*given, **named)
        self._short: Short | None = getattr(self.config.app, "short", None)
        self._idle, self._idle_since = False, 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._begun, self._ended = 0, 0  # requests

    def data_received(self, data: bytes) -> None:
        """Take in what has come: a whole request whose head is known at once, all else by the parser."""
        if self._short is None or self._begun != self._ended or not data.startswith(b"POST "):
            super().data_received(data)
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
        super().data_received(data)
        if known is None and self._ended == self._begun == before + 1 and 4 < end <= LONGEST_HEAD:
            self._remember(data[:end], len(data) - end)

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
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Hear of a request's last byte."""
        self._ended += 1
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Begin with a request, the short way if it may."""
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
        self._idle, self._idle_since = True, self.loop.time()
        if self._watch is None:
            self._watch = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Close a connection that has been idle for too long."""
        self._watch = None
        if not self._idle:
            return  # the answer sees to it
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self.timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        self._idle = False  # uvicorn calls it whenever bytes come
        super()._unset_keepalive_if_required()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _short_way(self) -> Take | None:
        parser = self.parser
        if self._short is None or self.expect_100_continue or not self._may_go_short():
            return None
        if parser.get_http_version() != "1.1" or parser.should_upgrade():
            return None
        return self._short(parser.get_method(), self.url, self.headers, self.client[0] if self.client else "")

    def _may_go_short(self) -> bool:
        """Whether nothing is under way: else a request is pipelined, and waits for its turn."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused


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
