"""Measure: gives each request its ID, and counts it and its time by group of paths."""

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from wetink.telemetry import tracing
from wetink.telemetry.metrics import ROUTES, Route
from wetink.telemetry.request import CURRENT, HEADER, Request, id_of

_GROUPS = {
    **{"o": "picture", "d": "data", "c": "click", "a": "alt_text", "h": "html", "v": "vote"},
    **{"api": "api", "dashboard": "dashboard", "behavioral": "behavioral"},
    **{"projects": "sdk", "sourceConfig": "sdk", "analytics.js": "sdk", "beacon": "batch"},
}
"""Groups of paths by the first part of the path. Those below /v1/ depend on the second part."""
_MESSAGES = {"batch": "batch", "b": "batch", "import": "batch", "pixel": "pixel", "projects": "sdk"}

TRACED = frozenset(("picture", "data", "click", "alt_text", "html", "message", "batch", "behavioral", "pixel"))
"""Groups of paths whose requests are traced: opens and messages."""

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def route_of(path: str) -> Route:
    """Return the group of a path.

    >>> [route_of(path).name for path in ("/o/hero/1", "/v1/t", "/v1/b", "/v1/pixel/track", "/api/feeds", "/", "/x")]
    ['picture', 'message', 'batch', 'pixel', 'api', 'other', 'other']
    """
    first, _, rest = path[1:].partition("/")
    if first == "v1":
        return ROUTES[_MESSAGES.get(rest.partition("/")[0], "message")]
    return ROUTES[_GROUPS.get(first, "other")]


async def measured(app: App, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer a request with an ASGI application, with the request's ID.

    Counts the answer once the last part of it is about to be sent.
    """
    begun, status, route = perf_counter(), 503, route_of(scope["path"])
    ended, request = False, Request()
    request.id = id_of(scope["headers"])
    request.trace = tracing.begin_trace(route.name, request.id) if route.name in TRACED else None
    CURRENT.set(request)

    async def send_noted(message: Any) -> None:
        nonlocal status, ended
        if message["type"] == "http.response.start":
            status = message["status"]
            message = {**message, "headers": [*message["headers"], (HEADER, request.id)]}
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            route.ended(status, begun)
            ended = True
        await send(message)

    try:
        await app(scope, receive, send_noted)
    finally:
        if not ended:  # the client is gone, or the application broke
            route.ended(status, begun)
        if request.trace is not None:
            request.trace.end(status)
