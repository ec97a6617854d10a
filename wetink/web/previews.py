"""Previews for programs, with the dashboard's token as Bearer: any person, any moment, and what had not happened yet.

POST /api/preview           {"block": "hero", "who": "user:42", "moment": {"scheme": "dark"}, "events": [{"event": …}]}
POST /api/preview/{slot}    the same: its picture, with what it weighs in the header Wetink-Weight
"""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wetink.core.blocks.block import Decision
from wetink.core.errors import BadRequest
from wetink.core.events.event import Event
from wetink.core.messages.simulation import MOST, MOST_BYTES, events_of
from wetink.core.profile.person import Moment, moment_of
from wetink.opens.recipient import parse
from wetink.opens.weight import weight
from wetink.web.bearer import allowed, sent, told
from wetink.web.clock import now_ms

OWN = ("facts", "taken_for")
"""What of a moment only a fetch can tell."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be previewed. `moment` has the fields of `Moment`; without `now` it is now."""

    block: str
    who: str = ""
    moment: dict[str, Any] = {}
    events: list[dict[str, Any]] = []


async def preview(request: Request) -> Response:
    """Answer with the decision."""
    decision, _, _ = await _decided(request)
    return told(decision)


async def picture(request: Request) -> Response:
    """Answer with the picture of a slot."""
    decision, moment, events = await _decided(request)
    wetink = allowed(request)
    drawn = await wetink.picture(decision, request.path_params["slot"], moment, events)
    headers = {"cache-control": "no-store", "wetink-weight": weight(wetink.block(decision.block), drawn)}
    return Response(drawn.body, media_type=drawn.content_type, headers=headers)


async def _decided(request: Request) -> tuple[Decision, Moment, tuple[Event, ...]]:
    wetink, asked = allowed(request), await sent(request, Asked, 2 * MOST_BYTES)
    who = parse(asked.who)
    if asked.who and who is None:
        raise BadRequest(f"{asked.who[:80]!r} names nobody", hint="write user:42, email:a@b.c or anonymous:x")
    if len(asked.events) > MOST:
        raise BadRequest(f"more than {MOST} events")
    moment = moment_of({name: value for name, value in asked.moment.items() if name not in OWN}, now_ms())
    events = events_of(asked.events, moment.now)
    return await wetink.preview(asked.block, who, moment, events), moment, events


ROUTES: tuple[BaseRoute, ...] = (
    Route("/api/preview", preview, methods=["POST"]),
    Route("/api/preview/{slot:slot}", picture, methods=["POST"]),
)
