"""The seam of leases: of all processes that share a store, one at a time does what is named."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

TTL_SECONDS = 15.0
"""How long a lease outlives a holder that was killed, unless its user says otherwise."""


class Leases(Protocol):
    """Exclusive rights by name. A holder that dies loses its lease after a while, one that lives keeps it."""

    def hold(self, name: str, ttl: float = TTL_SECONDS, wait: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Hold the lease `name` inside; it is renewed until then, and released at the end.

        Waits up to `wait` seconds for another holder, then raises Held. After `ttl` seconds without a renewal, as when
        the process was frozen, another may take it: then the task inside is cancelled and Held is raised. A thread
        that the task waits for is not stopped. Raises StoreUnavailable when nobody can know who holds it.
        """
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...
