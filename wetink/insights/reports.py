"""Reports: results of blocks, from the ledger's sums and the log's conversions."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from wetink.content.content import Content
from wetink.core.blocks.block import counts
from wetink.core.errors import BadRequest, NotFound
from wetink.core.events.event import Event
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Attribution, Touch, attribute
from wetink.core.signals.conversion import Conversion, ConversionEvent, conversions
from wetink.core.signals.goal import MODELS, ORDER, Goal
from wetink.core.signals.report import DAY_MS, DIMENSIONS, Line, Report
from wetink.core.units.duration import parse
from wetink.ports import Storage
from wetink.ports.ledger import Opened

CONTACTS = 200
"""Opens and clicks shown for a person."""
AROUND = 90 * DAY_MS
"""Time before and after a conversion in which its other touches are shown, in milliseconds."""


class Reports:
    """Reads the store and the ledger, and stores nothing, so any model can be applied to any time.

    `content` has the goals, the models and the blocks.
    """

    def __init__(self, store: Storage) -> None:
        """Read from `store`."""
        self._store, self._ledger = store, store.ledger

    def asked(self, content: Content, goal: str = "", model: str = "") -> tuple[str, Goal, str]:
        """Return a goal's name, the goal, and its model or the given one. Raises BadRequest with the known names."""
        signals, name = content.signals, goal or ORDER
        found = signals.goal(name)
        if found is None:
            raise BadRequest(f"there is no goal called {name[:64]!r}", hint=f"goals: {', '.join(signals.all_goals)}")
        chosen = model or found.model or signals.model
        if chosen not in MODELS:
            raise BadRequest(f"there is no model {chosen[:64]!r}", hint=f"models: {', '.join(MODELS)}")
        return name, found, chosen

    async def conversions(
        self, content: Content, goal: str, since: int, until: int
    ) -> AsyncIterator[Sequence[Conversion]]:
        """Yield the conversions of a goal in [since, until) (Unix ms), in batches without order.

        A goal with its own id property comes in one batch, since the store keeps together only events with one order
        id.
        """
        name, found, _ = self.asked(content, goal)
        signals = content.signals
        waiting = {source.name for source in await self._store.sources.all() if source.orders == "wait"}
        batches = self._store.conversions.outcomes(signals.events(found), since, until)
        if not _by_order(found):
            batches = _in_one(batches)
        async for told in batches:
            made = await asyncio.to_thread(conversions, told, name, found, signals, waiting)
            yield [each for each in made if since <= each.at < until]

    async def attributions(
        self, content: Content, since: int, until: int, *, goal: str = "", model: str = ""
    ) -> AsyncIterator[Sequence[Attribution]]:
        """Yield the conversions of [since, until) with the touches in their windows, and why each is credited or not.

        They come in batches without order. Raises BadRequest for an unknown goal or model, and StoreUnavailable.
        """
        name, found, chosen = self.asked(content, goal, model)
        around = max(parse(found.clicks), parse(found.opens)), 0
        async for made in self.conversions(content, name, since, until):
            touches = await self._touches(made, around)
            yield await asyncio.to_thread(_attributed, made, touches, found, chosen, around)

    async def all_attributions(
        self, content: Content, since: int, until: int, *, goal: str = "", model: str = ""
    ) -> list[Attribution]:
        """Return the results of `attributions` as one list, the oldest conversion first."""
        batches = self.attributions(content, since, until, goal=goal, model=model)
        return sorted([each async for batch in batches for each in batch], key=by_time)

    async def explained(
        self, content: Content, conversion_id: str, *, goal: str = "", model: str = "", at: int = 0
    ) -> Attribution:
        """Return one conversion with all its person's touches around it, credited or not. Raises NotFound."""
        return (await self.compared(content, conversion_id, (model,), goal=goal, at=at))[0]

    async def compared(
        self, content: Content, conversion_id: str, models: Sequence[str], *, goal: str = "", at: int = 0
    ) -> list[Attribution]:
        """Return one conversion as `explained` does, under each of several models, read once.

        `at` is its time (Unix ms), if known: then only its own events are read. Raises NotFound.
        """
        asked = [self.asked(content, goal, model) for model in models]
        name, found, _ = asked[0]
        spans = [(at, at + 1), (0, FOREVER)] if at and _by_order(found) else [(0, FOREVER)]
        made: list[Conversion] = []
        for since, until in spans:
            async for batch in self.conversions(content, name, since, until):
                made += [each for each in batch if each.id == conversion_id]
            if made:
                made = [min(made, key=lambda each: each.at)]
                break
        else:
            raise NotFound(f"there is no conversion {conversion_id[:64]!r} of the goal {name}")
        touches = await self._touches(made, (AROUND, AROUND))
        return [_attributed(made, touches, found, chosen, (AROUND, AROUND))[0] for _, _, chosen in asked]

    async def _touches(self, made: Sequence[Conversion], around: tuple[int, int]) -> Sequence[Touch]:
        spans: dict[str, tuple[int, int]] = {}
        for each in made:
            since, until = each.at - around[0], each.at + around[1] + 1
            for member in map(str, each.members):
                known = spans.get(member, (since, until))
                spans[member] = min(known[0], since), max(known[1], until)
        return await self._ledger.touches_within(spans)

    async def lines(
        self,
        content: Content,
        since: int,
        until: int,
        by: Sequence[str] = ("block",),
        *,
        block: str = "",
        goal: str = "",
        model: str = "",
    ) -> list[Line]:
        """Return a report of the days (UTC) of [since, until), broken down by some of DIMENSIONS.

        Raises BadRequest for an unknown goal, model or dimension, and StoreUnavailable.
        """
        return (await self.broken_down(content, since, until, (by,), block=block, goal=goal, model=model))[0]

    async def broken_down(
        self,
        content: Content,
        since: int,
        until: int,
        ways: Sequence[Sequence[str]],
        *,
        block: str = "",
        goal: str = "",
        model: str = "",
    ) -> list[list[Line]]:
        """Return the report of the same days in several breakdowns, read once. Raises the errors of `lines`."""
        wrong = [each for by in ways for each in by if each not in DIMENSIONS]
        if wrong:
            raise BadRequest(f"nothing is counted by {wrong[0][:64]!r}", hint=f"by: {', '.join(DIMENSIONS)}")
        since -= since % DAY_MS
        counts = [each for each in await self._ledger.days(since, until) if not block or each.block == block]
        reports = [Report(by, content.signals, block=block) for by in ways]
        async for found in self.attributions(content, since, until, goal=goal, model=model):
            for each in reports:
                await asyncio.to_thread(each.add, found)
        there = [{"block": name} for name in content.blocks if not block or name == block]
        return [
            each.lines(counts, keys=there if tuple(by) == ("block",) else ())
            for by, each in zip(ways, reports, strict=True)
        ]

    async def past(self, decision_id: str) -> Opened:
        """Return a past open. Raises NotFound and StoreUnavailable."""
        found = await self._store.archive.find(decision_id)
        if found is None:
            raise NotFound(
                f"there is no open {decision_id[:40]!r} in the archive", hint="archive_days sets how long it is kept"
            )
        return found

    async def reclassify(self, content: Content) -> int:
        """Classify past fetches again, by the current rules and the blocks' policies. Returns the number of changes."""
        fetches = {name: block.fetches for name, block in content.blocks.items()}
        return await self._ledger.reclassify(lambda block, kind: counts(fetches.get(block, {}), kind))

    async def contacts(self, members: Sequence[Identifier], until: int) -> list[Event]:
        """Return the opens and clicks of these identifiers as the spec's email events, newest last.

        Source: Segment's Email spec, `Email Opened` and `Email Link Clicked`. Fetches by machines are left out.
        """
        touches = await self._ledger.touches([str(member) for member in members], 0, until + 1)
        return [
            Event(
                "track",
                touch.at,
                f"{touch.kind}-{touch.block}-{touch.at}",
                "wetink",
                "Email Opened" if touch.kind == "open" else "Email Link Clicked",
                properties={"block": touch.block, "variant": touch.variant, "campaign_id": touch.campaign}
                | ({"implied_by": "click"} if touch.implied else {}),
            )
            for touch in touches[-CONTACTS:]
            if touch.human
        ]


def by_time(found: Attribution) -> tuple[int, str]:
    """Return the sort key of attributions: the time of the conversion, then its id."""
    return found.conversion.at, found.conversion.id


def _by_order(goal: Goal) -> bool:
    """Return whether the events of one conversion share an order id."""
    return (goal.id or "order_id") == "order_id"


async def _in_one(batches: AsyncIterator[Sequence[ConversionEvent]]) -> AsyncIterator[Sequence[ConversionEvent]]:
    yield [each async for batch in batches for each in batch]


def _attributed(
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
