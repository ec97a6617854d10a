"""Everybody: asks a rule of one profile after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from wetink.core.identifier import Identifier
from wetink.core.person import Moment
from wetink.core.rule.tree import Rule
from wetink.ports import Store
from wetink.ports.crowd import Count


class Everybody:
    """`ports.crowd.Crowd` without an index."""

    def __init__(self, store: Store, holds: Callable[[Rule, Identifier, Moment], Awaitable[bool]]) -> None:
        """Take the store and the way to ask."""
        self._store, self._holds = store, holds

    async def _found(self, rule: Rule, moment: Moment) -> tuple[list[Identifier], int]:
        profiles = await self._store.profiles(limit=100_000)
        return [each.root for each in profiles if await self._holds(rule, each.root, moment)], len(profiles)

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        """See `ports.crowd.Crowd.count`."""
        found, of = await self._found(rule, moment)
        return Count(len(found), of)

    def members(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Iterator[Identifier]:
        """See `ports.crowd.Crowd.members`."""
        return iter(asyncio.run(self._found(rule, moment))[0])

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        """See `ports.crowd.Crowd.sample`."""
        return (await self._found(rule, moment))[0][:limit]

    async def close(self) -> None:
        """See `ports.crowd.Crowd.close`."""
