"""Past opens: the opens and clicks behind a report's figures, and each open's decision and picture, drawn again."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.client_classification import Kind
from wetink.core.errors import NotFound, WetinkError
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import TOGETHER_MS, Touch
from wetink.core.signals.date_range import PRESETS
from wetink.core.signals.device_class import DEVICE_CLASSES
from wetink.core.signals.report import ALL
from wetink.opens.drawing import weight
from wetink.opens.recipient import parse
from wetink.ports.ledger import Listed, Opened, TouchPlace, TouchQuery
from wetink.web.dashboard.content.preview import Sight
from wetink.web.dashboard.page.images import image, no_image
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.results.reports import (
    asked,
    audience_titles,
    filters_of,
    known_titles,
    status_of,
    titles_of,
)
from wetink.web.report_query import ReportQuery
from wetink.web.request import now_ms
from wetink.wiring import Wetink

PAGE = 60
"""Opens or clicks on a page."""
KEPT = {"cache-control": "private, max-age=3600"}
"""How long a browser keeps a thumbnail: the picture of a past open does not change."""
NONE = b"""<svg xmlns="http://www.w3.org/2000/svg" width="100" height="60" viewBox="0 0 100 60">\
<rect x=".5" y=".5" width="99" height="59" rx="6" fill="none" stroke="#9ba0ac" stroke-dasharray="3 3"/></svg>"""
"""The thumbnail of what the archive does not have."""

CLASSES: tuple[Kind, ...] = get_args(Kind)
FETCHED: dict[str, str] = {
    "people": "People",
    "machines": "Machines",
    "person": "People, seen directly",
    "proxy": "People, through a mail proxy",
    "unknown": "Unknown clients",
    "prefetch": "Prefetches",
    "scanner": "Scanners",
}
"""Who fetched -> the words. The first two are those of a report's figures; the others are classes."""


HUMAN = ("people", "person", "proxy", "unknown")
"""Those of them that count as people's."""


class Group(msgspec.Struct, frozen=True):
    """Opens or clicks of one email by one person at the same moment, one for each block."""

    recipient: Identifier | None
    campaign: str
    at: int
    touches: tuple[Touch, ...]


async def opens(request: Request) -> Response:
    """List the opens or clicks of a range, newest first, grouped by email; `before` continues a list."""
    wetink, query, now = wetink_of(request), request.query_params, now_ms()
    what, problem, where = asked(request, wetink, now)
    entered = query.get("who", "").strip()[:512]
    kind: Literal["open", "click"] = "click" if query.get("kind") == "click" else "open"
    fetched = query.get("fetched", "people")
    fetched = fetched if fetched in FETCHED else "people"
    who, before = parse(entered), place_of(query.get("before", ""))
    if entered and who is None:
        problem, where = f"“{entered}” is not an identifier: write user:42 or email:jane@shop.example.", "who"
    wanted = await _wanted(wetink, what, kind, fetched, who, now)
    counted = not entered and fetched in ("people", "machines")
    by_day = what.only != ALL and (what.only.weekday is not None or who is None)
    counts = await _counts(wetink, what, kind, fetched) if counted or by_day else {}
    found = await _listed(wetink, what, wanted, counts if by_day else None, before) if where != "who" else []
    shown = [each.touch for each in found[:PAGE]]
    more = {"kind": kind if kind == "click" else "", "fetched": fetched if fetched != "people" else "", "who": entered}
    more = {name: value for name, value in more.items() if value}
    chosen = wetink.content.answering(what.only.block or "")
    return page(
        request,
        "results/opens.html",
        status=status_of(where),
        problem=problem,
        where=where,
        report=what,
        more=more,
        presets={each: words for each, words in PRESETS.items() if each != "custom"},
        groups=grouped(shown),
        count=sum(counts.values()) if counted else None,
        entered=entered,
        who=who,
        kind=kind,
        fetched=fetched,
        all_fetched=FETCHED,
        blocks=titles_of(wetink),
        titles=known_titles(wetink),
        audiences=audience_titles(wetink),
        devices=DEVICE_CLASSES,
        variants=[each.name for each in chosen.variants] if chosen is not None else [],
        filters=filters_of(wetink, what),
        older=" ".join(map(str, found[PAGE - 1].place)) if len(found) > PAGE else "",
        newest=before is not None,
        days=wetink.settings.archive_days,
        small=small_of,
    )


