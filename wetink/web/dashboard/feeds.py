"""Feeds: the state of each feed, its first items, and the upload of a file."""

from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import WetinkError
from wetink.core.outbound.feed import Feed, Format, Item, parameters_of
from wetink.opens.recipient import parse
from wetink.web import session
from wetink.web.api import held, held_of, json_response, upload
from wetink.web.dashboard.query import moment_of, named, wetink_of
from wetink.web.dashboard.render import page
from wetink.web.request import body_of, now_ms, status_of
from wetink.wiring import Wetink

SHOWN, COLUMNS = 10, 8
"""Items of a feed that are shown, and fields of each."""
LOOK_MS = 3_000


async def feeds(request: Request) -> Response:
    """List all feeds, with a form for a new one."""
    wetink = wetink_of(request)
    problems = [each for each in wetink.content.problems if each.startswith("feeds/")]
    return page(
        request,
        "feeds.html",
        feeds=held(wetink),
        problems=problems,
        formats=get_args(Format),
    )


async def feed(request: Request) -> Response:
    """Show one feed: its state, and its first items. For a per-person feed, these are the items of `who`."""
    wetink, name = wetink_of(request), request.path_params["name"]
    found = named(wetink.content.feeds, name, "feed")
    entered = request.query_params.get("who", "").strip()[:512]
    items, problem = await _items(wetink, found, request)
    columns = list(dict.fromkeys(field for item in items for field in item))[:COLUMNS]
    return page(
        request,
        "feed.html",
        feed=found,
        held=held_of(wetink, found),
        entered=entered,
        problem=problem,
        columns=columns,
        rows=[[_cell(item.get(column)) for column in columns] for item in items],
    )


async def put(request: Request) -> Response:
    """Store an uploaded file, and answer the page's script."""
    try:
        session.check_csrf(request)
        done = await upload(wetink_of(request), request)
    except WetinkError as error:
        return Response(body_of(error), status_of(error), media_type="application/json")
    return json_response(done)


async def _items(wetink: Wetink, found: Feed, request: Request) -> tuple[list[Item], str]:
    """Return the first items of a feed, and a note about them."""
    if found.per_person is None:
        given = wetink.feeds.give(found.name)
        if found.purpose == "catalog":
            return [], "This feed contains products. Find them in the catalog."
        return list(given.items[:SHOWN]), ""
    who = parse(request.query_params.get("who", ""))
    if who is None:
        return [], "wetink fetches this feed per person. Enter an identifier to preview it."
    moment = moment_of(request, now_ms())
    person = await wetink.opens.person(who, moment.now)
    known = {"person": msgspec.to_builtins(msgspec.structs.replace(person, views=())), "moment": {}}
    supply = await wetink.feeds.ask(found.name, parameters_of(found, known), LOOK_MS)
    return list(supply.items[:SHOWN]), f"{supply.state}{f': {supply.because}' if supply.because else ''}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"
