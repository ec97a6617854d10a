"""People: a table of profiles with filters; one person's identifiers, timeline, and decisions at a chosen moment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.audiences.directory import Row, full_name
from wetink.core.errors import BadContent, NotFound
from wetink.core.identity.identifier import STRENGTH, Identifier
from wetink.core.rules.parse import parse as rule_of
from wetink.insights.timeline import Entry, at_of, timeline
from wetink.opens.recipient import parse
from wetink.ports.audiences import Count
from wetink.ports.ledger import Opened
from wetink.web.dashboard.content.preview import EVENTS as EVENTS_IF
from wetink.web.dashboard.content.preview import sight, supposed
from wetink.web.dashboard.page.formats import day
from wetink.web.dashboard.page.query import DEVICES, SCHEMES, field_of, moment_of, time_of, wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms

PAGE, FARTHEST = 50, 1_000
"""People of a page, and how many may come before a page. Those of one audience have no such limit."""
TESTS = (
    ("equals", "is"),
    ("not_equals", "is not"),
    ("contains", "contains"),
    ("at_least", "is at least"),
    ("at_most", "is at most"),
    ("exists", "is set"),
    ("missing", "is not set"),
)
"""Comparisons of the filter: an operator of rules, except for `missing`, and its words."""
NUMBERS = ("at_least", "at_most")
SWITCHES = {"exists": True, "missing": False}


class Filter(msgspec.Struct, frozen=True):
    """The filter of the table as entered; `problem` is the error of its value."""

    audience: str = ""
    trait: str = ""
    test: str = "equals"
    value: str = ""
    problem: str = ""


class Found(msgspec.Struct, frozen=True):
    """Some people. `older` is the query of the next page, empty after the last."""

    rows: Sequence[Row]
    count: Count | None = None
    older: str = ""


async def people(request: Request) -> Response:
    """List people by newest message, by the start of an identifier, or by audience and trait."""
    query = request.query_params
    entered = query.get("q", "").strip()[:512]
    chosen = filter_of(query)
    found = await (_matching(request, chosen) if chosen.audience or chosen.trait else _newest(request, entered))
    return page(
        request,
        "people/people.html",
        entered=entered,
        exact=parse(entered),
        found=found,
        chosen=chosen,
        audiences=(saved := wetink_of(request).content.audiences),
        audience_choices=[(name, each.called) for name, each in sorted(saved.items())],
        tests=TESTS,
        farthest=FARTHEST,
    )


def filter_of(query: Mapping[str, str]) -> Filter:
    """Return the filter of a query.

    >>> filter_of({"trait": "visits", "test": "at_least", "value": "many"}).problem
    'Enter a number, such as 3'
    """
    test = query.get("test", "")
    test = test if test in dict(TESTS) else "equals"
    found = Filter(
        query.get("audience", "")[:80], query.get("trait", "").strip()[:80], test, query.get("value", "").strip()[:200]
    )
    problem = ""
    if found.trait and test in NUMBERS and _number(found.value) is None:
        problem = "Enter a number, such as 3"
    elif found.trait and test not in SWITCHES and not found.value:
        problem = "Enter a value"
    return msgspec.structs.replace(found, problem=problem)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


async def _newest(request: Request, entered: str) -> Found:
    kind, colon, value = entered.partition(":")
    search = value.strip() if colon and kind in STRENGTH else entered
    start = min(whole(request.query_params.get("start")) or 0, FARTHEST)
    rows = await wetink_of(request).directory.newest(search, start, PAGE + 1, now_ms())
    return _page(rows, {"q": entered}, start)


async def _matching(request: Request, chosen: Filter) -> Found:
    wetink, query, now = wetink_of(request), request.query_params, now_ms()
    if chosen.problem or (chosen.audience and chosen.audience not in wetink.content.audiences):
        return Found(())
    same = {"audience": chosen.audience, "trait": chosen.trait, "test": chosen.test, "value": chosen.value}
    if not chosen.trait:
        rows = await wetink.directory.members(chosen.audience, PAGE + 1, parse(query.get("after", "")), now)
        older = {"audience": chosen.audience, "after": str(rows[PAGE - 1].root)} if len(rows) > PAGE else {}
        return Found(rows[:PAGE], older=urlencode(older))
    value: Any = _number(chosen.value) if chosen.test in NUMBERS else chosen.value
    test = ("exists", SWITCHES[chosen.test]) if chosen.test in SWITCHES else (chosen.test, value)
    rules = [{"audience": chosen.audience}] if chosen.audience else []
    start = min(whole(query.get("start")) or 0, FARTHEST)
    try:
        rule = rule_of({"all": [*rules, {"trait": chosen.trait, **dict([test])}]})
    except BadContent:
        return Found(())
    count, rows = await wetink.directory.matching(
        wetink.content.audiences, rule, start, PAGE + 1, moment_of(request, now)
    )
    return msgspec.structs.replace(_page(rows, same, start), count=count)


def _page(rows: Sequence[Row], query: Mapping[str, str], start: int) -> Found:
    """Return a page of one row more than it shows."""
    goes_on = len(rows) > PAGE and start + PAGE <= FARTHEST
    given = {name: value for name, value in query.items() if value}
    return Found(rows[:PAGE], older=urlencode({**given, "start": start + PAGE}) if goes_on else "")


SHOWN = 50
"""Identifiers on one page."""


async def person(request: Request) -> Response:
    """Show the person as of `at`, and their decision in `block` then."""
    who = _who(request)
    wetink, now = wetink_of(request), now_ms()
    moment = moment_of(request, now)
    found = await wetink.opens.person(who, moment.now)
    after = parse(request.query_params.get("after", ""))
    names = found.identifiers or (who,)
    if after is not None:
        names = (await wetink.store.profiles.profile(who, moment.now, limit=SHOWN + 1, after=after)).identifiers
    blocks = wetink.content.listed
    suppose = await supposed(wetink, request.query_params, moment.now)
    chosen = blocks.get(request.query_params.get("block", "")) or next(iter(blocks.values()), None)
    root = await wetink.store.profiles.resolve(who, moment.now)
    inside = (await wetink.audiences.memberships.of([root])).get(root, ())
    return page(
        request,
        "people/person.html",
        who=who,
        person=found,
        called=full_name(found.traits),
        identifiers=names[:SHOWN],
        next_names=_next(request, names) if len(names) > SHOWN else "",
        audiences=[each for name in inside if (each := wetink.content.audiences.get(name)) is not None],
        blocks=blocks,
        sight=await sight(wetink, chosen, who, moment, suppose) if chosen is not None else None,
        at=field_of(moment.now) if request.query_params.get("at") else "",
        moment=moment,
        devices=DEVICES,
        schemes=SCHEMES,
        suppose=suppose,
        form=request.query_params,
        if_events=EVENTS_IF,
        **await _timeline(request, who, moment.now),
    )


async def happened(request: Request) -> Response:
    """Return one page of a person's timeline, as a part of their page."""
    return page(
        request, "people/timeline.html", **await _timeline(request, _who(request), moment_of(request, now_ms()).now)
    )


