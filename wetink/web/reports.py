"""Reports for programs, with the dashboard's token as Bearer.

GET /api/report               `?by=` some of block, email, variant, campaign, audience, device, day, weekday;
                              `?range=28d`, `?from=&to=`, `?days=14` or `?since=&until=`; `?block=`, `?variant=`,
                              `?campaign=`, `?email=`, `?audience=`, `?device=`, `?weekday=`, `?goal=`, `?model=`,
                              `?currency=`; `/api/report.csv` returns CSV
GET /api/conversions          the credit of each conversion, its rule, and why other touches lost; `?days=`,
                              `?goal=`, `?model=`
GET /api/conversions/{id}     one conversion, with all touches around it
GET /api/experiments          the names of all experiments
GET /api/experiments/{name}   the result of one experiment
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wetink.core.signals.attribution import Attribution
from wetink.core.signals.report import Line, flat, in_currency, table, total
from wetink.web.api import allowed, json_response
from wetink.web.report_query import ReportQuery, report_query
from wetink.web.request import now_ms
from wetink.wiring import Wetink


async def lines_of(wetink: Wetink, what: ReportQuery) -> list[Line]:
    """Return the lines of a report. Raises BadRequest for an unknown goal, model or column."""
    [lines] = await wetink.reports.broken_down(
        wetink.content, what.days, (what.by,), what.only, goal=what.goal, model=what.model
    )
    return in_currency(lines, what.currency)


async def report(request: Request) -> Response:
    """Return a report as JSON."""
    wetink = allowed(request)
    what = report_query(request, wetink.content.signals.zone, now_ms())
    lines = await lines_of(wetink, what)
    name, _, model = wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
    lifts = await wetink.experiments.lifts(wetink.content) if "block" in what.by else {}
    return json_response(
        {
            "since": what.days.since,
            "until": what.days.end,
            "zone": what.days.zone,
            "goal": name,
            "model": model,
            "lines": [flat(line, lifts) for line in lines],
            "total": flat(total(lines)),
        }
    )


async def report_csv(request: Request) -> Response:
    """Return a report as CSV."""
    wetink = allowed(request)
    what = report_query(request, wetink.content.signals.zone, now_ms())
    return as_csv(await lines_of(wetink, what), what.by, await wetink.experiments.lifts(wetink.content))


def as_csv(lines: Sequence[Line], by: Sequence[str], lifts: dict[str, str]) -> Response:
    """Return a report as a CSV download."""
    headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="wetink-report.csv"'}
    return Response(table(lines, by, lifts), media_type="text/csv; charset=utf-8", headers=headers)


async def conversions(request: Request) -> Response:
    """Return the credits of each conversion, the oldest first."""
    wetink = allowed(request)
    what = report_query(request, wetink.content.signals.zone, now_ms())
    batches = wetink.reports.attributions(wetink.content, *what.days.span, goal=what.goal, model=what.model)
    first = await anext(batches, ())  # raises any error of the query
    return StreamingResponse(
        _listed(first, batches), media_type="application/json", headers={"cache-control": "no-store"}
    )


async def _listed(first: Sequence[Attribution], others: AsyncIterator[Sequence[Attribution]]) -> AsyncIterator[bytes]:
    """Yield a JSON list in pieces, which holds only a few conversions in memory."""
    yield b"[" + _items(first)
    async for batch in others:
        yield b"," + _items(batch)
    yield b"]"


def _items(batch: Sequence[Attribution]) -> bytes:
    return msgspec.json.encode(batch)[1:-1]


async def conversion(request: Request) -> Response:
    """Return one conversion with all touches around it."""
    wetink, query = allowed(request), request.query_params
    name = request.path_params["id"]
    return json_response(
        await wetink.reports.explained(wetink.content, name, goal=query.get("goal", ""), model=query.get("model", ""))
    )


async def experiments(request: Request) -> Response:
    """Return the names of all experiments, each with its block."""
    wetink = allowed(request)
    return json_response(
        [{"name": name, "block": block} for name, (_, block) in wetink.experiments.plans(wetink.content).items()]
    )


async def experiment(request: Request) -> Response:
    """Return an experiment's result."""
    wetink = allowed(request)
    return json_response(await wetink.experiments.result(wetink.content, request.path_params["name"]))
