"""Feed edit: the pages that make a feed or change it, with a sample of its data to map fields from."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.errors import WetinkError
from wetink.core.outbound.feed import Feed
from wetink.ports.outside import Sample
from wetink.web import session
from wetink.web.dashboard.data import feed_weather
from wetink.web.dashboard.data.feed_form import (
    CONTENTS,
    FORMATS,
    HEADERS,
    LABELS,
    PARAMETERS,
    SCHEDULES,
    Draft,
    Look,
    draft_of,
    given_by,
    look_at,
    mapped,
    targets_of,
    told,
)
from wetink.web.dashboard.data.feeds import path_of
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import named, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import status_of
from wetink.wiring import Wetink

FIRST_SECONDS = 3.0
"""How long the page of a saved feed waits for its first data."""
NEW = {"format": "auto", "every": "1h", "contents": "data"}


async def new(request: Request) -> Response:
    """Show the form for a new feed with an address. `?kind=file` shows the one that uploads a file."""
    if request.query_params.get("kind") == "file":
        chosen = request.query_params.get("contents", "")
        return page(request, "data/feed_upload.html", formats=FORMATS, labels=LABELS, contents=CONTENTS, chosen=chosen)
    return _page(request, None, Draft(dict(NEW)), None, "")


async def create(request: Request) -> Response:
    """Fetch a sample for a new feed, or save it."""
    return await _answered(request, "", await form_of(request))


async def edit(request: Request) -> Response:
    """Show the form for a feed, with a sample of the data that it has.

    Weather has a form of its own, and `?all` shows the one for all feeds.
    """
    wetink, name = wetink_of(request), request.path_params["name"]
    found = named(wetink.content.feeds, name, "feed")
    query = request.query_params
    if "all" not in query and feed_weather.given_by(found):
        return await feed_weather.edit(request, found)
    given = given_by(found)
    if query.get("contents") in ("catalog", "stores", "data"):
        given["contents"] = query["contents"]
    if "new" in query:
        given["enable"] = "on"
    draft = draft_of(given, found)
    if found.per_person is not None:
        return _page(request, found, draft, None, await wetink.feed_editor.digest(name))
    draft, look = await _looked(wetink, draft, found)
    return _page(request, found, draft, look, await wetink.feed_editor.digest(name))


async def change(request: Request) -> Response:
    """Fetch a sample for a feed, or save it."""
    name, given = request.path_params["name"], await form_of(request)
    found = named(wetink_of(request).content.feeds, name, "feed")
    if "weather" in given and feed_weather.given_by(found):
        return await feed_weather.change(request, found, given)
    return await _answered(request, name, given)


async def _answered(request: Request, name: str, given: Mapping[str, str]) -> Response:
    """Answer the form: `do=sample` fetches a new sample, `do=save` saves, anything else looks at the sample again."""
    form = dict(given)
    wetink, do, expected = wetink_of(request), form.pop("do", ""), form.pop("expected", "")
    before = named(wetink.content.feeds, name, "feed") if name else None
    draft = draft_of(form, before)
    draft, look = await _looked(wetink, draft, before, fresh=do == "sample")
    if do != "save":
        return _page(request, before, draft, look, expected)
    if draft.feed is None or look is None or not look.usable:
        return _page(request, before, draft, look, expected, status=400)
    if before is None and draft.feed.name in wetink.content.feeds:
        draft.errors["name"] = f"there is already a feed called {draft.feed.name}"
        return _page(request, before, draft, look, expected, status=400)
    try:
        await wetink.feed_editor.save(draft.feed, draft.values, by=session.actor(request), expected=expected)
    except WetinkError as error:
        draft.errors[error.where if error.where == "name" else "form"] = told(error)
        return _page(request, before, draft, look, expected, status=status_of(error))
    if draft.feed.per_person is None and not draft.feed.disabled:
        await wetink.feeds.fetch(draft.feed.name, FIRST_SECONDS)
    return RedirectResponse(path_of(draft.feed.name), 303)


async def _looked(
    wetink: Wetink, draft: Draft, before: Feed | None, *, fresh: bool = False
) -> tuple[Draft, Look | None]:
    """Return the form with what its sample reveals (format, list and proposals), and the sample."""
    feed = draft.feed
    if feed is None and not (feed := _source_of(draft, before)):
        return draft, None
    wanted: dict[str, Any] = {"parameters": draft.tries, "values": draft.values}
    sniff = draft.given.get("format", "auto") == "auto"
    try:
        sample = await wetink.feeds.sample(feed, **wanted, fresh=fresh, sniff=sniff)
    except WetinkError as error:
        sample = Sample(problem=str(error))
    found: dict[str, str] = {}
    if sample.format is not None and sniff:
        found["format"] = sample.format
    if sample.root and sample.root != draft.given.get("root", ""):
        found["root"] = sample.root
    found |= mapped(draft, sample)
    if sample.items:
        found["mapped"] = "on"
    if not found.items() <= draft.given.items():
        values, tries = draft.values, draft.tries
        draft = draft_of({**draft.given, **found}, before)
        draft.values, draft.tries = values, {**tries, **draft.tries}
        if draft.feed is not None:
            sample = await wetink.feeds.sample(draft.feed, parameters=draft.tries, values=draft.values)
    return draft, look_at(draft, sample)


def _source_of(draft: Draft, before: Feed | None) -> Feed | None:
    """Return a feed to fetch a sample by, although other fields of the form have errors."""
    if not draft.errors.keys() <= {"title", "name", "every", "fields", "key", "root", "encoding"}:
        return None
    plain = {key: value for key, value in draft.given.items() if key not in ("every", "key", "encoding", "root")}
    fine = {key: value for key, value in plain.items() if not key.startswith(("field.", "as."))}
    bare = draft_of({**fine, "name": "sample", "title": "sample"}, None).feed
    return replace(bare, name=before.name) if bare is not None and before is not None else bare


def _page(
    request: Request, before: Feed | None, draft: Draft, look: Look | None, expected: str, status: int = 200
) -> Response:
    given = draft.given
    wetink = wetink_of(request)
    kept = wetink.feeds.credentials.known(before.name) if before is not None else {}
    headers = max(HEADERS, sum(name.startswith("header.") for name in given))
    return page(
        request,
        "data/feed_form.html",
        status=status,
        before=before,
        given=given,
        errors=draft.errors,
        expected=expected,
        look=look,
        kept=kept,
        entered=draft.values,
        tries=draft.tries,
        header_rows=range(headers),
        parameters=range(max(PARAMETERS, sum(name.startswith("parameter.") for name in given))),
        schedules=_schedules(given),
        formats=FORMATS,
        labels=LABELS,
        contents=CONTENTS,
        column_names={each.name: each.label for each in targets_of(given.get("contents", ""))},
        photo_of=_photo_of,
    )


def _schedules(given: Mapping[str, str]) -> list[tuple[str, str]]:
    every = given.get("every", "1h")
    return [*SCHEDULES, *([] if every in dict(SCHEDULES) else [(every, f"Every {every}")])]


def _photo_of(url: str) -> str:
    """Return the path of a picture of the sample."""
    return f"/dashboard/feeds/photo?{urlencode({'url': url})}"
