"""The seam of sessions: who is signed in, and how often somebody tried in vain. Shared by all processes."""

from typing import Protocol

HOUR_MS = 3_600_000
IDLE_MS, LONGEST_MS = 48 * HOUR_MS, 14 * 24 * HOUR_MS
"""A session ends when nobody uses it for this long, and at the latest this long after log-in."""

FREE_TRIES = 5
"""Failed tries of an address that cost no time."""

LONGEST_WAIT_MS = 60_000
FORGOTTEN_MS = HOUR_MS
"""An address that has not tried for this long begins afresh."""


def wait_of(failures: int) -> int:
    """Return for how many milliseconds an address must wait after so many failed tries.

    >>> wait_of(5), wait_of(6), wait_of(8), wait_of(99)
    (0, 1000, 4000, 60000)
    """
    return min(1_000 << min(failures - FREE_TRIES - 1, 16), LONGEST_WAIT_MS) if failures > FREE_TRIES else 0


class Sessions(Protocol):
    """Sessions of the dashboard. Times are Unix ms. What is kept of a session does not open the dashboard."""

    async def begin(self, door: str, now: int) -> str:
        """Return the id of a new session behind a log-in with `door`. Raises StoreUnavailable."""
        ...

    async def holds(self, session: str, door: str, now: int) -> bool:
        """Whether a session lasts that began with this very `door`; notes that it is used. Raises StoreUnavailable."""
        ...

    async def end(self, session: str) -> None:
        """End a session, in every process. Raises StoreUnavailable."""
        ...

    async def tried(self, address: str) -> bool:
        """Whether tries of an address are remembered. Raises StoreUnavailable."""
        ...

    async def try_from(self, address: str, now: int) -> int:
        """Count a try of an address before it is looked at; return how long (ms) it must wait, 0: it may try.

        A try that must wait is not counted. Raises StoreUnavailable.
        """
        ...

    async def forgive(self, address: str) -> None:
        """Forget the tries of an address: it has succeeded. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...
