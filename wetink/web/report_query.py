"""Report query: the days, breakdown, filters and terms of a report, as they stand in an address."""

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from wetink.core.errors import BadRequest
from wetink.core.signals.date_range import (
    COMPARISONS,
    DAY_MS,
    MOST_DAYS,
    PRESETS,
    Against,
    DateRange,
    custom_range,
    days_within,
    last_days,
    preset_range,
)
from wetink.core.signals.device_class import DEVICE_CLASSES
from wetink.core.signals.report import ALL, DIMENSIONS, WEEKDAYS, Filter
from wetink.web.dashboard.page.query import number_in, time_in

USUAL_DAYS = 14
NOTHING = "~"
"""A filter for the empty value: the fallback of a variant, or no campaign."""
FILTERS = ("block", "email", "variant", "campaign", "audience", "device", "weekday")
SPAN = ("since", "until", "days", "from", "to", "range")
"""The parameters of the days. A report with invalid ones is not replaced by the default report."""


class ReportQuery(msgspec.Struct, frozen=True):
    """A report's query. `preset` names its days."""

    days: DateRange
    preset: str = "custom"
    against: Against = "none"
    by: tuple[str, ...] = ("block",)
    only: Filter = ALL
    goal: str = ""
    model: str = ""
    currency: str = ""

    def address(self, **changes: object) -> str:
        """Return the query as text for an address, with some parameters changed; None leaves one out."""
        given = {**dict(self.fields()), **changes}
        return urlencode({name: value for name, value in given.items() if value not in (None, "")})

    def fields(self) -> list[tuple[str, str]]:
        """Return the query's parameters with their values."""
        given: dict[str, str | None] = {"range": self.preset if self.preset != "custom" else None}
        if self.preset == "custom":
            given |= {"from": self.days.first.isoformat(), "to": self.days.last.isoformat()}
        given["compare"] = self.against
        given["by"] = ",".join(self.by)
        for name in FILTERS:
            value = getattr(self.only, name)
            given[name] = NOTHING if value == "" else value
        given |= {"goal": self.goal, "model": self.model, "currency": self.currency}
        return [(name, value) for name, value in given.items() if value]


def usual(now: int, zone: str) -> ReportQuery:
    """Return the default report: the last two weeks, by block."""
    return ReportQuery(last_days(USUAL_DAYS, now, zone), f"{USUAL_DAYS}d")


def report_query(request: Request, zone: str, now: int) -> ReportQuery:
    """Return the report that a request's query selects. Raises BadRequest with the wrong parameter's name."""
    query = request.query_params
    days, preset = days_in(query, zone, now)
    against = query.get("compare", "").strip()[:20] or "none"
    if against not in COMPARISONS:
        raise BadRequest(
            f"compare: {against!r} is not a comparison", hint=f"compare: {', '.join(COMPARISONS)}", where="compare"
        )
    by = tuple(dict.fromkeys(each.strip() for each in query.get("by", "block").split(",") if each.strip()))
    unknown = [each for each in by if each not in DIMENSIONS]
    if unknown:
        raise BadRequest(f"nothing is counted by {unknown[0][:64]!r}", hint=f"by: {', '.join(DIMENSIONS)}", where="by")
    only = filter_in(query)
    if all(name in by or getattr(only, name) is not None for name in ("audience", "device")):
        raise BadRequest("by: an open is counted by audience or by device, not by both", where="by")
    return ReportQuery(
        *(days, preset, against, by, only),
        goal=query.get("goal", "")[:64],
        model=query.get("model", "")[:64],
        currency=query.get("currency", "")[:8].upper(),
    )


def filter_in(query: Mapping[str, str]) -> Filter:
    """Return the filter in a query. An empty parameter means any value, and `~` the empty one.

    Raises BadRequest with the wrong parameter's name.
    """
    given = {name: query.get(name, "").strip()[:256] for name in FILTERS}
    for name, known in (("device", [*DEVICE_CLASSES]), ("weekday", WEEKDAYS)):
        if given[name] and given[name] not in known:
            hint = f"{name}: {', '.join(known)}"
            raise BadRequest(f"{name}: there is no {name} {given[name][:64]!r}", hint=hint, where=name)
    return Filter(**{name: "" if value == NOTHING else value for name, value in given.items() if value})


def days_in(query: Mapping[str, str], zone: str, now: int) -> tuple[DateRange, str]:
    """Return the days that a query selects, and their preset.

    They are a `range`, `from` and `to`, or some `days` up to now or to `until`. Raises BadRequest with the wrong
    parameter's name.
    """
    preset = query.get("range", "").strip()[:20]
    if preset and preset != "custom":
        if preset not in PRESETS:
            raise BadRequest(f"range: there is no range {preset!r}", hint=f"range: {', '.join(PRESETS)}", where="range")
        return preset_range(preset, now, zone), preset
    if preset or "from" in query or "to" in query:
        return custom_range(query.get("from", ""), query.get("to", ""), zone), "custom"
    count = number_in(query, "days", USUAL_DAYS, 1, MOST_DAYS)
    until = time_in(query, "until", now + 1)
    if not query.get("since", "").strip():
        preset = f"{count}d" if f"{count}d" in PRESETS and until == now + 1 else "custom"
        return last_days(count, max(until - 1, 0), zone), preset
    since = time_in(query, "since", 0)
    if since > until:
        raise BadRequest("since: it is later than until", where="since")
    if until - since > MOST_DAYS * DAY_MS:
        raise BadRequest(f"since: at most {MOST_DAYS:,} days before until", where="since")
    return days_within(since, until, zone), "custom"