async def _wanted(
    wetink: Wetink, what: ReportQuery, kind: Literal["open", "click"], fetched: str, who: Identifier | None, now: int
) -> TouchQuery:
    """Return the query of a list. The identifiers of a person's profile are one person. Raises StoreUnavailable."""
    recipients = None
    if who is not None:
        recipients = [str(each) for each in (await wetink.opens.person(who, now)).identifiers or (who,)]
    only, content = what.only, wetink.content
    blocks = None if only.block is None else content.names_of(only.block)
    if only.email is not None:
        inside = [
            each
            for name, block in content.blocks.items()
            if block.email == only.email
            for each in content.names_of(name)
        ]
        blocks = inside if blocks is None else [name for name in blocks if name in inside]
    human = fetched in HUMAN
    return TouchQuery(
        *(*what.days.span, kind, human, blocks, only.variant, only.campaign),
        fetch_class=fetched if fetched in CLASSES else "",
        part=only.part or "",
        recipients=recipients,
    )


async def _listed(
    wetink: Wetink, what: ReportQuery, wanted: TouchQuery, counts: Mapping[str, int] | None, before: TouchPlace | None
) -> list[Listed]:
    """Return one more than a page of a list. With counts, only days that have some are read, the newest first."""
    ledger = wetink.store.ledger
    if counts is None:
        return [*await ledger.listed(wanted, PAGE + 1, before)]
    found: list[Listed] = []
    for day, (since, until) in reversed(list(zip(what.days.dates, what.days.periods, strict=True))):
        if counts.get(day.isoformat()) and (before is None or since <= before[0]) and len(found) <= PAGE:
            found += await ledger.listed(replace(wanted, since=since, until=until), PAGE + 1 - len(found), before)
    return found


async def _counts(wetink: Wetink, what: ReportQuery, kind: str, fetched: str) -> dict[str, int]:
    """Return how many opens or clicks of people, or of machines, each day has, by the report's sums."""
    [lines] = await wetink.reports.counted(wetink.content, what.days, (("day",),), what.only)
    name = {"open": "opens", "click": "clicks"}[kind] if fetched in HUMAN else f"machine_{kind}s"
    return {each.key["day"]: int(getattr(each, name)) for each in lines}


def grouped(touches: Sequence[Touch]) -> list[Group]:
    """Group opens or clicks, newest first, by person, email and moment. A group has each block once.

    >>> times = ("b", 9_000), ("a", 8_900), ("a", 1)
    >>> found = grouped([Touch("open", block, "user:1", "may", at) for block, at in times])
    >>> [(each.at, [touch.block for touch in each.touches]) for each in found]
    [(8900, ['b', 'a']), (1, ['a'])]
    """
    groups: list[list[Touch]] = []
    last: dict[tuple[str, str], list[Touch]] = {}
    for touch in touches:
        key = touch.recipient, touch.campaign
        mine = last.get(key)
        if mine is None or mine[-1].at - touch.at > TOGETHER_MS or any(each.block == touch.block for each in mine):
            mine = last[key] = []
            groups.append(mine)
        mine.append(touch)
    return [Group(parse(each[0].recipient), each[0].campaign, each[-1].at, tuple(each)) for each in groups]


def place_of(text: str) -> TouchPlace | None:
    """Return the place in a list that a page continues after; None for the start.

    >>> place_of("12 -3"), place_of("x 1"), place_of("1")
    ((12, -3), None, None)
    """
    at, _, row = text.partition(" ")
    if not all(each.removeprefix("-").isdecimal() and each.isascii() and len(each) < 19 for each in (at, row)):
        return None
    return int(at), int(row)


def small_of(touch: Touch) -> str:
    """Return the query of what an open or click showed."""
    return urlencode({"block": touch.block, "who": touch.recipient, "campaign": touch.campaign, "at": touch.at})


