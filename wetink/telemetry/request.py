"""Request IDs: one for each request, in its answer and in each line that it logs.

A proxy may send one as X-Request-Id. It is used if it looks like a random number. Otherwise a sender could write a
person's name into the log.
"""

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wetink.telemetry.tracing import Trace

HEADER = b"x-request-id"

_WELL_FORMED = re.compile(rb"[0-9a-fA-F-]{16,64}")
"""A UUID, or other 16 to 64 hexadecimal digits and dashes."""

_process, _numbers = f"{secrets.token_hex(6)}-".encode(), count(1)


class Request:
    """A request that code works for: its ID, and its trace if it is traced."""

    id: bytes = b""
    trace: "Trace | None" = None


CURRENT: ContextVar[Request] = ContextVar("request", default=Request())  # noqa: B039 (nobody changes it)
"""The request that this code works for. Outside of requests, its ID is empty."""


def current_id() -> str:
    """Return the ID of the request that this code works for; empty outside of requests."""
    return CURRENT.get().id.decode("ascii")


def id_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the ID that a request's headers (names in lower case) bring along, if it is well-formed; else a new one.

    >>> id_of([(b"x-request-id", b"4bf92f3577b34da6a3ce929d0e0e4736")])
    b'4bf92f3577b34da6a3ce929d0e0e4736'
    >>> len(id_of([(b"x-request-id", b"jane@shop.example")]))
    21
    """
    for name, value in headers:
        if name == HEADER and _WELL_FORMED.fullmatch(value):
            return value
    return _process + b"%08x" % next(_numbers)
