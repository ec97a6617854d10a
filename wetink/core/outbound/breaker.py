"""Breaker: a host that keeps failing is left alone for a while, then tried by one call; each time for longer.

closed    calls go through; TRIES failures in a row open it
open      no call goes through until the pause is over
half open one probe goes through: its success closes the breaker, its failure opens it for twice as long
"""

import msgspec
from msgspec.structs import replace

TRIES = 5
"""Failures in a row after which a host is left alone."""

SHORTEST_MS, LONGEST_MS = 5_000, 600_000
"""The first pause, and the longest."""

PROBE_MS = 30_000
"""A probe that was not heard of for this long is lost, and another may go."""


class Breaker(msgspec.Struct, frozen=True):
    """How a host has been answering. Times are Unix ms."""

    failures: int = 0
    until: int = 0
    """No call before this."""
    probe: int = 0
    """When the probe under way went out; 0: none is."""

    @property
    def closed(self) -> bool:
        """Whether the host counts as well."""
        return self.failures < TRIES


def admits(breaker: Breaker, now: int) -> bool:
    """Whether a call may go out at `now`. A clock that was set back keeps no host shut."""
    if breaker.closed:
        return True
    resting = now < breaker.until <= now + LONGEST_MS
    probing = breaker.probe != 0 and breaker.probe <= now < breaker.probe + PROBE_MS
    return not resting and not probing


def begun(breaker: Breaker, now: int) -> Breaker:
    """Return the breaker after an admitted call went out."""
    return breaker if breaker.closed else replace(breaker, probe=max(now, 1))


def succeeded() -> Breaker:
    """Return the breaker after the host answered: closed."""
    return Breaker()


def failed(breaker: Breaker, now: int) -> Breaker:
    """Return the breaker after a call failed.

    Calls that went out before it opened may fail later, many at once: they make no pause longer.
    """
    if not breaker.closed and breaker.probe == 0:
        return breaker
    failures = breaker.failures + 1
    return Breaker(failures, now + pause(failures) if failures >= TRIES else 0)


def withdrawn(breaker: Breaker) -> Breaker:
    """Return the breaker after a call that proves nothing about the host: another call may probe."""
    return replace(breaker, probe=0)


def pause(failures: int) -> int:
    """Return how long (ms) a host is left alone after so many failures in a row.

    >>> pause(5), pause(6), pause(7), pause(50)
    (5000, 10000, 20000, 600000)
    """
    return min(SHORTEST_MS << min(max(failures - TRIES, 0), 20), LONGEST_MS)
