"""Request IDs: one for each request, in its answer and in each line that it logs.

A proxy may send one as X-Request-Id. It is used if it looks like a random number. Otherwise a sender could write a
person's name into the log.
"""

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import count

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The ID of the request that this code works for; empty outside of requests."""

HEADER = b"x-request-id"

_WELL_FORMED = re.compile(rb"[0-9a-fA-F-]{16,64}")
"""A UUID, or other 16 to 64 hexadecimal digits and dashes."""

_process, _numbers = secrets.token_hex(6), count(1)


def id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the ID that a request's headers (names in lower case) bring along, if it is well-formed; else a new one.

    >>> id_of([(b"x-request-id", b"4bf92f3577b34da6a3ce929d0e0e4736")])
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> len(id_of([(b"x-request-id", b"jane@shop.example")]))
    21
    """
    for name, value in headers:
        if name == HEADER and _WELL_FORMED.fullmatch(value):
            return value.decode("ascii")
    return f"{_process}-{next(_numbers):08x}"
