"""App: all paths of wetink. Ingest and opens are plain ASGI callables and checked first. The rest is Starlette."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from wetink.core.errors import TooManyRequests, WetinkError
from wetink.insights.health import counted
from wetink.settings import ROLES, Role
from wetink.telemetry.metrics import route_of
from wetink.telemetry.request import current_id, measured
from wetink.web import api, health, poll, reports, session
from wetink.web.dashboard import routes
from wetink.web.dashboard.page.query import inside
from wetink.web.dashboard.page.render import page
from wetink.web.guard import Guard
from wetink.web.ingest import IngestEndpoints
from wetink.web.open import OpenEndpoints
from wetink.web.policy import content_policy
from wetink.web.protocol import FastPath, Header, Take
from wetink.web.rates import Rates
from wetink.web.request import single_slashes, status_of
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
HEADERS = {
    b"content-security-policy": content_policy().encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
"""Headers of every page that does not set them itself."""


class App:
    """A wetink server as an ASGI application."""

    def __init__(self, wetink: Wetink, extra_routes: Sequence[BaseRoute] = ()) -> None:
        roles = wetink.settings.role
        self._ingest = IngestEndpoints(wetink.store.sources, wetink.ingest, rates=Rates(wetink.settings.data / "rates"))
        self._opens = OpenEndpoints(wetink)
        self._ingests, self._shows = "ingest" in roles, "open" in roles
        mine = [*extra_routes, *(route for route in ROUTES if not roles.isdisjoint(roles_of(route)))]
        guard = [Middleware(Guard, routes=mine, answer=_wetink_error)] if "dashboard" in roles else []
        self.pages = Starlette(
            routes=mine,
            middleware=[Middleware(Headers), *guard],
            exception_handlers=ERRORS,
        )
        self.pages.state.wetink, self.pages.state.readiness = wetink, health.Readiness(wetink)
        counted()
        self.fast_path = FastPath(self._take_of)

    def _take_of(self, method: bytes, target: bytes, headers: Sequence[Header], client: str) -> Take | None:
        """Return the callable that takes a request the short way (see `web.protocol`); None for the long way."""
        if method == b"POST":
            return self._ingest.fast_path(target, headers) if self._ingests else None
        if method != b"GET" or not self._shows:
            return None
        return self._opens.fast_path(target, headers, client)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            path = scope["path"]
            await measured(self._endpoint(path), route_of(path), scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    def _endpoint(self, path: str) -> Any:
        if self._shows and path.startswith(self._opens.PATHS):
            return self._opens
        return self._ingest if self._ingests and single_slashes(path).startswith(self._ingest.PATHS) else self.pages


def create(wetink: Wetink, extra_routes: Sequence[BaseRoute] = ()) -> App:
    """Return the ASGI application of a wetink."""
    return App(wetink, extra_routes)


class Headers:
    """Adds the security headers to every answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""

        async def send_with(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [(name, value) for name, value in HEADERS.items() if name not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, send_with)


async def _home(request: Request) -> Response:
    return RedirectResponse("/dashboard", 302)


def _wetink_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WetinkError)  # noqa: S101 (registered for it)
    if error.where == session.CONFIRM and "text/html" in request.headers.get("accept", ""):
        came_from = inside(urlsplit(request.headers.get("referer", "")).path)
        return RedirectResponse(f"{error.where}?{urlencode({'next': came_from})}", 303)
    status = status_of(error)
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    return _answer(request, status, str(error), error.hint, headers, error.where)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for it)
    message = "there is nothing at this address" if error.status_code == 404 else error.detail
    return _answer(request, error.status_code, message, "")


def _broken(request: Request, error: Exception) -> Response:
    logger.error("a page broke", exc_info=error)
    return _answer(request, 503, "This page cannot be made right now.", "Try again; the log says why.")


ERRORS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    WetinkError: _wetink_error,
    HTTPException: _refused,
    Exception: _broken,
}
"""Functions that answer an error, by its class."""


TITLES = {403: "Not allowed", 404: "Not found"}
"""Titles of pages with an error, by status. Any other has the error itself."""


def _answer(
    request: Request, status: int, message: str, hint: str, headers: Mapping[str, str] | None = None, where: str = ""
) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        is_named = where and message.startswith(where)  # a field's name stays as it is written
        sentence = (message if is_named else f"{message[:1].upper()}{message[1:]}").removesuffix(".")
        facts = {
            "title": TITLES.get(status, sentence),
            "message": f"{sentence}." if status in TITLES else "",
            "hint": hint,
            "request_id": current_id(),
        }
        return page(request, "page/error.html", status=status, headers=headers, **facts)
    error = {"code": status, "message": message, "hint": hint, **({"where": where} if where else {})}
    return JSONResponse({"error": error}, status, headers)


ROUTES: tuple[BaseRoute, ...] = (
    Route("/", _home),
    Route("/healthz", health.healthz),
    Route("/readyz", health.readyz),
    *routes.ROUTES,
    Route("/v/{block}/{slot:slot}/{token}", poll.ballot),
    Route("/v/{block}/{slot:slot}/{token}", poll.cast, methods=["POST"]),
    Route("/api/content", api.pull),
    Route("/api/content", api.push, methods=["POST"]),
    Route("/api/content/versions", api.versions),
    Route("/api/content/rollback", api.rollback, methods=["POST"]),
    Route("/api/report", reports.report),
    Route("/api/report.csv", reports.report_csv),
    Route("/api/conversions", reports.conversions),
    Route("/api/conversions/{id:path}", reports.conversion),
    Route("/api/experiments", reports.experiments),
    Route("/api/experiments/{name}", reports.experiment),
    Route("/api/opens", api.opens),
    Route("/api/opens/{id}", api.opened),
    Route("/api/opens/{id}/{slot:slot}.img", api.opened_picture),
    Route("/api/preview", api.preview, methods=["POST"]),
    Route("/api/preview/{slot:slot}", api.picture, methods=["POST"]),
    Route("/api/feeds", api.feeds),
    Route("/api/feeds/{name}", api.put_feed, methods=["PUT"]),
    Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
)
"""All paths except those of ingest and opens, which are in `web.ingest` and `web.open`. Pages: `dashboard.routes`."""


EVERYWHERE = ("/healthz", "/readyz")
"""Paths that every process answers, whatever its roles are."""


def roles_of(route: BaseRoute) -> Sequence[Role]:
    """Return the roles that answer a route. A voting page belongs to the open, and needs the files of pages as well."""
    path = getattr(route, "path", "")
    if path in EVERYWHERE:
        return ROLES
    if path == "/static":
        return ("open", "dashboard")
    return ("open",) if path.startswith("/v/") else ("dashboard",)
