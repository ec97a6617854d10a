"""Overview: results of blocks in the last 14 days, recent problems, and the live view of messages."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.signals import date_range
from wetink.core.signals.date_range import DAY_MS
from wetink.core.signals.goal import MODELS
from wetink.core.signals.report import Line
from wetink.core.signals.report import total as total_of
from wetink.insights.health import counted
from wetink.ports import Received, Storage
from wetink.web.dashboard import start
from wetink.web.dashboard.query import verdict_of, wetink_of, whole
from wetink.web.dashboard.render import page
from wetink.web.request import now_ms
from wetink.wiring import Wetink

DAYS = 14
TROUBLES = 5


class Bar(msgspec.Struct, frozen=True):
    """One day of the chart: its first millisecond, its opens and clicks, and their heights out of 100."""

    at: int
    opens: int
    clicks: int
    open_height: float
    click_height: float


class Total(msgspec.Struct, frozen=True):
    """The sum over all blocks. `revenue` is by currency, the highest first."""

    opens: int
    clicks: int
    orders: float
    revenue: tuple[tuple[str, float], ...]


async def overview(request: Request) -> Response:
    """Show the overview. Without messages, show the first steps."""
    wetink = wetink_of(request)
    now = now_ms()
    sources = await wetink.store.sources.all()
    if not await wetink.store.log.messages(limit=1):
        return await start.show(request)
    results = await wetink.reports.lines(wetink.content, *last_days(DAYS, now, wetink.content.signals.zone))
    return page(
        request,
        "overview.html",
        steps=await start.steps_of(wetink),
        days=DAYS,
        notes=[each for each in wetink.content.notes if "no font has" in each],
        credited=MODELS[wetink.reports.chosen_goal(wetink.content)[2]],
        results=sorted(results, key=lambda each: (-each.opens, each.key["block"])),
        total=total(results),
        bars=await _bars(wetink, now),
        troubles=await _troubles(wetink.store),
        contested=await wetink.store.profiles.contested(now - DAYS * DAY_MS),
        sources=sources,
        known=set(wetink.content.blocks),
        problems=wetink.content.problems,
        failing=wetink.health.failing(),
        unforeseen=dict(sorted(counted().by_place.items())),
        lost=wetink.store.lost(),
    )


def last_days(days: int, now: int, zone: str) -> tuple[int, int]:
    """Return the span of the last days of a zone, including today."""
    found = date_range.last_days(days, now, zone)
    return found.since, found.end


def total(results: Sequence[Line]) -> Total:
    """Return the sum of the blocks' results."""
    whole = total_of(results)
    return Total(
        whole.opens, whole.clicks, whole.orders, tuple(sorted(whole.revenue.items(), key=lambda pair: -pair[1]))
    )


async def _bars(wetink: Wetink, now: int) -> list[Bar]:
    """Count opens and clicks of all blocks for each day (of the shop's zone), up to today."""
    periods = date_range.last_days(DAYS, now, wetink.content.signals.zone).periods
    opens, clicks = Counter[int](), Counter[int]()
    for count in await wetink.store.ledger.sums(periods, ()):
        opens[count.day] += count.opens
        clicks[count.day] += count.clicks
    most = max([*opens.values(), *clicks.values()], default=0) or 1
    return [
        Bar(day, opens[day], clicks[day], round(100 * opens[day] / most, 2), round(100 * clicks[day] / most, 2))
        for day, _ in periods
    ]


async def _troubles(store: Storage) -> list[Received]:
    """Return the newest messages that are not usable."""
    unusable = await store.log.messages(limit=TROUBLES, verdict="unusable")
    parked = await store.log.messages(limit=TROUBLES, verdict="parked")
    return sorted([*unusable, *parked], key=lambda each: -each.seq)[:TROUBLES]


PAGE = 50
MOST = 500
"""Messages on one page before it reloads."""

VERDICTS = (("", "All"), ("usable", "Usable"), ("unusable", "Unusable"), ("parked", "Parked"))


async def live(request: Request) -> Response:
    """Show the newest messages, or those before `before`. `verdict` filters them, `pause` stops updates."""
    verdict, before = verdict_of(request), whole(request.query_params.get("before"))
    found = list(await wetink_of(request).store.log.messages(limit=PAGE + 1, before=before, verdict=verdict))
    messages, more = found[:PAGE], len(found) > PAGE
    return page(
        request,
        "live.html",
        verdicts=VERDICTS,
        verdict=verdict,
        before=before,
        paused="pause" in request.query_params or before is not None,
        messages=messages,
        newest=messages[0].seq if messages else 0,
        shown=len(messages),
        older=messages[-1].seq if more else None,
    )


async def newer(request: Request) -> Response:
    """Return the messages after `after`, to insert above the `shown` ones; 204 without any."""
    verdict = verdict_of(request)
    after, shown = whole(request.query_params.get("after")) or 0, whole(request.query_params.get("shown")) or 0
    found = await wetink_of(request).store.log.messages(limit=PAGE, verdict=verdict)
    fresh = [message for message in found if message.seq > after]
    if not fresh:
        return Response(status_code=204)
    if len(fresh) == PAGE or shown + len(fresh) > MOST or not shown:
        return Response(status_code=200, headers={"hx-refresh": "true"})
    return page(
        request,
        "newer.html",
        verdict=verdict,
        messages=fresh,
        newest=fresh[0].seq,
        shown=shown + len(fresh),
    )
