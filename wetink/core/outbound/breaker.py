"""Breaker: pauses calls to a host that keeps failing, then probes it with one call. Each pause is longer.

closed    calls go through; TRIES failures in a row open it
open      no call goes through until the pause is over
half open one probe goes through: its success closes the breaker, its failure opens it for twice as long
"""

import msgspec
from msgspec.structs import replace

TRIES = 5
"""Failures in a row that pause a host."""

SHORTEST_MS, LONGEST_MS = 5_000, 600_000
"""The first and the longest pause, in milliseconds."""

PROBE_MS = 30_000
"""A probe without a result after this time (ms) is lost, and another may go."""


class Breaker(msgspec.Struct, frozen=True):
    """A host's recent failures. Times are Unix ms."""

    failures: int = 0
    until: int = 0
    """No call before this time."""
    probe: int = 0
    """Start of the running probe; 0 without one."""

    @property
    def closed(self) -> bool:
        """Whether calls go through without a probe."""
        return self.failures < TRIES


def admits(breaker: Breaker, now: int) -> bool:
    """Return whether a call may start at `now`. A clock that was set back blocks no host."""
    if breaker.closed:
        return True
    resting = now < breaker.until <= now + LONGEST_MS
    probing = breaker.probe != 0 and breaker.probe <= now < breaker.probe + PROBE_MS
    return not resting and not probing


def begun(breaker: Breaker, now: int) -> Breaker:
    """Return the breaker after an admitted call has started."""
    return breaker if breaker.closed else replace(breaker, probe=max(now, 1))


def succeeded() -> Breaker:
    """Return the breaker after the host answered: closed."""
    return Breaker()


def failed(breaker: Breaker, now: int) -> Breaker:
    """Return the breaker after a failed call.

    Calls that started before it opened may fail later, many at once. They do not lengthen the pause.
    """
    if not breaker.closed and breaker.probe == 0:
        return breaker
    failures = breaker.failures + 1
    return Breaker(failures, now + pause(failures) if failures >= TRIES else 0)


def withdrawn(breaker: Breaker) -> Breaker:
    """Return the breaker after a call without a result about the host: another call may probe."""
    return replace(breaker, probe=0)


def pause(failures: int) -> int:
    """Return the pause of a host in milliseconds after so many failures in a row.

    >>> pause(5), pause(6), pause(7), pause(50)
    (5000, 10000, 20000, 600000)
    """
    return min(SHORTEST_MS << min(max(failures - TRIES, 0), 20), LONGEST_MS)