async def _timeline(request: Request, who: Identifier, now: int) -> dict[str, Any]:
    """Return the template values of a person's timeline as of `now`, up to the query's `until` (Unix ms)."""
    wetink, query = wetink_of(request), request.query_params
    profile = await wetink.store.profiles.profile(who, now)
    until = min(time_of(query.get("until", ""), now), now)
    names = profile.identifiers or (who,)
    found = await timeline(wetink.store, wetink.reports, profile.root, names, now, until)
    older = {"until": found.older, **({"at": query["at"]} if query.get("at") else {})}
    return {
        "timeline_of": who,
        "days": by_day(found.entries, now_ms()),
        "older": urlencode(older) if found.older is not None else "",
        "later": until < now,
        "blocks_by_name": wetink.content.blocks,
    }


def _who(request: Request) -> Identifier:
    """Return the identifier in the path. Raises NotFound."""
    entered = request.path_params["who"]
    who = parse(entered)
    if who is None:
        raise NotFound(
            f"{entered[:80]!r} is not an identifier", hint="write user:42, email:jane@shop.example or anonymous:x"
        )
    return who


def _next(request: Request, names: Sequence[Identifier]) -> str:
    """Return the URL of the page with the next identifiers."""
    return "?" + urlencode({**request.query_params, "after": str(names[SHOWN - 1])})


def by_day(entries: Iterable[Entry], now: int) -> list[tuple[str, list[tuple[int, Entry, bool]]]]:
    """Group entries by their day (UTC), in the given order, each with its time and whether it is an open."""
    days: list[tuple[str, list[tuple[int, Entry, bool]]]] = []
    for entry in entries:
        at = at_of(entry)
        name = day(at, now)
        if not days or days[-1][0] != name:
            days.append((name, []))
        days[-1][1].append((at, entry, isinstance(entry, Opened)))
    return days
