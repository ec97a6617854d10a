"""Audiences: looks again and again at who is in each saved audience, and tells outside of who came and went.

All processes have one; the one that leads does the work, and another takes over when it ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from wetink.core.errors import WetinkError
from wetink.core.hook import Hook, MembershipChange, concerns
from wetink.core.identifier import Identifier
from wetink.ports.audiences import Memberships, Moved
from wetink.serve.hooks import Hooks

logger = logging.getLogger(__name__)

REST_SECONDS = 1.0
"""Between two rounds of telling."""

HOUR_MS = 3_600_000

Members = Callable[[str], Awaitable[Iterable[Identifier]]]
"""Who is in an audience right now, as roots of profiles."""


class AudienceKeeper:
    """Keeps memberships up to date, and the outside informed."""

    def __init__(
        self,
        memberships: Memberships,
        telling: Hooks,
        members: Members,
        audiences: Callable[[], Mapping[str, Hook | None]],
        *,
        every_ms: int,
        clock_ms: Callable[[], int],
    ) -> None:
        """Look at the `audiences` (each with its hook, if it has one) every so many ms."""
        self._memberships, self._telling, self._members = memberships, telling, members
        self._audiences, self._every, self._clock = audiences, every_ms, clock_ms
        self._looked: dict[str, int] = {}
        self._cleaned = 0

    async def run(self) -> None:
        """Work until cancelled. Never raises anything else."""
        while True:
            try:
                if self._memberships.lead():
                    await self.look_at_due()
                    await self._telling.deliver()
            except WetinkError as error:
                logger.warning("audiences are not looked at: %s", error)
            except Exception:
                logger.exception("audiences are not looked at")
            await asyncio.sleep(REST_SECONDS)

    async def look_at_due(self) -> None:
        """Look at each audience whose time has come. Raises StoreUnavailable."""
        audiences, now = self._audiences(), self._clock()
        self._looked = {name: at for name, at in self._looked.items() if name in audiences}
        if not 0 <= now - self._cleaned < HOUR_MS:
            self._cleaned = now
            await self._memberships.clean(now)
        for name in audiences:
            if not 0 <= now - self._looked.get(name, -self._every) < self._every:
                self._looked[name] = now
                try:
                    await self.look(name)
                except WetinkError as error:
                    logger.warning("audience %s: %s", name, error)

    async def look(self, name: str) -> Moved:
        """Take in who is in an audience now. Raises StoreUnavailable."""
        hook = self._audiences().get(name)

        def tell(change: MembershipChange, first: bool) -> bool:
            return hook is not None and (hook.backfill or not first) and concerns(hook, change)

        return await self._memberships.take(name, await self._members(name), self._clock(), tell)
