"""API: the endpoints for programs, with an API token or the server's own token as Bearer.

GET  /api/content               the live version, with its files; `?version=3` an earlier one
POST /api/content               push: {"base": 3, "by": "…", "message": "…", "files": {"blocks/a.yaml": "base64"}}
GET  /api/content/versions      all versions, the newest first
POST /api/content/rollback      {"version": 3, "by": "…"}
GET  /api/feeds                 all feeds with their state
PUT  /api/feeds/{name}          the file of an uploaded feed, as the body; `?format=csv&purpose=catalog` creates a feed
GET  /api/opens                 past opens, the newest first; `?who=user:42`, `?block=hero`, `?limit=50`, `?until=`
GET  /api/opens/{id}            one open: its decision and its moment
GET  /api/opens/{id}/{slot}.img the picture of its slot, drawn again
POST /api/preview               {"block": "hero", "who": "user:42", "moment": {"scheme": "dark"}, "events": [{…}]}
POST /api/preview/{slot}        the same body: its picture, with its size in the header Wetink-Weight
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.content.tree import LARGEST
from wetink.content.versions import Pushed
from wetink.core.access.who import Who
from wetink.core.blocks.block import Decision
from wetink.core.errors import BadRequest, TooLarge, Unauthorized, WetinkError
from wetink.core.events.event import Event
from wetink.core.messages.simulation import MOST, MOST_BYTES, events_of
from wetink.core.outbound.feed import Feed, due_at
from wetink.core.profile.person import Moment, moment_of
from wetink.core.text.characters import half_character, problem_in
from wetink.opens.drawing import weight
from wetink.opens.recipient import parse
from wetink.ports.content import Version
from wetink.ports.outside import Uploaded
from wetink.web import session
from wetink.web.dashboard.page.query import number_in, time_in, wetink_of
from wetink.web.request import body_of, now_ms, status_of
from wetink.wiring import Wetink

T = TypeVar("T")

BY_SERVER_TOKEN = Who("command line", "owner")
"""Whoever sends the server's own token, as the commands do."""


def allowed(request: Request) -> Wetink:
    """Return the application if the request was admitted. Raises Unauthorized."""
    found: Wetink = request.app.state.wetink
    if session.who(request) is None:
        raise _nobody()
    return found


async def admit(request: Request) -> None:
    """Note who sends a request, by its token. Raises Unauthorized, and TooManyRequests after too many wrong tokens."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _nobody()
    who = await wetink_of(request).tokens.who(token)
    if who is None and await session.right_token(request, token):
        who = BY_SERVER_TOKEN
    if who is None:
        raise _nobody()
    request.state.who = who


def _nobody() -> Unauthorized:
    return Unauthorized("this needs a valid API token", hint="send it as Authorization: Bearer TOKEN")


async def sent(request: Request, what: type[T], largest: int) -> T:
    """Return the JSON of a body of at most `largest` bytes. Raises BadRequest and TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise TooLarge(f"the body has more than {largest} bytes")
    decode: Callable[[bytes], T] = msgspec.json.Decoder(what).decode
    try:
        made = decode(bytes(body))
    except RecursionError as error:
        raise BadRequest("the body cannot be read: it is nested too deeply") from error
    except (msgspec.DecodeError, ValueError) as error:
        if (at := half_character(bytes(body))) is not None:
            raise BadRequest(f"byte {at}: half a character (a lone surrogate)", where=f"byte {at}") from error
        raise BadRequest(f"the body cannot be read: {error}") from error
    place, problem = problem_in(made)
    if problem:
        raise BadRequest(f"{place}: {problem}", where=place)
    return made


