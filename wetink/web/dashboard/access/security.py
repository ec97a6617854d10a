"""Security: a person's own name, password and sessions, and the proof of who they are before dangerous changes."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.access.account import name_of
from wetink.core.errors import BadRequest
from wetink.web import session
from wetink.web.dashboard.access import factors
from wetink.web.dashboard.access.sign_in import wrong_of
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import inside, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms

PATH = "/dashboard/settings/security"


async def security(request: Request) -> Response:
    """Show the account of whoever is signed in."""
    return await _page(request)


async def rename(request: Request) -> Response:
    """Change the name that the history of content shows."""
    form = await form_of(request)
    try:
        name = name_of(form.get("name", ""))
    except BadRequest as error:
        return await _page(request, wrong=wrong_of(error), given={"name": form.get("name", "")})
    account = session.account(request)
    await wetink_of(request).store.accounts.change(account.id, name=name)
    session.changed(request, "changed the name of", account.email)
    return redirect(request, PATH, "Your name was changed.")


async def password(request: Request) -> Response:
    """Change the password. Other browsers are signed out."""
    form = await form_of(request)
    account, current = session.account(request), session.current(request)
    try:
        await session.try_as(request, account.email)
        own = current.id if current is not None else ""
        given = form.get("current", ""), form.get("password", "")
        await wetink_of(request).team.change_password(account, *given, own)
    except BadRequest as error:
        return await _page(request, wrong=wrong_of(error))
    await session.proved(request)
    session.changed(request, "changed the password of", account.email)
    return redirect(request, PATH, "Your password was changed. Other browsers were signed out.")


async def end(request: Request) -> Response:
    """End one session of the account, or all but this one."""
    form = await form_of(request)
    account, current = session.account(request), session.current(request)
    own, only = current.id if current is not None else "", form.get("session", "")
    if only == own:
        raise BadRequest("this is the session you use", hint="log out instead", where="session")
    await wetink_of(request).store.sessions.end_of(account.id, only=only, but="" if only else own)
    session.changed(request, "ended a session of" if only else "ended other sessions of", account.email)
    return redirect(request, PATH, "That browser was signed out." if only else "All other browsers were signed out.")


async def confirm(request: Request) -> Response:
    """Ask for the password, and go on to where it was needed."""
    form = await form_of(request) if request.method == "POST" else request.query_params
    onward, wrong = inside(form.get("next", "")), {}
    account = session.account(request)
    facts = await factors.facts(request, account)
    if request.method == "POST" and facts["by_password"]:
        await session.try_as(request, account.email)
        if await wetink_of(request).team.proves(account, form.get("password", "")):
            await session.proved(request)
            return RedirectResponse(onward, 303)
        wrong = {"password": "This is not your password."}
    return page(request, "access/confirm.html", status=400 if wrong else 200, next=onward, wrong=wrong, **facts)


async def _page(request: Request, *, wrong: Mapping[str, str] = {}, given: Mapping[str, str] = {}) -> Response:
    found, current = session.who(request), session.current(request)
    account = found.account if found is not None else None
    facts: dict[str, Any] = {"account": account, "current": current.id if current is not None else "", "sessions": []}
    if account is not None:
        facts["sessions"] = await wetink_of(request).store.sessions.of(account.id, now_ms())
        facts["given"] = {"name": account.name, **given}
        facts |= await factors.facts(request, account)
    return page(request, "access/security.html", status=400 if wrong else 200, wrong=wrong, **facts)
