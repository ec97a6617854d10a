"""Conversions: reads a goal's conversions from the log, and credits them to the opens and clicks of the ledger."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import msgspec

from wetink.content.content import Content
from wetink.core.errors import BadRequest
from wetink.core.signals.attribution import Attribution, Touch, attribute
from wetink.core.signals.conversion import Conversion, ConversionEvent, conversions
from wetink.core.signals.goal import MODELS, ORDER, Goal, Signals
from wetink.core.units.duration import parse
from wetink.ports import DAY, HOUR, MINUTE, Storage

MOST_AT_ONCE = 500
"""Conversions that are put in order at once. A span with more of them is divided, down to a minute."""


class Terms(msgspec.Struct, frozen=True):
    """The rules for conversions and their credit: a goal by name, a model, and what else they depend on.

    `waiting` are the sources whose orders by pages wait for a server's.
    """

    name: str
    goal: Goal
    model: str
    signals: Signals
    waiting: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The names of the events behind these conversions."""
        return self.signals.events(self.goal)

    @property
    def by_order(self) -> bool:
        """Whether the events of one conversion share an order id."""
        return (self.goal.id or "order_id") == "order_id"

    @property
    def around(self) -> tuple[int, int]:
        """How long before and after a conversion its opens and clicks may get credit, in milliseconds."""
        return max(parse(self.goal.clicks), parse(self.goal.opens)), 0


def chosen_goal(content: Content, goal: str = "", model: str = "") -> tuple[str, Goal, str]:
    """Return a goal's name, the goal, and its model or the given one. Raises BadRequest with the known names."""
    signals, name = content.signals, goal or ORDER
    found = signals.goal(name)
    if found is None:
        raise BadRequest(f"there is no goal called {name[:64]!r}", hint=f"goals: {', '.join(signals.all_goals)}")
    chosen = model or found.model or signals.model
    if chosen not in MODELS:
        raise BadRequest(f"there is no model {chosen[:64]!r}", hint=f"models: {', '.join(MODELS)}")
    return name, found, chosen


class Conversions:
    """Reads a store's conversions, and stores nothing, so any model can be applied to any time."""

    def __init__(self, store: Storage) -> None:
        """Read from `store`."""
        self._store = store

    async def terms(self, content: Content, goal: str = "", model: str = "") -> Terms:
        """Return the terms of a goal and a model by name. Raises BadRequest and StoreUnavailable."""
        name, found, chosen = chosen_goal(content, goal, model)
        waiting = frozenset(source.name for source in await self._store.sources.all() if source.orders == "wait")
        return Terms(name, found, chosen, content.signals, waiting)

    async def found(self, terms: Terms, since: int, until: int) -> AsyncIterator[Sequence[Conversion]]:
        """Yield the conversions of [since, until) (Unix ms) in batches without order.

        A goal with its own id property comes in one batch, since the store keeps together only events with one order
        id.
        """
        batches = self._store.conversions.outcomes(terms.names, since, until)
        if not terms.by_order:
            batches = _in_one(batches)
        async for events in batches:
            made = await asyncio.to_thread(conversions, events, terms.name, terms.goal, terms.signals, terms.waiting)
            yield [each for each in made if since <= each.at < until]

    async def credited(self, terms: Terms, since: int, until: int) -> AsyncGenerator[Sequence[Attribution], None]:
        """Yield the conversions of [since, until) with the touches in their windows, and why each is credited or not.

        They come in batches without order. Raises StoreUnavailable.
        """
        async for made in self.found(terms, since, until):
            touches = await self.touches(made, terms.around)
            yield await asyncio.to_thread(attributed, made, touches, terms.goal, terms.model, terms.around)

    async def in_order(
        self, terms: Terms, since: int, until: int, *, newest: bool = False
    ) -> AsyncIterator[Sequence[Attribution]]:
        """Yield the results of `credited` by time, the oldest or the newest first, in batches of limited size."""
        if not terms.by_order:
            found = [each async for batch in self.credited(terms, since, until) for each in batch]
            if found:
                yield sorted(found, key=by_time, reverse=newest)
            return
        async for batch in self._in_order(terms, since, until, (DAY, HOUR, MINUTE), newest):
            yield batch

    async def _in_order(
        self, terms: Terms, since: int, until: int, widths: Sequence[int], newest: bool
    ) -> AsyncIterator[Sequence[Attribution]]:
        width, *narrower = widths
        starts = await self._store.conversions.revisions(terms.names, since, until, width)
        for start in sorted(starts, reverse=newest):
            found: list[Attribution] = []
            part = max(since, start), min(until, start + width)
            async with aclosing(self.credited(terms, *part)) as batches:
                async for batch in batches:
                    found += batch
                    if narrower and len(found) > MOST_AT_ONCE:
                        break
            if narrower and len(found) > MOST_AT_ONCE:
                found.clear()
                async for some in self._in_order(terms, *part, narrower, newest):
                    yield some
            elif found:
                yield sorted(found, key=by_time, reverse=newest)

    async def touches(self, made: Sequence[Conversion], around: tuple[int, int]) -> Sequence[Touch]:
        """Return the opens and clicks of the people behind conversions, so long before and after each (ms)."""
        spans: dict[str, tuple[int, int]] = {}
        for each in made:
            since, until = each.at - around[0], each.at + around[1] + 1
            for member in map(str, each.members):
                known = spans.get(member, (since, until))
                spans[member] = min(known[0], since), max(known[1], until)
        return await self._store.ledger.touches_within(spans)


def by_time(found: Attribution) -> tuple[int, str]:
    """Return the sort key of attributions: the time of the conversion, then its id."""
    return found.conversion.at, found.conversion.id


async def _in_one(batches: AsyncIterator[Sequence[ConversionEvent]]) -> AsyncIterator[Sequence[ConversionEvent]]:
    yield [each async for batch in batches for each in batch]


def attributed(
    made: Sequence[Conversion], touches: Sequence[Touch], goal: Goal, model: str, around: tuple[int, int]
) -> list[Attribution]:
    """Credit each conversion to its person's touches around it."""
    by_recipient: dict[str, list[Touch]] = defaultdict(list)
    for touch in touches:
        by_recipient[touch.recipient].append(touch)
    return [
        attribute(
            each,
            [
                touch
                for member in each.members
                for touch in by_recipient.get(str(member), ())
                if each.at - around[0] <= touch.at <= each.at + around[1]
            ],
            goal,
            model,
        )
        for each in made
    ]
