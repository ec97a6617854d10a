"""Home: results of blocks in the last 14 days, recent problems, and the live view of messages."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.signals.date_range import compared_with
from wetink.core.signals.figures import FIGURES, figure, main_currency
from wetink.core.signals.goal import MODELS
from wetink.core.signals.report import total
from wetink.insights.health import counted
from wetink.ports import Received, Storage
from wetink.web import session
from wetink.web.dashboard.home import start
from wetink.web.dashboard.page.query import verdict_of, wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.results.reports import changes_of, chart_of
from wetink.web.report_query import usual
from wetink.web.request import now_ms

SHOWN = ("opens", "clicks", "orders", "revenue")
"""The figures on top, of those of a report."""
TROUBLES = 5


async def overview(request: Request) -> Response:
    """Show Home. Without messages, who may take the first steps sees those."""
    wetink = wetink_of(request)
    now = now_ms()
    sources = await wetink.store.sources.all()
    if session.may_open(request, "/dashboard/start") and not await wetink.store.log.messages(limit=1):
        return await start.show(request)
    what = replace(usual(now, wetink.content.signals.zone), against="before")
    before = compared_with(what.days, what.against, now)
    lines, by_day = await wetink.reports.broken_down(wetink.content, what.days, (what.by, ("day",)), what.only)
    others = before and (await wetink.reports.broken_down(wetink.content, before, (("day",),), what.only))[0]
    whole, whole_before = total(by_day), total(others or ())
    if not (whole_before.pictures or whole_before.opens or whole_before.orders):
        before = None
    currency = main_currency(whole)
    return page(
        request,
        "home/overview.html",
        steps=await start.steps_of(wetink),
        report=what,
        before=before,
        notes=[each for each in wetink.content.notes if "no font has" in each],
        credited=MODELS[wetink.reports.chosen_goal(wetink.content)[2]],
        lines=sorted(lines, key=lambda each: (-each.opens, each.key["block"])),
        total=whole,
        figures={each: FIGURES[each] for each in SHOWN},
        figure=figure,
        changes=changes_of(whole, whole_before, currency) if before is not None else {},
        currency=currency,
        chart=chart_of(what.days, before, by_day, others or (), "opens", currency),
        troubles=await _troubles(wetink.store),
        contested=await wetink.store.profiles.contested(what.days.since),
        sources=sources,
        blocks=wetink.content.blocks,
        problems=wetink.content.problems,
        failing=wetink.health.failing(),
        unforeseen=dict(sorted(counted().by_place.items())),
        lost=wetink.store.lost(),
    )


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
        "data/live.html",
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
        "data/newer.html",
        verdict=verdict,
        messages=fresh,
        newest=fresh[0].seq,
        shown=shown + len(fresh),
    )
