"""Feeds: all feeds with their health, one feed with its data and what uses it, and the changes to it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import BadContent, BadRequest, WetinkError
from wetink.core.outbound.feed import Feed, Fetch, Item, parameters_of
from wetink.core.text.link import host_of
from wetink.ingest.feed_editor import users_of
from wetink.opens.recipient import parse
from wetink.web import session
from wetink.web.api import error_response, held, held_of, json_response, upload
from wetink.web.dashboard.data.feed_form import handle_of
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.images import photo_image
from wetink.web.dashboard.page.query import moment_of, named, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

SHOWN, COLUMNS = 10, 8
"""Items of a feed that are shown, and fields of each."""
LOOK_MS = 3_000
BARS = 40
"""Fetches in the strip of a feed."""
PHOTO_MS = 2_000
LONGEST_URL = 2_000


class Bar(msgspec.Struct, frozen=True):
    """One fetch of the strip, with its height out of 100 and its outcome: `good`, `same` or `bad`."""

    fetch: Fetch
    height: float
    outcome: str


def strip(fetches: Sequence[Fetch]) -> list[Bar]:
    """Return the newest fetches as bars, oldest first. A bar is as high as its fetch took long, on a square-root scale.

    >>> [(bar.height, bar.outcome) for bar in strip([Fetch(0, 25), Fetch(1, 100, error="no answer")])]
    [(50.0, 'good'), (100.0, 'bad')]
    """
    newest = fetches[-BARS:]
    longest = max((each.ms for each in newest), default=0) or 1
    return [
        Bar(
            each,
            round(max(12.0, 100 * (each.ms / longest) ** 0.5), 1),
            "bad" if each.error else "same" if each.same else "good",
        )
        for each in newest
    ]


async def feeds(request: Request) -> Response:
    """List all feeds with their health."""
    wetink = wetink_of(request)
    problems = [each for each in wetink.content.problems if each.startswith("feeds/")]
    return page(
        request,
        "data/feeds.html",
        feeds=held(wetink),
        strips={name: strip(await wetink.feeds.fetches(name)) for name in wetink.content.feeds},
        problems=problems,
    )


async def feed(request: Request) -> Response:
    """Show one feed: its state, and its first items. For a per-person feed, these are the items of `who`."""
    return await _page(request)


async def change(request: Request) -> Response:
    """Apply the form's change to a feed: fetch it now, disable, enable, rename or delete it."""
    form = await form_of(request)
    wetink, name = wetink_of(request), request.path_params["name"]
    found = named(wetink.content.feeds, name, "feed")
    act = CHANGES.get(form.get("change", ""))
    if act is None:
        raise BadRequest("this form asks for an unknown change", hint="reload the page")
    try:
        onward = await act(request, wetink, found, form)
    except WetinkError as error:
        return await _page(request, status=status_of(error), wrong=(form["change"], error.sentence), form=form)
    return RedirectResponse(onward, 303)


async def put(request: Request) -> Response:
    """Store an uploaded file, and answer the page's script."""
    try:
        session.check_csrf(request)
        done = await upload(wetink_of(request), request)
    except WetinkError as error:
        return error_response(error)
    return json_response(done)


async def photo(request: Request) -> Response:
    """Return a picture of a feed's item, from public hosts; 404 if it is unavailable."""
    url = request.query_params.get("url", "")[:LONGEST_URL]
    body = await wetink_of(request).photos.get(url, PHOTO_MS) if host_of(url) else None
    return photo_image(body)


def path_of(name: str) -> str:
    """Return the path of a feed's page."""
    return f"/dashboard/feeds/{quote(name)}"


async def _fetch(request: Request, wetink: Wetink, found: Feed, form: Mapping[str, str]) -> str:
    if found.disabled or found.per_person is not None:
        raise BadRequest("this feed is not fetched on a schedule", hint="enable it first" if found.disabled else "")
    await wetink.feeds.fetch(found.name)
    return path_of(found.name)


async def _switch(request: Request, wetink: Wetink, found: Feed, form: Mapping[str, str]) -> str:
    await _save(request, wetink, replace(found, disabled=form["change"] == "disable"))
    return path_of(found.name)


async def _rename(request: Request, wetink: Wetink, found: Feed, form: Mapping[str, str]) -> str:
    title = form.get("title", "").strip()
    if not title or len(title) > 80:
        raise BadContent("enter a name of at most 80 characters")
    handle = form.get("handle", "").strip() or handle_of(title)
    if title != found.title:
        await _save(request, wetink, replace(found, title=title))
    if handle != found.name:
        used = users_of(found.name, wetink.content, wetink.apps)
        if used:
            raise BadContent(f"{_listed(used)} uses this feed as {found.name}", hint="change the title alone")
        if handle_of(handle) != handle:
            raise BadContent(f"{handle[:64]!r} is not a file name", hint="use lowercase letters, digits and dashes")
        await wetink.feed_editor.rename(found.name, handle, by=session.actor(request))
    return path_of(handle)


async def _delete(request: Request, wetink: Wetink, found: Feed, form: Mapping[str, str]) -> str:
    if used := users_of(found.name, wetink.content, wetink.apps):
        raise BadContent(f"{_listed(used)} uses this feed", hint="choose another feed there first")
    if form.get("sure") != "yes":
        raise BadRequest("nothing was changed", hint="check the box to confirm it")
    await wetink.feed_editor.delete(found.name, by=session.actor(request))
    return "/dashboard/feeds"


async def _save(request: Request, wetink: Wetink, feed: Feed) -> None:
    editor = wetink.feed_editor
    await editor.save(feed, {}, by=session.actor(request), expected=await editor.digest(feed.name))


CHANGES: Mapping[str, Callable[[Request, Wetink, Feed, Mapping[str, str]], Awaitable[str]]] = {
    "fetch": _fetch,
    "disable": _switch,
    "enable": _switch,
    "rename": _rename,
    "delete": _delete,
}
"""Changes by name in the form. Each returns the path of the next page."""


def _listed(used: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"the {kind} {name}" for kind, name in used[:3])


async def _page(
    request: Request,
    *,
    status: int = 200,
    wrong: tuple[str, str] = ("", ""),
    form: Mapping[str, str] | None = None,
) -> Response:
    wetink, name = wetink_of(request), request.path_params["name"]
    found = named(wetink.content.feeds, name, "feed")
    entered = request.query_params.get("who", "").strip()[:512]
    items, problem = await _items(wetink, found, request)
    columns = list(dict.fromkeys(field for item in items for field in item))[:COLUMNS]
    fetches = await wetink.feeds.fetches(name)
    return page(
        request,
        "data/feed.html",
        status=status,
        feed=found,
        held=held_of(wetink, found),
        bars=strip(fetches),
        fetches=fetches[::-1][:SHOWN],
        used=users_of(name, wetink.content, wetink.apps),
        titles={block: each.called for block, each in wetink.content.blocks.items()},
        entered=entered,
        problem=problem,
        wrong=wrong,
        form=form or {},
        columns=columns,
        rows=[[_cell(item.get(column)) for column in columns] for item in items],
    )


async def _items(wetink: Wetink, found: Feed, request: Request) -> tuple[list[Item], str]:
    """Return the first items of a feed, and a note about them."""
    if found.disabled:
        return [], "This feed is disabled."
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
