"""Reports: the results of any days beside those before, by any dimension, as figures, a chart, a table and CSV."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadRequest, sentences
from wetink.core.signals.change import Change
from wetink.core.signals.date_range import COMPARISONS, PRESETS, Against, DateRange, compared_with
from wetink.core.signals.device_class import DEVICE_CLASSES
from wetink.core.signals.figures import FIGURES, change, figure, main_currency, matched
from wetink.core.signals.goal import MODELS
from wetink.core.signals.report import Line, in_currency, total
from wetink.web.dashboard.page.charts import Chart, Series, Unit
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.report_query import FILTERS, SPAN, ReportQuery, report_query, usual
from wetink.web.reports import as_csv, lines_of
from wetink.web.request import now_ms
from wetink.wiring import Wetink

ROWS = 200
"""Lines on a page. The CSV has all."""
BREAKDOWNS: dict[str, str] = {
    "block": "Block",
    "block,variant": "Block and variant",
    "variant": "Variant",
    "campaign": "Campaign",
    "email": "Email",
    "audience": "Audience",
    "device": "Device",
    "day": "Day",
    "weekday": "Weekday",
}
UNITS: dict[str, Unit] = {"rate": "percent", "revenue": "money"}
DEEPER: dict[str, str] = {
    "block": "variant",
    "email": "block",
    "campaign": "block",
    "variant": "campaign",
    "audience": "block",
    "device": "block",
    "weekday": "block",
}
"""Dimension -> the one that a report of one of its values is broken down by."""


class Row(msgspec.Struct, frozen=True):
    """A line of the table: its titles, the line, its changes by figure, and the addresses behind it."""

    names: tuple[tuple[str, str, str], ...]
    """For each dimension: its name, the value and its title."""
    line: Line
    changes: dict[str, Change | None]
    report: str
    """The query of the report on this line alone; empty if it cannot be narrowed further."""
    behind: str
    """The query of the lists of opens, clicks and orders behind this line."""


async def reports(request: Request) -> Response:
    """Show a report with its filters. Invalid filters are reported, and the default report is shown."""
    wetink, now = wetink_of(request), now_ms()
    what, problem, where = asked(request, wetink, now, usually="before")
    before = compared_with(what.days, what.against, now)
    lines, by_day = await wetink.reports.broken_down(
        *(wetink.content, what.days, (what.by, ("day",)), what.only), goal=what.goal, model=what.model
    )
    others: list[Line] = []
    other_days: list[Line] = []
    if before is not None:
        others, other_days = await wetink.reports.broken_down(
            *(wetink.content, before, (what.by, ("day",)), what.only), goal=what.goal, model=what.model
        )
    whole, whole_before = total(by_day), total(other_days)
    if not (whole_before.pictures or whole_before.opens or whole_before.orders):
        before = None  # everything would be new
    currency = what.currency or main_currency(whole)
    shown = request.query_params.get("show", "opens")
    shown = shown if shown in FIGURES else "opens"
    sort = request.query_params.get("sort", "")
    rows = _rows(wetink, what, in_currency(lines, what.currency), others, before, currency)
    name, _, model = wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
    return await asyncio.to_thread(
        page,
        request,
        "results/reports.html",
        status=status_of(where),
        problem=problem,
        where=where,
        report=what,
        before=before,
        nothing_before=before is None and what.against != "none",
        rows=_sorted(rows, what, sort, currency)[:ROWS],
        count=len(rows),
        sort=sort,
        total=in_currency([whole], what.currency)[0],
        changes=changes_of(whole, whole_before, currency) if before is not None else {},
        figures=FIGURES,
        figure=figure,
        shown=shown,
        chart=chart_of(what.days, before, by_day, other_days, shown, currency),
        as_table=request.query_params.get("view") == "table",
        currency=currency,
        currencies=sorted(whole.revenue),
        presets={each: words for each, words in PRESETS.items() if each != "custom"},
        comparisons=COMPARISONS,
        blocks=titles_of(wetink),
        audiences=audience_titles(wetink),
        devices=DEVICE_CLASSES,
        apart=what.only.part is not None or not {"audience", "device"}.isdisjoint(what.by),
        views=wetink.content.reporting.views,
        address=wetink.settings.address,
        breakdowns=BREAKDOWNS,
        filters=filters_of(wetink, what),
        goals=wetink.content.signals.all_goals,
        goal=name,
        models=MODELS,
        model=model,
        lifts=await wetink.experiments.lifts(wetink.content) if "block" in what.by else {},
        experiments={block: name for name, (_, block) in wetink.experiments.plans(wetink.content).items()},
    )


def asked(request: Request, wetink: Wetink, now: int, *, usually: Against = "none") -> tuple[ReportQuery, str, str]:
    """Return the report that the query selects, without invalid filters, the problem, and its parameter.

    `usually` is the comparison of a query without one.
    """
    zone = wetink.content.signals.zone
    what = usual(now, zone)
    problem = where = ""
    try:
        what = report_query(request, zone, now)
        wetink.reports.chosen_goal(wetink.content, what.goal, what.model)
    except BadRequest as error:
        what = msgspec.structs.replace(what, goal="", model="")
        at_field = error.where in ("from", "to")  # other parameters come from addresses, and have none
        problem = error.sentence if at_field else sentences(str(error), error.hint)
        where = error.where or "model"
    block = wetink.content.aliases.get(what.only.block or "")
    if block is not None:
        what = msgspec.structs.replace(what, only=msgspec.structs.replace(what.only, block=block))
    if "compare" not in request.query_params:
        what = msgspec.structs.replace(what, against=usually)
    return what, problem, where


def status_of(where: str) -> int:
    """Return the status of a page with a problem at a parameter: invalid days are the client's error."""
    return 400 if where in SPAN else 200


