"""Guard: lets in who may, by the permission of each route, and writes what was changed to the audit log."""

import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match

from wetink.core.access.actions import action_of
from wetink.core.access.audit import Entry
from wetink.core.access.permissions import Rule, rule_of
from wetink.core.errors import Unauthorized, WetinkError
from wetink.web import api, session
from wetink.web.dashboard.access import sign_in
from wetink.web.request import now_ms
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

LATEST = 5
"""Versions among which the one of a change is looked for."""


class Guard:
    """Requires a session for the dashboard and a token for the API, and the route's permission for both."""

    def __init__(
        self, app: Any, routes: Sequence[BaseRoute], answer: Callable[[Request, WetinkError], Response]
    ) -> None:
        """Guard `routes`. `answer` makes the answer of an error."""
        self._app, self._routes, self._answer = app, routes, answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(("/api/", "/dashboard")):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        pattern, found = self._route(scope)
        rule = rule_of(request.method, pattern)
        try:
            stopped = await _stopped(request, rule)
        except WetinkError as error:
            stopped = self._answer(request, error)
        if stopped is not None:
            await stopped(scope, receive, send)
        elif rule.changes and found is not None:
            await self._audited(request, pattern, found, receive, send)
        else:
            await self._app(scope, receive, send)

    def _route(self, scope: Any) -> tuple[str, dict[str, Any] | None]:
        """Return the path of the route that answers, with its parameters; the request's own path and None without."""
        for route in self._routes:
            match, more = route.matches(scope)
            if match is Match.FULL:
                return getattr(route, "path", ""), more.get("path_params", {})
        return scope["path"], None

    async def _audited(self, request: Request, pattern: str, given: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a change, and write it to the audit log before its answer is sent, unless it failed."""
        before = _wetink(request).version

        async def send_after(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                await _write(request, pattern, given, before)
            await send(message)

        await self._app(request.scope, receive, send_after)


async def _stopped(request: Request, rule: Rule) -> Response | None:
    """Return the answer for somebody who may not go on; None for everybody else. Raises WetinkError."""
    if request.url.path.startswith("/api/"):
        await api.admit(request)
    else:
        session.check_origin(request)
        if await session.find(request) is None and rule.needs is not None:
            return await _without_session(request)
    who = session.who(request)
    if rule.needs is not None and who is not None:
        who.check(rule.needs)
    return None


async def _without_session(request: Request) -> Response:
    """Return the way to sign in. What was typed comes back afterwards; a script is told so."""
    if request.headers.get("hx-request") or request.headers.get("sec-fetch-mode") == "cors":
        error = Unauthorized("your session has ended", hint="sign in again; what you typed is still here")
        facts = {"code": 401, "message": str(error), "hint": error.hint}
        return JSONResponse({"error": facts}, 401, {"wetink-session": "ended", "hx-reswap": "none"})
    path = request.url.path
    if request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/dashboard/login?{urlencode({'next': path + query})}", 303)
    held = await sign_in.held(request) if session.cookie(_wetink(request)) in request.cookies else None
    return held if held is not None else RedirectResponse("/dashboard/login", 303)


async def _write(request: Request, pattern: str, given: dict[str, Any], before: int) -> None:
    """Write what a request has changed. An error is logged: the change is done."""
    wetink, who = _wetink(request), session.who(request)
    said: session.Changed | None = getattr(request.state, "changed", None)
    if said is None:
        action, area = action_of(pattern)
        name = " ".join(str(value) for value in given.values())
        said = session.Changed(action, f"{area} {name}".strip())
    try:
        version = said.version
        if not version and wetink.version > before:
            latest = await wetink.store.content.versions(LATEST)
            mine = [each.number for each in latest if each.number > before and each.by == session.actor(request)]
            version = max(mine, default=0)
        account = who.account.id if who is not None and who.account is not None else ""
        address = session.address_of(request)
        await wetink.store.audit_log.write(
            Entry(now_ms(), session.actor(request), said.action, said.thing, version, said.detail, account, address)
        )
    except WetinkError as error:
        logger.error("a change is missing from the audit log: %s", error)


def _wetink(request: Request) -> Wetink:
    wetink: Wetink = request.app.state.wetink
    return wetink