async def _found(request: Request) -> Opened | None:
    query = request.query_params
    place = place_of(f"{query.get('at', '')} 0")
    if place is None:
        return None
    who, block, campaign = (query.get(name, "")[:512] for name in ("who", "block", "campaign"))
    return await wetink_of(request).thumbnails.opened(who, block, campaign, place[0])


async def shown(request: Request) -> Response:
    """Lead to the page of what an open or click showed. Raises NotFound if the archive does not have it."""
    found = await _found(request)
    if found is None:
        days = wetink_of(request).settings.archive_days
        raise NotFound("this open is not in the archive", hint=f"it keeps opens for {days} days (archive_days)")
    return RedirectResponse(f"/dashboard/opens/{found.decision.id}", 303)


async def small_shown(request: Request) -> Response:
    """Return the thumbnail of what an open or click showed."""
    return await _small(request, await _found(request))


async def small(request: Request) -> Response:
    """Return the thumbnail of an open in the archive."""
    return await _small(request, await wetink_of(request).store.archive.find(request.path_params["id"]))


async def small_variant(request: Request) -> Response:
    """Return the thumbnail of the newest open of a block, or of its `variant` (`~` for the fallback)."""
    variant = request.query_params.get("variant", "")[:256]
    wanted = None if not variant else "" if variant == "~" else variant
    return await _small(request, await wetink_of(request).thumbnails.of_variant(request.path_params["block"], wanted))


async def _small(request: Request, found: Opened | None) -> Response:
    wetink = wetink_of(request)
    try:
        if found is not None:
            drawn = await wetink.thumbnails.of_open(wetink.content, found)
            return Response(drawn.body, media_type=drawn.content_type, headers=KEPT)
    except WetinkError:
        pass  # a template or photo that is gone: the list is complete without it
    return Response(NONE, media_type="image/svg+xml", headers={"cache-control": "private, max-age=60"})


async def opened(request: Request) -> Response:
    """Show one open: its decision, its moment, and its pictures, drawn again."""
    found = await wetink_of(request).reports.past(request.path_params["id"])
    base = f"/dashboard/opens/{found.decision.id}"
    pictures = tuple(f"{base}/{slot}.img" for slot in range(1, found.block.slots + 1))
    return page(
        request,
        "results/opened.html",
        opened=found,
        who=parse(found.decision.recipient),
        sight=Sight(found.block, found.decision, pictures),
        facts=facts_of(found),
        record=msgspec.json.encode({"decision": found.decision, "moment": found.moment}),
    )


async def picture(request: Request) -> Response:
    """Return the picture of a past open, drawn again; 404 if it is not in the archive or cannot be drawn."""
    wetink, slot = wetink_of(request), request.path_params["slot"]
    try:
        drawn = await wetink.opens.again(wetink.content, await wetink.reports.past(request.path_params["id"]), slot)
    except WetinkError as error:
        return no_image(str(error))
    return image(drawn)


async def weighed(request: Request) -> Response:
    """Return the line of a trace with that picture's size."""
    wetink, slot = wetink_of(request), request.path_params["slot"]
    try:
        found = await wetink.reports.past(request.path_params["id"])
        drawn = await wetink.opens.again(wetink.content, found, slot)
    except WetinkError as error:
        return no_image(str(error))
    return page(request, "content/weight.html", block=found.block, slot=slot, weight=weight(found.block, drawn))


def facts_of(opened: Opened) -> list[tuple[str, str]]:
    """Return the known facts of an open's moment, in words."""
    moment = opened.moment
    place = ", ".join(each for each in (moment.city, moment.region, moment.country) if each)
    facts = (
        ("Fetched by", moment.fetch_class),
        ("Email client", moment.facts.client),
        ("Network", moment.facts.owner),
        ("Device", moment.device),
        ("Location", place),
        ("Campaign", moment.campaign),
        ("Color scheme", moment.scheme),
        ("Pixel ratio", f"{moment.ratio}x"),
        ("Language", moment.language),
        ("Currency", moment.currency),
        ("Time zone", moment.time_zone or moment.local_zone),
    )
    return [(name, value) for name, value in facts if value]