def error_response(error: WetinkError) -> Response:
    """Return an error as JSON, for a script."""
    return Response(body_of(error), status_of(error), media_type="application/json")


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as a JSON response that is not cached."""
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers={"cache-control": "no-store"}
    )


LARGEST_BODY = LARGEST * 3 // 2
MOST_VERSIONS = 10**9


class Push(msgspec.Struct, frozen=True):
    """The body of a push. `base` is the version that the files are based on; None replaces any version."""

    files: dict[str, bytes]
    base: int | None = None
    by: str = ""
    message: str = ""


class Rollback(msgspec.Struct, frozen=True):
    """The body of a rollback. `version` becomes live again."""

    version: int
    by: str = ""


class State(msgspec.Struct, frozen=True):
    """A version with its files."""

    version: Version
    files: dict[str, bytes]


async def pull(request: Request) -> Response:
    """Return the live version, or the version that the query names."""
    versions = allowed(request).versions
    number = number_in(request.query_params, "version", 0, 0, MOST_VERSIONS)
    return json_response(State(*await versions.read(number)))


async def push(request: Request) -> Response:
    """Apply a push: 200 if it is live, 422 with all its problems, 409 if another push came first."""
    wetink, given = allowed(request), await sent(request, Push, LARGEST_BODY)
    by = _author(request, given.by)
    done = await wetink.versions.push(given.files, given.base, by=by, message=given.message, now=now_ms())
    return await _done(request, done, by, "pushed")


async def rollback(request: Request) -> Response:
    """Restore an earlier version."""
    wetink, given = allowed(request), await sent(request, Rollback, LARGEST_BODY)
    by = _author(request, given.by)
    done = await wetink.versions.rollback(given.version, by=by, now=now_ms())
    return await _done(request, done, by, f"restored version {given.version} of")


async def versions(request: Request) -> Response:
    """List all versions."""
    return json_response(await allowed(request).versions.listed())


def _author(request: Request, given: str) -> str:
    """Return who makes a version: whoever the command line names, and the API token itself for any other token."""
    return given if session.who(request) is BY_SERVER_TOKEN else session.actor(request)


async def _done(request: Request, done: Pushed, by: str, action: str) -> Response:
    if not done.problems:
        session.changed(request, action, "content", detail=f"by {by}", version=done.version)
        await wetink_of(request).follow()
    return json_response(done, 422 if done.problems else 200)


class Held(msgspec.Struct, frozen=True, rename="camel"):
    """A feed and its state. `age_ms` is None if the feed is fetched for each person or has no data.

    `next_at` (Unix ms) is the time of the next fetch: 0 for at once, None for a feed without scheduled fetches.
    """

    name: str
    title: str
    disabled: bool
    purpose: str
    source: str
    uploaded: bool
    each: bool
    every: str
    state: str
    because: str
    age_ms: int | None
    next_at: int | None
    failures: int
    count: int
    left_out: int
    problems: tuple[str, ...]


def held(wetink: Wetink) -> list[Held]:
    """Return the feeds of the content with their state."""
    return [held_of(wetink, feed) for _, feed in sorted(wetink.content.feeds.items())]


def held_of(wetink: Wetink, feed: Feed) -> Held:
    """Return a feed with its state."""
    given, snapshot = wetink.feeds.give(feed.name), wetink.feeds.snapshot(feed.name)
    seen: dict[str, Any] = {"count": 0, "left_out": 0, "problems": (), "failures": 0}
    if snapshot is not None:
        seen = {name: getattr(snapshot, name) for name in seen}
    each = feed.per_person is not None
    state, because = ("per person", "") if each else (given.state, given.because)
    state, because = ("disabled", "") if feed.disabled else (state, because)
    due = (
        None if each or feed.file or feed.disabled else max(due_at(feed, snapshot), now_ms() if snapshot is None else 0)
    )
    return Held(
        feed.name,
        feed.called,
        feed.disabled,
        feed.purpose,
        feed.url or feed.file,
        bool(feed.file),
        each,
        feed.every,
        state,
        because,
        given.age_ms,
        due,
        **seen,
    )


async def feeds(request: Request) -> Response:
    """List all feeds."""
    return json_response(held(allowed(request)))


async def put_feed(request: Request) -> Response:
    """Store the body as a feed's file: 200 if it is in use, 400 with its problems."""
    return json_response(await upload(allowed(request), request))


async def upload(wetink: Wetink, request: Request) -> Uploaded:
    """Store the body as a feed's file. A format in the query creates the feed.

    Raises BadContent, TooLarge and Unavailable. Then nothing has changed.
    """
    name, query = request.path_params["name"], request.query_params
    kind, purpose, title = query.get("format", ""), query.get("purpose", "data"), query.get("title", "")
    by, whole = session.actor(request), "look" not in query
    return await wetink.uploads.take(
        wetink.content.feeds, name, request.stream(), kind, purpose, by=by, title=title, whole=whole
    )


USUAL_OPENS, MOST_OPENS = 50, 500


async def opens(request: Request) -> Response:
    """List past opens."""
    wetink, query = allowed(request), request.query_params
    recipients = None
    if "who" in query:
        who = parse(query["who"])
        if who is None:
            raise BadRequest(f"{query['who'][:80]!r} names nobody", hint="write user:42, email:a@b.c or anonymous:x")
        recipients = [str(who)]
    limit, until = number_in(query, "limit", USUAL_OPENS, 1, MOST_OPENS), time_in(query, "until", now_ms())
    found = await wetink.store.archive.newest(until, limit, recipients=recipients, block=query.get("block", ""))
    return json_response([each.decision for each in found])


async def opened(request: Request) -> Response:
    """Return one open."""
    found = await allowed(request).reports.past(request.path_params["id"])
    return json_response({"decision": found.decision, "moment": found.moment})


async def opened_picture(request: Request) -> Response:
    """Return the picture of a past open's slot, drawn again."""
    wetink = allowed(request)
    found = await wetink.reports.past(request.path_params["id"])
    drawn = await wetink.opens.again(wetink.content, found, request.path_params["slot"])
    return Response(drawn.body, media_type=drawn.content_type, headers={"cache-control": "no-store"})


OWN = ("facts", "taken_for")
"""Fields of a moment that only a real fetch can set."""


class PreviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a preview. `moment` has the fields of `Moment`; without `now`, it is the current time."""

    block: str
    who: str = ""
    moment: dict[str, Any] = {}
    events: list[dict[str, Any]] = []


async def preview(request: Request) -> Response:
    """Return the decision of a preview."""
    decision, _, _ = await _decided(request)
    return json_response(decision)


async def picture(request: Request) -> Response:
    """Return the picture of a previewed slot."""
    decision, moment, events = await _decided(request)
    wetink = allowed(request)
    drawn = await wetink.opens.picture(wetink.content, decision, request.path_params["slot"], moment, events)
    headers = {"cache-control": "no-store", "wetink-weight": weight(wetink.content.block(decision.block), drawn)}
    return Response(drawn.body, media_type=drawn.content_type, headers=headers)


async def _decided(request: Request) -> tuple[Decision, Moment, tuple[Event, ...]]:
    wetink, body = allowed(request), await sent(request, PreviewBody, 2 * MOST_BYTES)
    who = parse(body.who)
    if body.who and who is None:
        raise BadRequest(f"{body.who[:80]!r} names nobody", hint="write user:42, email:a@b.c or anonymous:x")
    if len(body.events) > MOST:
        raise BadRequest(f"more than {MOST} events")
    moment = moment_of({name: value for name, value in body.moment.items() if name not in OWN}, now_ms())
    events = events_of(body.events, moment.now)
    return (
        await wetink.opens.preview(wetink.content, wetink.content.block(body.block), who, moment, events),
        moment,
        events,
    )
