"""Past opens: decisions with their traces, and their pictures, drawn again."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import WetinkError
from wetink.opens.drawing import weight
from wetink.opens.recipient import parse
from wetink.ports.ledger import Opened
from wetink.web.dashboard.preview import Sight
from wetink.web.dashboard.query import time_of, wetink_of
from wetink.web.dashboard.render import page
from wetink.web.request import now_ms

PAGE = 50


async def opens(request: Request) -> Response:
    """List past opens up to `until`, newest first, filtered by `who` and `block`."""
    wetink, query = wetink_of(request), request.query_params
    entered, block, now = query.get("who", "").strip()[:512], query.get("block", "")[:80], now_ms()
    who, until = parse(entered), time_of(query.get("until", ""), now)
    recipients = None
    if who is not None:
        recipients = [str(each) for each in (await wetink.opens.person(who, now)).identifiers or (who,)]
    found = (
        ()
        if entered and who is None
        else await wetink.store.archive.newest(until, PAGE, recipients=recipients, block=block)
    )
    return page(
        request,
        "opens.html",
        entered=entered,
        who=who,
        problem="write user:42 or email:jane@shop.example" if entered and who is None else "",
        block=block,
        blocks=wetink.content.blocks,
        opens=found,
        older=found[-1].decision.at - 1 if len(found) == PAGE else None,
        days=wetink.settings.archive_days,
        parse=parse,
    )


async def opened(request: Request) -> Response:
    """Show one open: its decision, its moment, and its pictures, drawn again."""
    found = await wetink_of(request).reports.past(request.path_params["id"])
    base = f"/dashboard/opens/{found.decision.id}"
    pictures = tuple(f"{base}/{slot}.img" for slot in range(1, found.block.slots + 1))
    return page(
        request,
        "opened.html",
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
        return Response(str(error), 404, media_type="text/plain")
    return Response(drawn.body, media_type=drawn.content_type, headers={"cache-control": "no-store"})


async def weighed(request: Request) -> Response:
    """Return the line of a trace with that picture's size."""
    wetink, slot = wetink_of(request), request.path_params["slot"]
    try:
        found = await wetink.reports.past(request.path_params["id"])
        drawn = await wetink.opens.again(wetink.content, found, slot)
    except WetinkError as error:
        return Response(str(error), 404, media_type="text/plain")
    return page(request, "weight.html", block=found.block, slot=slot, weight=weight(found.block, drawn))


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
