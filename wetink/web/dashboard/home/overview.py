"""Home: results of blocks in the last 14 days and recent problems."""

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
from wetink.web.dashboard.page.query import wetink_of
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