def titles_of(wetink: Wetink) -> dict[str, str]:
    """Return the titles of all blocks, by title."""
    titles = {name: block.called for name, block in wetink.content.blocks.items()}
    return dict(sorted(titles.items(), key=lambda each: each[1].casefold()))


def audience_titles(wetink: Wetink) -> dict[str, str]:
    """Return the titles of all audiences, by title."""
    titles = {name: audience.called for name, audience in wetink.content.audiences.items()}
    return dict(sorted(titles.items(), key=lambda each: each[1].casefold()))


def known_titles(wetink: Wetink) -> dict[str, str]:
    """Return the titles of all blocks by name, with those of renamed ones by their earlier names."""
    titles = titles_of(wetink)
    return {old: titles.get(new, new) for old, new in wetink.content.aliases.items()} | titles


def _title(wetink: Wetink, dimension: str, value: str) -> str:
    if dimension == "block":
        block = wetink.content.answering(value)
        return (block.title if block is not None else "") or value
    if dimension == "audience":
        audience = wetink.content.audiences.get(value)
        return (audience.title if audience is not None else "") or value
    if dimension == "device":
        return DEVICE_CLASSES.get(value, value)
    return value or {"variant": "Fallback", "campaign": "No campaign", "email": "No email"}.get(dimension, "")


def filters_of(wetink: Wetink, what: ReportQuery) -> list[tuple[str, str, str]]:
    """Return the filters that are on: the dimension, the value's title, and the report without it."""
    given = {name: getattr(what.only, name) for name in FILTERS}
    return [
        (name, _title(wetink, name, value), what.address(**{name: None}))
        for name, value in given.items()
        if value is not None
    ]


def _rows(
    wetink: Wetink,
    what: ReportQuery,
    lines: Sequence[Line],
    others: Sequence[Line],
    before: DateRange | None,
    currency: str,
) -> list[Row]:
    days = [day.isoformat() for day in what.days.dates] if "day" in what.by else []
    other_days = [day.isoformat() for day in before.dates] if before is not None and days else []
    rows = []
    for line, other in zip(lines, matched(lines, others, days, other_days), strict=True):
        narrowed: dict[str, object] = {}
        for name, value in line.key.items():
            if name in FILTERS:
                narrowed[name] = value or "~"
            elif name == "day":
                narrowed |= {"range": None, "from": value, "to": value}
        deeper = next((DEEPER[name] for name in line.key if name in DEEPER and len(line.key) == 1), "")
        rows.append(
            Row(
                tuple((name, value, _title(wetink, name, value)) for name, value in line.key.items()),
                line,
                changes_of(line, other, currency) if before is not None else {},
                what.address(**{**narrowed, "by": deeper}) if deeper else "",
                what.address(**{**narrowed, "by": None, "compare": None}),
            )
        )
    return rows


def changes_of(now: Line, before: Line | None, currency: str) -> dict[str, Change | None]:
    """Return how each figure has changed, by its name."""
    return {name: change(now, before, name, currency) for name in FIGURES}


def _sorted(rows: Sequence[Row], what: ReportQuery, sort: str, currency: str) -> list[Row]:
    """Return rows in the order of a figure, the largest first; by default of opens, and days and weekdays in theirs."""
    if sort not in FIGURES:
        if what.by[:1] in (("day",), ("weekday",)):
            return list(rows)
        sort = "opens"
    return sorted(rows, key=lambda row: _order(row.line, sort, currency))


def _order(line: Line, sort: str, currency: str) -> tuple[float, tuple[str, ...]]:
    """Return the sort key of a line: the largest figure first, then by key."""
    return -(figure(line, sort, currency) or 0.0), tuple(line.key.values())


def chart_of(
    days: DateRange,
    before: DateRange | None,
    lines: Sequence[Line],
    others: Sequence[Line],
    shown: str,
    currency: str,
) -> Chart:
    """Return the chart of a figure by day, with the days that it is compared with as a dashed line."""

    def values(found: DateRange, known: Mapping[str, Line]) -> tuple[float | None, ...]:
        return tuple(figure(known.get(day.isoformat()), shown, currency) for day in found.dates)

    def series(words: str, found: DateRange, own: Sequence[Line], **more: Any) -> Series:
        return Series(words, values(found, {line.key["day"]: line for line in own}), **more)

    made = [series(FIGURES[shown], days, lines)]
    labels = tuple(day.isoformat() for day in days.dates)
    if before is not None:
        other = series("before", before, others, dashed=True, labels=tuple(day.isoformat() for day in before.dates))
        made.append(other)
    unit = UNITS.get(shown, "count")
    return Chart(FIGURES[shown], labels, tuple(made), unit, currency if unit == "money" else "")


async def reports_csv(request: Request) -> Response:
    """Return the same report as CSV, with all of its lines, in the order of a figure with `sort`."""
    wetink, sort = wetink_of(request), request.query_params.get("sort", "")
    what = report_query(request, wetink.content.signals.zone, now_ms())
    lines = await lines_of(wetink, what)
    if sort in FIGURES:
        currency = what.currency or main_currency(total(lines))
        lines = sorted(lines, key=lambda line: _order(line, sort, currency))
    return as_csv(lines, what.by, await wetink.experiments.lifts(wetink.content))
