"""Requests: the ID of each, its time and status for the counters, and its trace.

The ID is in a request's answer and in each line that it logs. A proxy may send one as X-Request-Id. It is used if it
looks like a random number. Otherwise a sender could write a person's name into the log.
"""

import re
import secrets
from collections.abc import Iterable, MutableMapping
from contextvars import ContextVar
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

from wetink.telemetry import tracing

if TYPE_CHECKING:
    from wetink.telemetry.metrics import Route

HEADER = b"x-request-id"

_WELL_FORMED = re.compile(rb"[0-9a-fA-F-]{16,64}")
"""A UUID, or other 16 to 64 hexadecimal digits and dashes."""

_process, _numbers = f"{secrets.token_hex(6)}-", count(1)


class Request:
    """A request that code works for: its ID, and its trace if it is traced. `begun` is a value of `perf_counter`."""

    id: bytes = b""
    trace: tracing.Trace | None = None
    begun: float = 0.0
    _route: "Route | None" = None

    def begin(self, route: "Route") -> None:
        """Work for the request from now on."""
        self._route, self.begun = route, perf_counter()
        CURRENT.set(self)
        if tracing.tracer is not None and route.traced:
            self.trace = tracing.Trace(tracing.tracer, route.name, self.id)

    def end(self, status: int) -> None:
        """Count the answer with its status. A second call does nothing."""
        if self._route is not None:
            self._route.ended(status, self.begun)
            self._route = None
            if self.trace is not None:
                self.trace.end(status)


CURRENT: ContextVar[Request] = ContextVar("request", default=Request())  # noqa: B039 (nobody changes it)
"""The request that this code works for. Outside of requests, its ID is empty."""


def current_id() -> str:
    """Return the ID of the request that this code works for; empty outside of requests."""
    return CURRENT.get().id.decode("ascii")


def given_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the ID that a request's headers (names in lower case) bring along; empty without a well-formed one.

    >>> given_id([(b"x-request-id", b"4bf92f3577b34da6a3ce929d0e0e4736")])
    b'4bf92f3577b34da6a3ce929d0e0e4736'
    >>> given_id([(b"x-request-id", b"jane@shop.example")])
    b''
    """
    for name, value in headers:
        if name == HEADER and _WELL_FORMED.fullmatch(value):
            return value
    return b""


def new_id() -> bytes:
    """Return the ID of a request that brings none along.

    >>> len(new_id())
    21
    """
    return f"{_process}{next(_numbers):08x}".encode()


async def measured(app: Any, route: "Route", scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer a request with an ASGI application, with the request's ID.

    Counts the answer once the last part of it is about to be sent.
    """
    request, status = Request(), 503
    request.id = given_id(scope["headers"]) or new_id()
    request.begin(route)

    async def send_noted(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message = {**message, "headers": [*message["headers"], (HEADER, request.id)]}
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            request.end(status)
        await send(message)

    try:
        await app(scope, receive, send_noted)
    finally:
        request.end(status)  # if the client is gone, or the application broke


def step(name: str, begun: float, ended: float | None = None) -> None:
    """Add a span to the trace of this context. Both times are values of `perf_counter`; `ended` is now by default."""
    if (trace := CURRENT.get().trace) is not None:
        trace.step(name, begun, perf_counter() if ended is None else ended)


def note(name: str, value: str) -> None:
    """Add an attribute to the root span of this context."""
    if (trace := CURRENT.get().trace) is not None:
        trace.note(name, value)
