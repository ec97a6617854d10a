"""Second factor: the step between a right password and the session, and setting one up where it is required.

A cookie names the half-finished sign-in. It opens nothing, ends after ten minutes, and serves once.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.access.second_factors import APP, RECOVERY, Setup
from wetink.core.access.account import Account
from wetink.core.access.audit import Entry
from wetink.core.access.passkey import relying_party
from wetink.core.errors import BadRequest, Conflict, Forbidden, TooManyRequests
from wetink.ports.challenges import Challenge
from wetink.web import session
from wetink.web.dashboard.access.app_setup import setup_facts
from wetink.web.dashboard.page.form import open_form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms

COOKIE = "wetink_second"
SECOND, REQUIRED = "second", "second-required"
"""Kinds of challenges: a second factor is asked for, or has to be set up first."""
STEP_MS = 10 * 60_000
PATH, SETUP_PATH = "/dashboard/login/second", "/dashboard/login/set-up"
WAYS = {APP: "the authenticator app", RECOVERY: "a recovery code"}


class Onward(msgspec.Struct, frozen=True):
    """Where a half-finished sign-in goes on to. `setup` names the new app where one has to be set up."""

    path: str
    setup: str = ""


async def onward(request: Request, account: Account, path: str) -> Response:
    """Return the answer to somebody with a right password: the page at `path` in a new session, or a second step."""
    wetink, now = wetink_of(request), now_ms()
    factors = await wetink.factors.of(account.id)
    if factors.second:
        kind, place, then = SECOND, PATH, Onward(path)
    elif (await wetink.sign_in_rules.read()).second_factor:
        setup = await wetink.factors.begin_app(account, now)
        kind, place, then = REQUIRED, SETUP_PATH, Onward(path, setup.id)
    else:
        return await signed_in(request, account, path)
    data = msgspec.json.encode(then).decode()
    id_ = await wetink.store.challenges.begin(kind, account.id, data, now, now + STEP_MS)
    response = RedirectResponse(place, 303)
    set_cookie(request, response, COOKIE, id_, STEP_MS // 1000)
    return response


async def signed_in(request: Request, account: Account, path: str) -> Response:
    """Return the page at `path` in a new session of an account."""
    response = RedirectResponse(path, 303)
    _forget_step(request, response)
    await session.sign_in(request, response, account)
    return response


async def second(request: Request) -> Response:
    """Ask for the second factor. Sign in with a right code."""
    form = await open_form_of(request) if request.method == "POST" else {}
    found = await waiting(request, SECOND)
    if found is None:
        return _too_late(request)
    step, account, then = found
    status, error, headers = 200, "", {}
    if request.method == "POST":
        wetink = wetink_of(request)
        try:
            used = await wetink.factors.check_code(account.id, form.get("code", ""), now_ms())
            if await wetink.store.challenges.take(step.id, SECOND, now_ms()) is None:
                return _too_late(request)
            await note(request, account, "signed in with", WAYS[used])
            return await signed_in(request, account, then.path)
        except TooManyRequests as wait:
            status, error = 429, wait.sentence
            headers = {"retry-after": str(wait.retry_after)}
        except Forbidden as wrong:
            await note(request, account, "failed a second factor of", account.email)
            status, error = 403, wrong.sentence
    return await step_page(request, account, status, error, headers)


async def step_page(
    request: Request, account: Account, status: int = 200, error: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Show the ways to take the second step of a sign-in, with what went wrong."""
    facts: dict[str, Any] = {
        "error": error,
        "account": account,
        "factors": await wetink_of(request).factors.of(account.id),
        "origin": origin_of(request),
    }
    return page(request, "access/second_factor.html", status=status, headers=headers, **facts)


async def set_up(request: Request) -> Response:
    """Set up the app that the team requires, then show the recovery codes and sign in."""
    form = await open_form_of(request) if request.method == "POST" else {}
    found = await waiting(request, REQUIRED)
    if found is None:
        return _too_late(request)
    step, account, then = found
    wetink, now, wrong = wetink_of(request), now_ms(), {}
    try:
        if request.method == "POST":
            try:
                await wetink.factors.confirm_app(account, then.setup, form.get("code", ""), now)
                await wetink.store.challenges.take(step.id, REQUIRED, now)
                await note(request, account, "added an authenticator app to", account.email)
                codes = await wetink.factors.renew_codes(account, now)
                response: Response = page(request, "access/recovery_codes_first.html", codes=codes, onward=then.path)
                _forget_step(request, response)
                await session.sign_in(request, response, account)
                return response
            except BadRequest as error:
                wrong = {"code": error.sentence}
        setup: Setup = await wetink.factors.setup(account, then.setup, now)
    except Conflict:
        return _too_late(request)
    facts: dict[str, Any] = setup_facts(request, account, setup)
    return page(
        request, "access/second_factor_setup.html", status=400 if wrong else 200, wrong=wrong, account=account, **facts
    )


async def waiting(request: Request, kind: str) -> tuple[Challenge, Account, Onward] | None:
    """Return the half-finished sign-in that the browser has, with its account; None if there is none."""
    wetink = wetink_of(request)
    id_ = request.cookies.get(session.cookie(wetink, COOKIE), "")
    step = await wetink.store.challenges.look(id_, kind, now_ms()) if id_ else None
    account = await wetink.store.accounts.get(step.account) if step is not None else None
    if step is None or account is None or account.disabled:
        return None
    return step, account, msgspec.json.decode(step.data, type=Onward)


async def note(request: Request, account: Account, action: str, thing: str) -> None:
    """Write a step of a sign-in to the audit log. Raises StoreUnavailable."""
    address = session.address_of(request)
    entry = Entry(now_ms(), account.name, action, thing, account=account.id, address=address)
    await wetink_of(request).store.audit_log.write(entry)


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie for the length of a sign-in."""
    wetink = wetink_of(request)
    secure = wetink.settings.address.startswith("https:")
    name = session.cookie(wetink, name)
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def origin_of(request: Request) -> str:
    """Return the origin whose pages may use passkeys; empty if there is none."""
    party = relying_party(wetink_of(request).settings.address)
    return party.origin if party is not None else ""


def _forget_step(request: Request, response: Response) -> None:
    if (name := session.cookie(wetink_of(request), COOKIE)) in request.cookies:
        response.delete_cookie(name, httponly=True, samesite="lax", secure=name.startswith("__Host-"))


def _too_late(request: Request) -> Response:
    return page(request, "access/second_factor_late.html", status=409 if request.method == "POST" else 200)
