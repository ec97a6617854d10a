"""Conversions: the list of a range with the credited opens and clicks, and one conversion under each model."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import aclosing

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.identity.holding import FOREVER
from wetink.core.signals.attribution import Attribution
from wetink.core.signals.date_range import PRESETS, day_of
from wetink.core.signals.goal import MODELS
from wetink.core.signals.report import ALL, present
from wetink.insights.conversions import by_time
from wetink.web.dashboard.page.query import named, wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.results.past_opens import small_of
from wetink.web.dashboard.results.reports import asked, filters_of, known_titles, status_of, titles_of
from wetink.web.report_query import ReportQuery
from wetink.web.request import now_ms


async def conversions(request: Request) -> Response:
    """List the conversions of a span, the newest first, with the credited touches. `before` continues a list."""
    wetink, now = wetink_of(request), now_ms()
    what, problem, where = asked(request, wetink, now)
    name, _, model = wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
    whole = await wetink.reports.credits(wetink.content, *what.days.span, goal=what.goal, model=what.model)
    before = _place(request.query_params.get("before", ""))
    until = min(what.days.end, before[0] + 1) if before is not None else what.days.end
    emails = {name: block.email for name, block in wetink.content.blocks.items()}
    found: list[Attribution] = []
    last, scanned = before, 0
    batches = wetink.reports.attributions(
        wetink.content, what.days.since, until, goal=what.goal, model=what.model, newest=True
    )
    async with aclosing(batches):
        async for batch in batches:
            for each in batch:
                if (before is not None and by_time(each) >= before) or len(found) > MOST:
                    continue
                scanned += 1
                if _credits(each, what, emails, wetink.content.aliases):
                    found.append(each)
                last = by_time(each) if len(found) <= MOST else last
            if len(found) > MOST or scanned >= SCANNED:
                break
    more = len(found) > MOST or scanned >= SCANNED
    found = found[:MOST]
    return page(
        request,
        "results/conversions.html",
        status=status_of(where),
        problem=problem,
        found=found,
        count=whole.conversions,
        credited=whole.credited,
        unclear=whole.unclear,
        before=before,
        more=request.url.include_query_params(before=f"{last[0]} {last[1]}").query if more and last is not None else "",
        newest=request.url.remove_query_params("before").query,
        where=where,
        report=what,
        filters=filters_of(wetink, what),
        blocks=titles_of(wetink),
        titles=known_titles(wetink),
        presets={each: words for each, words in PRESETS.items() if each != "custom"},
        goals=wetink.content.signals.all_goals,
        goal=name,
        models=MODELS,
        model=model,
    )


MOST = 50
"""Conversions that are listed on a page."""
SCANNED = 5_000
"""Conversions that a page with a filter reads."""


def _credits(found: Attribution, what: ReportQuery, emails: Mapping[str, str], aliases: Mapping[str, str]) -> bool:
    """Return whether a conversion is on a day of a report, and an open or click that it admits gets credit for it."""
    if not what.only.includes(day_of(found.conversion.at, what.days.zone)):
        return False
    if replace(what.only, weekday=None) == ALL:
        return True
    return any(what.only.admits(present(credit.touch, aliases), emails) for credit in found.credits)


def _place(text: str) -> tuple[int, str] | None:
    """Return the place in the list that a page continues after; None for the start of the list."""
    at, _, id = text.partition(" ")
    return (int(at), id) if at.isascii() and at.isdigit() and len(at) <= len(str(FOREVER)) else None


async def conversion(request: Request) -> Response:
    """Show one conversion with all touches around it, and the credits under each model."""
    wetink, query = wetink_of(request), request.query_params
    goal, wanted = query.get("goal", "")[:64], request.path_params["id"]
    if goal:
        named(wetink.content.signals.all_goals, goal, "goal")
    model = query.get("model", "") if query.get("model", "") in MODELS else ""
    found, *others = await wetink.reports.compared(
        wetink.content, wanted, (model, *MODELS), goal=goal, at=whole(query.get("at")) or 0
    )
    shares: dict[str, dict[str, float]] = {}
    for each, other in zip(MODELS, others, strict=True):
        parts: dict[str, float] = defaultdict(float)
        for credit in other.credits:
            parts[credit.touch.block] += credit.part
        shares[each] = dict(parts)
    touches = [(credit.touch, credit.part, credit.why) for credit in found.credits]
    touches += [(loss.touch, 0.0, loss.why) for loss in found.losses]
    return page(
        request,
        "results/conversion.html",
        found=found,
        touches=sorted(touches, key=lambda each: -each[0].at),
        shares=shares,
        titles=known_titles(wetink),
        small=small_of,
        models=MODELS,
    )
