"""Reports: results of blocks, from the ledger's sums and the log's conversions."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.blocks.block import counts
from wetink.core.errors import BadRequest, NotFound
from wetink.core.events.event import Event
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Attribution, Touch
from wetink.core.signals.conversion import Conversion
from wetink.core.signals.credits import Credits, Rollup, Sale, credits_of, joined, rolled_up, sales_of
from wetink.core.signals.date_range import DAY_MS, DateRange, days_within
from wetink.core.signals.device_class import dimension_of
from wetink.core.signals.goal import Goal
from wetink.core.signals.report import ALL, DIMENSIONS, DayCount, Filter, Line, Report
from wetink.insights.conversions import Conversions, Terms, attributed, chosen_goal
from wetink.insights.periods import Made, Periods
from wetink.ports import Storage
from wetink.ports.ledger import Opened, TouchQuery
from wetink.render.cache import key_of

AROUND = 90 * DAY_MS
"""Time before and after a conversion in which its other touches are shown, in milliseconds."""

KINDS: tuple[Literal["open", "click"], ...] = ("open", "click")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Rollup).decode
_decode_sales = msgspec.msgpack.Decoder(list[Sale]).decode


class _Crediting:
    """Makes the credits of periods, a `periods.Work`."""

    touched = True

    def __init__(self, conversions: Conversions, terms: Terms) -> None:
        self._conversions, self._terms = conversions, terms
        self.names: Collection[str] = terms.names
        about: list[Any] = [terms.name, terms.model, terms.signals, sorted(terms.waiting)]
        self.key = key_of("credits", msgspec.json.encode(about))

    async def make(self, since: int, until: int) -> Made:
        parts = [
            await asyncio.to_thread(credits_of, found, self._terms.signals)
            async for found in self._conversions.credited(self._terms, since, until)
        ]
        return await asyncio.to_thread(_packed, parts)

    def join(self, parts: Sequence[Made]) -> Made:
        return _packed([_credits_of(_decode(part.packed)) for part in parts])


class _Selling:
    """Makes the sales of periods, a `periods.Work`."""

    touched = False

    def __init__(self, conversions: Conversions, terms: Terms) -> None:
        self._conversions, self._terms = conversions, terms
        self.names: Collection[str] = terms.names
        about: list[Any] = [terms.name, terms.signals, sorted(terms.waiting)]
        self.key = key_of("sales", msgspec.json.encode(about))

    async def make(self, since: int, until: int) -> Made:
        times: list[int] = []
        sales: list[Sale] = []
        async for found in self._conversions.found(self._terms, since, until):
            times += [each.at for each in found]
            sales += await asyncio.to_thread(sales_of, found, self._terms.signals)
        return Made(len(times), min(times, default=0), max(times, default=0), _encode(sales))

    def join(self, parts: Sequence[Made]) -> Made:
        sales = [sale for part in parts for sale in _decode_sales(part.packed)]
        times = [at for part in parts for at in (part.first, part.last)]
        count = sum(part.conversions for part in parts)
        return Made(count, min(times, default=0), max(times, default=0), _encode(sales))


def _packed(parts: Sequence[Credits]) -> Made:
    whole = joined(parts)
    return Made(whole.conversions, whole.first, whole.last, _encode(rolled_up(whole)))


def _credits_of(rollup: Rollup) -> Credits:
    return Credits(
        *(rollup.conversions, rollup.credited, rollup.unclear, rollup.first, rollup.last), tuple(rollup.read())
    )


class Reports:
    """Reads the store and the ledger, and stores nothing, so any model can be applied to any time.

    It keeps sums in memory as long as they are valid, so a second look costs as much as has changed since the first.
    `content` has the goals, the models and the blocks.
    """

    def __init__(self, store: Storage, periods: Periods) -> None:
        """Read from `store`, and keep sums in `periods`."""
        self._store, self._ledger, self._periods = store, store.ledger, periods
        self._conversions = Conversions(store)

    def chosen_goal(self, content: Content, goal: str = "", model: str = "") -> tuple[str, Goal, str]:
        """Return a goal's name, the goal, and its model or the given one. Raises BadRequest with the known names."""
        return chosen_goal(content, goal, model)

    async def conversions(
        self, content: Content, goal: str, since: int, until: int
    ) -> AsyncIterator[Sequence[Conversion]]:
        """Yield the conversions of a goal in [since, until) (Unix ms), in batches without order."""
        async for batch in self._conversions.found(await self._conversions.terms(content, goal), since, until):
            yield batch

    async def attributions(
        self, content: Content, since: int, until: int, *, goal: str = "", model: str = "", newest: bool = False
    ) -> AsyncGenerator[Sequence[Attribution], None]:
        """Yield the conversions of [since, until) with the touches in their windows, and why each is credited or not.

        They come by time, the oldest or the newest first, in batches of limited size. Raises BadRequest for an unknown
        goal or model, and StoreUnavailable.
        """
        terms = await self._conversions.terms(content, goal, model)
        async for batch in self._conversions.in_order(terms, since, until, newest=newest):
            yield batch

    async def credits(self, content: Content, since: int, until: int, *, goal: str = "", model: str = "") -> Credits:
        """Return the numbers of the conversions of [since, until), no sums. Raises BadRequest and StoreUnavailable."""
        parts = await self._credits(content, since, until, goal, model)
        return joined(Credits(part.conversions, part.credited, part.unclear, part.first, part.last) for part in parts)

    async def _credits(self, content: Content, since: int, until: int, goal: str, model: str) -> list[Rollup]:
        """Return the sums of these conversions in parts."""
        terms = await self._conversions.terms(content, goal, model)
        work = _Crediting(self._conversions, terms)
        if terms.by_order:
            made = await self._periods.made(work, since, until)
        else:  # such a conversion may have events on other days
            made = [await work.make(since, until)]
        return await asyncio.to_thread(lambda: [_decode(each.packed) for each in made])

    async def prepare(self, content: Content) -> bool:
        """Make and store the sums of a day or an hour that lacks them. Returns whether there was one.

        A report then only adds up, also the first one after a start. Raises StoreUnavailable.
        """
        for name in content.signals.all_goals:
            terms = await self._conversions.terms(content, name)
            if terms.by_order and await self._periods.prepare(_Crediting(self._conversions, terms)):
                return True
        return await self._periods.prepare(_Selling(self._conversions, await self._conversions.terms(content)))

    async def sales(self, content: Content, since: int, until: int) -> AsyncIterator[Sequence[Sale]]:
        """Yield the orders of [since, until) that count, a day or less at a time. Raises StoreUnavailable."""
        work = _Selling(self._conversions, await self._conversions.terms(content))
        for part in await self._periods.made(work, since, until):
            yield await asyncio.to_thread(_decode_sales, part.packed)

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
        terms = await self._conversions.terms(content, goal)
        chosen = [chosen_goal(content, goal, model)[2] for model in models]
        spans = [(at, at + 1), (0, FOREVER)] if at and terms.by_order else [(0, FOREVER)]
        made: list[Conversion] = []
        for since, until in spans:
            async for batch in self._conversions.found(terms, since, until):
                made += [each for each in batch if each.id == conversion_id]
            if made:
                made = [min(made, key=lambda each: each.at)]
                break
        else:
            raise NotFound(f"there is no conversion {conversion_id[:64]!r} of the goal {terms.name}")
        touches = await self._conversions.touches(made, (AROUND, AROUND))
        return [attributed(made, touches, terms.goal, model, (AROUND, AROUND))[0] for model in chosen]

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
        """Return a report of the days (of the shop's zone) of [since, until) in Unix ms, broken down by DIMENSIONS.

        Raises BadRequest for an unknown goal, model or dimension, and StoreUnavailable.
        """
        days = days_within(since, until, content.signals.zone)
        only = Filter(block or None)
        return (await self.broken_down(content, days, (by,), only, goal=goal, model=model))[0]

    async def broken_down(
        self,
        content: Content,
        days: DateRange,
        ways: Sequence[Sequence[str]],
        only: Filter = ALL,
        *,
        goal: str = "",
        model: str = "",
    ) -> list[list[Line]]:
        """Return the report of the same days in several breakdowns. Raises the errors of `lines`."""
        credits = await self._credits(content, *days.span, goal, model)
        return await self.counted(content, days, ways, only, credits)

    async def counted(
        self,
        content: Content,
        days: DateRange,
        ways: Sequence[Sequence[str]],
        only: Filter = ALL,
        credits: Sequence[Rollup] = (),
    ) -> list[list[Line]]:
        """Return the report of the same days in several breakdowns, with the orders of these credits.

        Raises BadRequest for an unknown dimension, and StoreUnavailable.
        """
        wrong = [each for by in ways for each in by if each not in DIMENSIONS]
        if wrong:
            raise BadRequest(f"nothing is counted by {wrong[0][:64]!r}", hint=f"by: {', '.join(DIMENSIONS)}")
        for by in ways:
            if all(name in by or getattr(only, name) is not None for name in ("audience", "device")):
                raise BadRequest("by: an open is counted by audience or by device, not by both", where="by")
        only = replace(only, block=content.aliases.get(only.block, only.block) if only.block is not None else None)
        emails = {name: block.email for name, block in content.blocks.items()}
        found = []
        for by in ways:
            report = Report(by, only=only, emails=emails, zone=days.zone, aliases=content.aliases)
            there: list[dict[str, str]] = []
            if tuple(by) == ("block",) and only == Filter(only.block):
                there = [{"block": name} for name in content.listed if only.block in (None, name)]
            counts = await self._counts(content, days, by, only)
            found.append(await asyncio.to_thread(_lines, report, credits, _columns(by, only), only, counts, there))
        return found

    async def _counts(self, content: Content, days: DateRange, by: Sequence[str], only: Filter) -> Sequence[DayCount]:
        """Return the counts of a range, apart by no more than a breakdown and a filter need."""
        apart, columns = _apart(by, only), _columns(by, only)
        periods = [days.span]
        if "day" in by or "weekday" in by or only.weekday is not None:
            periods = days.periods
        blocks = content.names_of(only.block) if only.block is not None else None
        found = await self._ledger.sums(periods, columns, blocks=blocks, campaign=only.campaign)
        return [each for each in found if not apart or dimension_of(each.part) == apart]

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

    async def contacts(self, members: Sequence[Identifier], until: int, limit: int) -> list[Event]:
        """Return the newest `limit` opens and clicks of these identifiers as the spec's email events, newest last.

        Source: Segment's Email spec, `Email Opened` and `Email Link Clicked`. Fetches by machines are left out.
        """
        found: list[Touch] = []
        for kind in KINDS:
            wanted = TouchQuery(0, until + 1, kind, recipients=[str(member) for member in members])
            found += [each.touch for each in await self._ledger.listed(wanted, limit)]
        human = sorted(found, key=lambda each: each.at)[-limit:]
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
            for touch in human
        ]


def _columns(by: Sequence[str], only: Filter) -> set[str]:
    """Return the columns of sums that a breakdown and a filter need."""
    columns = {each for each in ("block", "variant", "campaign") if each in by or getattr(only, each) is not None}
    if "email" in by or only.email is not None:
        columns.add("block")
    if _apart(by, only):
        columns.add("part")
    return columns


def _apart(by: Sequence[str], only: Filter) -> str:
    """Return "audience" or "device" if a report is apart by it."""
    return next((name for name in ("audience", "device") if name in by or getattr(only, name) is not None), "")


def _lines(
    report: Report,
    credits: Sequence[Rollup],
    columns: Collection[str],
    only: Filter,
    counts: Sequence[DayCount],
    there: Sequence[dict[str, str]],
) -> list[Line]:
    for each in credits:
        report.add(each.read(columns, campaign=only.campaign, part=only.part))
    return report.lines(counts, keys=there)
