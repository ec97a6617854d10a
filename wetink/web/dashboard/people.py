"""People: search for profiles; one person's identifiers, events, and decisions at a chosen moment."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import NotFound
from wetink.core.events.event import Event
from wetink.core.identity.identifier import STRENGTH, Identifier
from wetink.opens.recipient import parse
from wetink.web.dashboard.preview import EVENTS as EVENTS_IF
from wetink.web.dashboard.preview import sight, supposed
from wetink.web.dashboard.query import DEVICES, SCHEMES, field_of, moment_of, wetink_of
from wetink.web.dashboard.render import day, page
from wetink.web.request import now_ms

PAGE = 50


async def people(request: Request) -> Response:
    """List profiles, newest messages first. `q` is the start of an identifier, with or without its kind."""
    entered = request.query_params.get("q", "").strip()[:512]
    kind, colon, value = entered.partition(":")
    search = value.strip() if colon and kind in STRENGTH else entered
    profiles = await wetink_of(request).store.profiles.profiles(limit=PAGE, search=search)
    return page(
        request, "people.html", entered=entered, exact=parse(entered), profiles=profiles, full=len(profiles) == PAGE
    )


EVENTS, OPENS, SHOWN = 200, 5, 50
"""Events of the timeline, past opens, and identifiers on one page."""


async def person(request: Request) -> Response:
    """Show the person as of `at`, and their decision in `block` then."""
    entered = request.path_params["who"]
    who = parse(entered)
    if who is None:
        raise NotFound(
            f"{entered[:80]!r} is not an identifier", hint="write user:42, email:jane@shop.example or anonymous:x"
        )
    wetink, now = wetink_of(request), now_ms()
    moment = moment_of(request, now)
    found = await wetink.opens.person(who, moment.now)
    history = await wetink.store.profiles.history(who, moment.now, EVENTS + 1)
    after = parse(request.query_params.get("after", ""))
    names = found.identifiers or (who,)
    if after is not None:
        names = (await wetink.store.profiles.profile(who, moment.now, limit=SHOWN + 1, after=after)).identifiers
    contacts = await wetink.reports.contacts(found.identifiers or (who,), moment.now)
    blocks = wetink.content.listed
    suppose = await supposed(wetink, request.query_params, moment.now)
    chosen = blocks.get(request.query_params.get("block", "")) or next(iter(blocks.values()), None)
    return page(
        request,
        "person.html",
        who=who,
        person=found,
        identifiers=names[:SHOWN],
        next_names=_next(request, names) if len(names) > SHOWN else "",
        days=by_day(sorted([*history[-EVENTS:], *contacts], key=lambda event: -event.at), now),
        events=len(history),
        most=EVENTS,
        blocks=blocks,
        opens=await wetink.store.archive.newest(
            moment.now, OPENS, recipients=[str(each) for each in found.identifiers or (who,)]
        ),
        sight=await sight(wetink, chosen, who, moment, suppose) if chosen is not None else None,
        at=field_of(moment.now) if request.query_params.get("at") else "",
        moment=moment,
        devices=DEVICES,
        schemes=SCHEMES,
        suppose=suppose,
        form=request.query_params,
        if_events=EVENTS_IF,
    )


def _next(request: Request, names: Sequence[Identifier]) -> str:
    """Return the URL of the page with the next identifiers."""
    return "?" + urlencode({**request.query_params, "after": str(names[SHOWN - 1])})


def by_day(events: Iterable[Event], now: int) -> list[tuple[str, list[Event]]]:
    """Group events by their day (UTC), in the given order."""
    days: list[tuple[str, list[Event]]] = []
    for event in events:
        name = day(event.at, now)
        if not days or days[-1][0] != name:
            days.append((name, []))
        days[-1][1].append(event)
    return days
