"""Measure: gives each request its ID, and counts it and its time by group of paths."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

from wetink.telemetry import tracing
from wetink.telemetry.metrics import ROUTES, Route
from wetink.telemetry.request import HEADER, REQUEST_ID, id_of
from wetink.web.protocol import Header, Respond, Take

_GROUPS = {
    **{"o": "picture", "d": "data", "c": "click", "a": "alt_text", "h": "html", "v": "vote"},
    **{"api": "api", "dashboard": "dashboard", "behavioral": "behavioral"},
    **{"projects": "sdk", "sourceConfig": "sdk", "analytics.js": "sdk", "beacon": "batch"},
}
"""Groups of paths by the first part of the path. Those below /v1/ depend on the second part."""
_MESSAGES = {"batch": "batch", "b": "batch", "import": "batch", "pixel": "pixel", "projects": "sdk"}
_SHORT = {b"/o/": ROUTES["picture"], b"/d/": ROUTES["data"], b"/v1": ROUTES["message"]}
"""Groups of the requests that go the short way (see `web.protocol`), by the first three bytes of the target."""

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


def timed(target: bytes, take: Take | None) -> Take | None:
    """Return a callable that takes a request as `take` does, and counts its answer. None stays None."""
    return partial(_take, _SHORT[target[:3]], take) if take is not None else None


def _take(route: Route, take: Take, body: bytes, respond: Respond) -> None:
    begun, trace = perf_counter(), tracing.started(route.name, REQUEST_ID.get())

    def respond_timed(status: int, headers: Sequence[Header], payload: bytes) -> None:
        route.ended(status, begun)
        if trace is not None:
            trace.end(status)
        respond(status, headers, payload)

    take(body, respond_timed)


async def measured(app: App, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer a request with an ASGI application, with the request's ID.

    Counts the answer once the last part of it is about to be sent.
    """
    begun, status, route = perf_counter(), 503, route_of(scope["path"])
    ended, request_id = False, id_of(scope["headers"])
    REQUEST_ID.set(request_id)
    trace = tracing.started(route.name, request_id) if route.name in TRACED else None

    async def send_noted(message: Any) -> None:
        nonlocal status, ended
        if message["type"] == "http.response.start":
            status = message["status"]
            message = {**message, "headers": [*message["headers"], (HEADER, request_id.encode())]}
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            route.ended(status, begun)
            ended = True
        await send(message)

    try:
        await app(scope, receive, send_noted)
    finally:
        if not ended:  # the client is gone, or the application broke
            route.ended(status, begun)
        if trace is not None:
            trace.end(status)
