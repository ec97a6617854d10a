"""App: every path of wetink. The hot doors are plain ASGI callables, asked first; the rest is Starlette."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from wetink import __version__
from wetink.core.errors import TooManyRequests, WetinkError
from wetink.insights.failures import counted
from wetink.web import content, dashboard, feeds, past_opens, poll, previews, reports, session
from wetink.web.bearer import admit
from wetink.web.dashboard.render import page
from wetink.web.errors import status_of
from wetink.web.ingest import IngestEndpoints
from wetink.web.login import login, logout
from wetink.web.open import OpenEndpoints
from wetink.web.protocol import Header, Take
from wetink.web.rates import Rates
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
OPEN_PATHS = ("/dashboard/login",)
"""The only paths of the dashboard for those who have not signed in."""

HEADERS = {
    b"content-security-policy": b"default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    b"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
"""On every page that does not say otherwise."""


class App:
    """One wetink as an ASGI application."""

    def __init__(self, wetink: Wetink, extra_routes: Sequence[BaseRoute] = ()) -> None:
        """Serve `wetink`, with further routes."""
        self._ingest = IngestEndpoints(wetink.store.sources, wetink.ingest, rates=Rates(wetink.settings.data / "rates"))
        self._opens = OpenEndpoints(wetink)
        self.pages = Starlette(
            routes=[*extra_routes, *ROUTES],
            middleware=[Middleware(Headers), Middleware(Guard)],
            exception_handlers={WetinkError: _told, HTTPException: _refused, Exception: _broken},
        )
        self.pages.state.wetink = wetink
        counted()

    def short(self, method: bytes, target: bytes, headers: Sequence[Header], client: str) -> Take | None:
        """Return who takes a request the short way (see `web.protocol`), None when it has to go the long one."""
        if method == b"POST":
            return self._ingest.short(target, headers)
        return self._opens.short(target, headers, client) if method == b"GET" else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            path = scope["path"]
            if self._opens.handles(path):
                await self._opens(scope, receive, send)
                return
            if self._ingest.handles(path):
                await self._ingest(scope, receive, send)
                return
        await self.pages(scope, receive, send)


def create(wetink: Wetink, extra_routes: Sequence[BaseRoute] = ()) -> App:
    """Return the application of a wetink."""
    return App(wetink, extra_routes)


class Headers:
    """Puts the security headers on every answer."""

    def __init__(self, app: Any) -> None:
        """Wrap an ASGI application."""
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


class Guard:
    """Lets nobody into the dashboard who has not signed in, and nobody to the doors for programs without the token."""

    def __init__(self, app: Any) -> None:
        """Wrap an ASGI application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        try:
            stopped = await self._stopped(request) if request is not None else None
        except WetinkError as error:
            assert request is not None  # noqa: S101 (else nothing was asked)
            stopped = _told(request, error)
        await (stopped or self._app)(scope, receive, send)

    @staticmethod
    async def _stopped(request: Request) -> Response | None:
        """Return the answer to who may not go on. Raises WetinkError."""
        path = request.scope["path"]
        if path.startswith("/api/"):
            await admit(request)
        elif path.rstrip("/").startswith("/dashboard"):
            session.check_origin(request)
            if path.rstrip("/") not in OPEN_PATHS and not await session.signed_in(request):
                onward = f"?{urlencode({'next': path})}" if request.method == "GET" else ""
                return RedirectResponse(f"/dashboard/login{onward}", 303)
        return None


async def _home(request: Request) -> Response:
    return RedirectResponse("/dashboard", 302)


async def _health(request: Request) -> Response:
    """Whether this process can read the store, draw, and is whole; what fails, went wrong, is lost or late."""
    wetink = request.app.state.wetink
    await wetink.store.sources.all()
    failing = wetink.health.failing()
    told = {
        "failing": failing,
        "tasks": wetink.health.struggling,
        "troubles": dict(sorted(counted().by_place.items())),
        "lost": wetink.lost(),
        "behind": {name: count for name, count in (await wetink.store.projections.behind()).items() if count},
    }
    said = {"status": "failing" if failing else "ok", "version": __version__}
    return JSONResponse({**said, **{name: what for name, what in told.items() if what}}, 503 if failing else 200)


ROUTES: tuple[BaseRoute, ...] = (
    Route("/", _home),
    Route("/health", _health),
    Route("/dashboard/login", login, methods=["GET", "POST"]),
    Route("/dashboard/logout", logout, methods=["POST"]),
    *dashboard.ROUTES,
    *poll.ROUTES,
    *content.ROUTES,
    *reports.ROUTES,
    *past_opens.ROUTES,
    *previews.ROUTES,
    *feeds.ROUTES,
    Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
)
"""Every path but the hot doors', which stand in `web.ingest` and `web.open`."""


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, WetinkError)  # noqa: S101 (registered for it)
    status = status_of(error)
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    return _answer(request, status, str(error), error.hint, headers, error.where)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for it)
    message = "There is nothing at this address." if error.status_code == 404 else error.detail
    return _answer(request, error.status_code, message, "")


def _broken(request: Request, error: Exception) -> Response:
    logger.error("a page broke", exc_info=error)
    return _answer(request, 503, "This page cannot be made right now.", "Try again; the log says why.")


def _answer(
    request: Request, status: int, message: str, hint: str, headers: Mapping[str, str] | None = None, where: str = ""
) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "error.html", status=status, headers=headers, title=message, message=message, hint=hint)
    told = {"code": status, "message": message, "hint": hint, **({"where": where} if where else {})}
    return JSONResponse({"error": told}, status, headers)
