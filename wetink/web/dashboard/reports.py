"""Reports: results by block, variant, campaign or day, under any model, in any currency, and as CSV."""

import asyncio
from collections import defaultdict
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadRequest
from wetink.core.identity.holding import FOREVER
from wetink.core.signals.attribution import Attribution
from wetink.core.signals.experiment_result import METRICS
from wetink.core.signals.goal import MODELS
from wetink.core.signals.report import DAY_MS, DIMENSIONS, Line, in_currency, total
from wetink.insights.conversions import by_time
from wetink.web.dashboard import charts
from wetink.web.dashboard.query import named, wetink_of, whole
from wetink.web.dashboard.render import page
from wetink.web.reports import ReportQuery, as_csv, lines_of, report_query, usual
from wetink.web.request import now_ms
from wetink.wiring import Wetink

RANGES = (7, 14, 30, 90, 365)
SPAN = ("since:", "until:", "days:")
"""Prefixes of problems with a report's days. Such a report is not replaced by the default one."""


async def reports(request: Request) -> Response:
    """Show a report with its filters. Invalid filters are reported, and the default report is shown."""
    wetink, now = wetink_of(request), now_ms()
    what, problem = _report_query(request, wetink, now)
    every, by_day = await wetink.reports.broken_down(
        wetink.content, what.since, what.until, (what.by, ("day",)), block=what.block, goal=what.goal, model=what.model
    )
    lines = in_currency(every, what.currency)
    whole = total(every)
    currency = what.currency or max(whole.revenue, key=lambda code: whole.revenue[code], default="")
    name, _, model = wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
    days = {int(line.key["day"]): line for line in by_day}
    span = range(what.since - what.since % DAY_MS, what.until, DAY_MS)
    return await asyncio.to_thread(  # rendering ten years of days takes a second
        page,
        request,
        "reports.html",
        status=_status(problem),
        problem=problem,
        report=what,
        lines=lines if what.by == ("day",) else sorted(lines, key=lambda line: (-line.unique_opens, str(line.key))),
        total=total(lines),
        currency=currency,
        currencies=sorted(whole.revenue),
        opens=charts.bars([(day, _opens(days.get(day))) for day in span]),
        money=charts.bars([(day, (_money(days.get(day), currency),)) for day in span]),
        ranges=RANGES,
        days=len(span),
        blocks=sorted(wetink.content.blocks),
        dimensions=DIMENSIONS,
        goals=wetink.content.signals.all_goals,
        goal=name,
        models=MODELS,
        model=model,
        lifts=await wetink.experiments.lifts(wetink.content) if "block" in what.by else {},
        experiments={block: name for name, (_, block) in wetink.experiments.plans(wetink.content).items()},
        query=str(request.url.query),
    )


def _report_query(request: Request, wetink: Wetink, now: int) -> tuple[ReportQuery, str]:
    """Return the report that the query selects, without invalid filters, and the problem."""
    what = usual(now)
    try:
        what = report_query(request, now)
        wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
        if any(each not in DIMENSIONS for each in what.by):
            raise BadRequest("unknown breakdown", hint=f"by: {', '.join(DIMENSIONS)}")
    except BadRequest as error:
        return ReportQuery(
            what.since, what.until, block=what.block
        ), f"{error}{f' ({error.hint})' if error.hint else ''}"
    return what, ""


def _status(problem: str) -> int:
    return 400 if problem.startswith(SPAN) else 200


def _opens(line: Line | None) -> tuple[float, float]:
    return (line.unique_opens, line.unique_clicks) if line is not None else (0, 0)


def _money(line: Line | None, currency: str) -> float:
    return line.revenue.get(currency, 0.0) if line is not None else 0.0


async def reports_csv(request: Request) -> Response:
    """Return the same report as CSV."""
    wetink = wetink_of(request)
    what = report_query(request, now_ms())
    return as_csv(await lines_of(wetink, what), what.by, await wetink.experiments.lifts(wetink.content))


async def conversions(request: Request) -> Response:
    """List the conversions of a span, the newest first, with the credited touches. `before` continues a list."""
    wetink, now = wetink_of(request), now_ms()
    what, problem = _report_query(request, wetink, now)
    name, _, model = wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
    whole = await wetink.reports.credits(wetink.content, what.since, what.until, goal=what.goal, model=what.model)
    before = _place(request.query_params.get("before", ""))
    until = min(what.until, before[0] + 1) if before is not None else what.until
    found: list[Attribution] = []
    batches = wetink.reports.attributions(
        wetink.content, what.since, until, goal=what.goal, model=what.model, newest=True
    )
    async with aclosing(batches):
        async for batch in batches:
            found += [each for each in batch if before is None or by_time(each) < before]
            if len(found) > MOST:
                break
    more = len(found) > MOST
    found = found[:MOST]
    return page(
        request,
        "conversions.html",
        status=_status(problem),
        problem=problem,
        found=found,
        count=whole.conversions,
        credited=whole.credited,
        unclear=whole.unclear,
        before=before,
        more=request.url.include_query_params(before=_written(found[-1])).query if more else "",
        newest=request.url.remove_query_params("before").query,
        ranges=RANGES,
        days=len(range(what.since - what.since % DAY_MS, what.until, DAY_MS)),
        goals=wetink.content.signals.all_goals,
        goal=name,
        models=MODELS,
        model=model,
    )


MOST = 50
"""Conversions that are listed on a page."""


def _place(text: str) -> tuple[int, str] | None:
    """Return the place in the list that a page continues after; None for the start of the list."""
    at, _, id = text.partition(" ")
    return (int(at), id) if at.isascii() and at.isdigit() and len(at) <= len(str(FOREVER)) else None


def _written(found: Attribution) -> str:
    return f"{found.conversion.at} {found.conversion.id}"


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
        "conversion.html",
        found=found,
        touches=sorted(touches, key=lambda each: -each[0].at),
        shares=shares,
        models=MODELS,
    )


async def experiments(request: Request) -> Response:
    """List all experiments with their results."""
    wetink = wetink_of(request)
    found = [await wetink.experiments.result(wetink.content, name) for name in wetink.experiments.plans(wetink.content)]
    return page(request, "experiments.html", found=found)


async def experiment(request: Request) -> Response:
    """Show one experiment."""
    wetink, name = wetink_of(request), request.path_params["name"]
    found = await wetink.experiments.result(wetink.content, name)
    plan, block = wetink.experiments.plans(wetink.content)[name]
    metric = request.query_params.get("metric", "orders")
    metric = metric if metric in METRICS else "orders"
    limit = {each: charts.limit_of(found.lifts[each], plan.worth) for each in METRICS}
    return page(
        request,
        "experiment.html",
        found=found,
        plan=plan,
        block=wetink.content.blocks.get(block),
        metric=metric,
        metrics=METRICS,
        limits=limit,
        whiskers={each: [(lift, charts.whisker(lift, limit[each])) for lift in found.lifts[each]] for each in METRICS},
        course=charts.course(found.course[metric], plan.worth),
    )
