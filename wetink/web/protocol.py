"""Protocol: uvicorn's HTTP connection, with a short way for requests that a door takes without waiting.

An ASGI call costs a task, a dozen awaits and an answer in two pieces, more than all that is done with a single message.
Whatever is not plain about a request (pipelined, chunked, compressed, an unknown key) goes the long way, so that the
short one has nothing to decide.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

Header: TypeAlias = tuple[bytes, bytes]
Answer: TypeAlias = Callable[[int, Sequence[Header], bytes], None]
"""To be called once with status, headers but for the length's, and body."""

Take: TypeAlias = Callable[[bytes, Answer], None]
"""Takes a request's body; sees to it that it is answered. Never raises."""

Short: TypeAlias = Callable[[bytes, bytes, Sequence[Header], str], Take | None]
"""Tells from method, target, headers and the client's address whether a request may go the short way; names in headers
are in lower case."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. The application's attribute `short`, if it has one, is asked about each request."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*given, **named)
        self._short: Short | None = getattr(self.config.app, "short", None)
        self._idle, self._idle_since = False, 0.0
        self._watch: asyncio.TimerHandle | None = None

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
        if self._short is None or self.expect_100_continue:
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None  # pipelined: it waits for its turn
        if parser.get_http_version() != "1.1" or parser.should_upgrade() or self.flow.write_paused:
            return None
        return self._short(parser.get_method(), self.url, self.headers, self.client[0] if self.client else "")


class _Cycle:
    """A request that goes the short way, where uvicorn looks for the one it is busy with.

    All attributes without an underscore are what it looks for there.
    """

    def __init__(self, connection: HttpProtocol, take: Take) -> None:
        self._connection, self._take, self._taken = connection, take, False
        self.body = bytearray()
        self.more_body = True
        self.disconnected = self.response_complete = False
        self.keep_alive: bool = connection.parser.should_keep_alive()
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
