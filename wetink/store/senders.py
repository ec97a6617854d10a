"""Senders: new keys, and the checks of keys and limits that all engines share."""

import hmac
import secrets
from collections.abc import Iterable
from typing import TypeVar

from wetink.core.errors import BadSettings, NotFound
from wetink.ports.keys import NewKey, Source
from wetink.store.codec import hashed

T = TypeVar("T")

FASTEST = 1_000_000
"""The highest limit of events a second."""


def new_path() -> str:
    """Return a new path for behavioral events."""
    return f"/behavioral/{secrets.token_hex(8)}"


def new_key(path: str) -> NewKey:
    """Return new keys of a source with this path."""
    write_key, access_key, secret = (secrets.token_urlsafe(18) for _ in range(3))
    return NewKey(write_key, access_key, secret, path)


def new_secret() -> str:
    """Return a new secret that proves user ids."""
    return secrets.token_urlsafe(32)


def matches(pairs: Iterable[tuple[str | None, bytes | None]], access_key: str, secret: str) -> bool:
    """Return whether one of these stored pairs of access key and hashed secret is the given one, in constant time."""
    given, digest = access_key.encode("utf-8", "surrogateescape"), hashed(secret)
    right = [
        hmac.compare_digest((key or "").encode(), given) and hmac.compare_digest(wanted or b"", digest)
        for key, wanted in pairs
    ]
    return any(right)


def check_limits(per_second: float | None, burst: int | None) -> None:
    """Raise BadSettings for limits of events that are out of range."""
    if per_second is not None and not 0 <= per_second <= FASTEST:
        raise BadSettings(f"{per_second:g} events a second is not a limit", hint=f"0 for none, at most {FASTEST}")
    if burst is not None and not 0 <= burst <= FASTEST:
        raise BadSettings(
            f"{burst} events at once is not a limit", hint=f"0 for as many as two seconds bring, at most {FASTEST}"
        )


def check_rotated(source: Source) -> None:
    """Raise BadSettings if a source has no old keys to end."""
    if not source.rotated:
        raise BadSettings(
            f"{source.name!r} has no old key", hint="rotate it first; then both are valid until you end the old"
        )


def taken(name: str) -> BadSettings:
    """Return the error for a new source with the name of another."""
    return BadSettings(f"there is a source called {name!r} already", hint="choose another name")


def found(row: T | None, name: str) -> T:
    """Return the row of a source. Raises NotFound if there is none."""
    if row is None:
        raise NotFound(f"there is no source called {name[:64]!r}", hint="`wetink keys list` shows those there are")
    return row
