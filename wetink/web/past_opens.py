"""Past opens for programs, with the dashboard's token as Bearer.

GET /api/opens                  the newest first; `?who=user:42`, `?block=hero`, `?limit=50`, `?until=` narrow it
GET /api/opens/{id}             what that open got, and at what moment
GET /api/opens/{id}/{slot}.img  its picture, drawn again
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wetink.core.errors import BadRequest
from wetink.opens.recipient import parse
from wetink.web.bearer import allowed, told
from wetink.web.clock import now_ms
from wetink.web.dashboard.query import number_in, time_in

USUAL, MOST = 50, 500


async def listed(request: Request) -> Response:
    """List past opens."""
    wetink, query = allowed(request), request.query_params
    recipients = None
    if "who" in query:
        who = parse(query["who"])
        if who is None:
            raise BadRequest(f"{query['who'][:80]!r} names nobody", hint="write user:42, email:a@b.c or anonymous:x")
        recipients = [str(who)]
    limit, until = number_in(query, "limit", USUAL, 1, MOST), time_in(query, "until", now_ms())
    found = await wetink.archive.newest(until, limit, recipients=recipients, block=query.get("block", ""))
    return told([each.decision for each in found])


async def one(request: Request) -> Response:
    """Answer with one open."""
    found = await allowed(request).past(request.path_params["id"])
    return told({"decision": found.decision, "moment": found.moment})


async def picture(request: Request) -> Response:
    """Draw it again."""
    wetink = allowed(request)
    found = await wetink.past(request.path_params["id"])
    drawn = await wetink.again(found, request.path_params["slot"])
    return Response(drawn.body, media_type=drawn.content_type, headers={"cache-control": "no-store"})


ROUTES: tuple[BaseRoute, ...] = (
    Route("/api/opens", listed),
    Route("/api/opens/{id}", one),
    Route("/api/opens/{id}/{slot:slot}.img", picture),
)
