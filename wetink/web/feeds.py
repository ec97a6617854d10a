"""Feeds for programs, with the dashboard's token as Bearer.

GET /api/feeds          all feeds with their state
PUT /api/feeds/{name}   the file of an uploaded feed, as the body; `?format=csv&purpose=catalog` makes one that is new
"""

from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wetink.ports.feeds import Uploaded
from wetink.web.bearer import allowed, told
from wetink.web.dashboard.feed_status import held
from wetink.wiring import Wetink


async def listed(request: Request) -> Response:
    """List all feeds."""
    return told(held(allowed(request)))


async def put(request: Request) -> Response:
    """Take a file in: 200 when it stands, 400 with what is wrong with it."""
    return told(await taken(allowed(request), request.path_params["name"], request.query_params, request.stream()))


async def taken(wetink: Wetink, name: str, query: Mapping[str, str], parts: AsyncIterator[bytes]) -> Uploaded:
    """Take the file of a feed in, of a new one if the query says its format.

    Raises BadContent, TooLarge and Unavailable; then nothing has changed.
    """
    return await wetink.upload(name, parts, query.get("format", ""), query.get("purpose", "data"))


ROUTES: tuple[BaseRoute, ...] = (
    Route("/api/feeds", listed),
    Route("/api/feeds/{name}", put, methods=["PUT"]),
)
