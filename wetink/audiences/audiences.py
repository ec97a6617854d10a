"""Audiences: their current members, changes over time, and webhooks about them.

Every process answers queries. Only the holder of the worker's lease recomputes audiences and sends webhooks.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TypeAlias

from wetink.audiences.webhooks import Hooks
from wetink.core.errors import log_error
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import MembershipChange, concerns
from wetink.core.profile.person import Moment
from wetink.core.rules.tree import Rule
from wetink.core.signals.audience import Audience, rules_of
from wetink.ports.audiences import Count, Crowd, Memberships, Moved

logger = logging.getLogger(__name__)

Saved: TypeAlias = Mapping[str, Audience]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TRACED_DAYS = 30
"""Days before the first computation whose sizes are computed afterwards, from the log.

They are computed again after a while, at least once an hour: imports and late messages change those days as well."""


class Audiences:
    """Queries the crowd, keeps memberships up to date, and sends webhooks. `saved` are the content's audiences."""

    def __init__(
        self, crowd: Crowd, memberships: Memberships, hooks: Hooks, *, every_ms: int, clock_ms: Callable[[], int]
    ) -> None:
        """Take the ports. Recompute audiences every `every_ms` milliseconds."""
        self._crowd, self.memberships, self.hooks = crowd, memberships, hooks
        self._every, self._clock = every_ms, clock_ms
        self._looked: dict[str, int] = {}
        self._traced: dict[str, tuple[int, int]] = {}
        self._cleaned = 0

    async def count(self, saved: Saved, rule: Rule, moment: Moment) -> Count:
        """Return the number of people that a rule matches, and of all. Raises StoreUnavailable."""
        return await self._crowd.count(rule, moment, rules_of(saved))

    async def some(self, saved: Saved, rule: Rule, moment: Moment, limit: int) -> Sequence[Identifier]:
        """Return up to `limit` people that a rule matches. Raises StoreUnavailable."""
        return await self._crowd.sample(rule, moment, rules_of(saved), limit)

    async def members(self, saved: Saved, rule: Rule, now: int) -> AsyncIterator[Identifier]:
        """Yield all people that a rule matches at `now` (Unix ms). Raises StoreUnavailable."""
        async for some in self._crowd.members(rule, Moment(now), rules_of(saved)):
            for member in some:
                yield member

    async def step(self, saved: Saved) -> None:
        """Recompute the audiences that are due, then send the webhooks that are due. Raises StoreUnavailable."""
        await self.look_at_due(saved)
        await self.deliver(saved)

    async def look_at_due(self, saved: Saved) -> None:
        """Recompute the audiences that are due. Raises StoreUnavailable."""
        now = self._clock()
        self._looked = {name: at for name, at in self._looked.items() if name in saved}
        if not 0 <= now - self._cleaned < HOUR_MS:
            self._cleaned = now
            await self.memberships.clean(now)
        for name in saved:
            if not 0 <= now - self._looked.get(name, -self._every) < self._every:
                self._looked[name] = now
                try:
                    await self.look(saved, name)
                except Exception as error:  # one audience; the others are recomputed
                    log_error(logger, error, "audience %s was not recomputed", name)

    async def deliver(self, saved: Saved) -> int:
        """Send the webhooks that are due. Returns their number. Raises StoreUnavailable."""
        hooks = {name: each.hook for name, each in saved.items() if each.hook is not None}
        return await self.hooks.deliver(hooks, self._clock)

    async def look(self, saved: Saved, name: str) -> Moved:
        """Recompute a saved audience's members. Raises StoreUnavailable."""
        audience, now = saved[name], self._clock()
        hook = audience.hook
        if not await self.memberships.points(name, 0) and not (await self.count(saved, audience.rule, Moment(now))).of:
            return Moved(0, 0, 0, first=True)  # without any profile, this is not the first computation yet

        def wanted(change: MembershipChange, first: bool) -> bool:
            return hook is not None and (hook.backfill or not first) and concerns(hook, change)

        members = self._crowd.members(audience.rule, Moment(now), rules_of(saved))
        moved = await self.memberships.take(name, members, now, wanted)
        at, pause = self._traced.get(name, (now - HOUR_MS, self._every // 2))
        if moved.first or now - at >= pause:
            self._traced[name] = now, min(2 * pause, HOUR_MS)
            await self._trace_back(saved, audience, now)
        return moved

    async def _trace_back(self, saved: Saved, audience: Audience, now: int) -> None:
        """Compute an audience's size at the end of each earlier day, back to the first profile."""
        sizes: dict[int, int] = {}
        for end in range(now - now % DAY_MS - 1, now - TRACED_DAYS * DAY_MS, -DAY_MS):
            counted = await self.count(saved, audience.rule, Moment(end))
            if not counted.of:
                break
            sizes[end] = counted.matches
        await self.memberships.trace_back(audience.name, sizes)
