"""Factors: the authenticator app, the passkeys and the recovery codes of whoever is signed in."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.access.second_factors import APP
from wetink.core.access.account import Account
from wetink.core.errors import BadRequest, Conflict
from wetink.web import session
from wetink.web.dashboard.access.app_setup import setup_facts
from wetink.web.dashboard.access.second_factor import origin_of
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import inside, wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms

PATH = "/dashboard/settings/security"


async def facts(request: Request, account: Account) -> dict[str, Any]:
    """Return what the cards of the Security page show."""
    wetink = wetink_of(request)
    rules = await wetink.sign_in_rules.read()
    return {
        "factors": await wetink.factors.of(account.id),
        "required": rules.second_factor,
        "origin": origin_of(request),
        "by_password": rules.passwords,
        "providers": rules.providers,
    }


async def begin_app(request: Request) -> Response:
    """Begin to set up an authenticator app."""
    account, _ = await _changing(request)
    setup = await wetink_of(request).factors.begin_app(account, now_ms())
    session.changed(request, "began to set up an authenticator app for", account.email)
    return RedirectResponse(f"{PATH}/app?setup={setup.id}", 303)


async def app(request: Request) -> Response:
    """Show the QR code of an app that is being set up."""
    account = session.account(request)
    try:
        setup = await wetink_of(request).factors.setup(account, request.query_params.get("setup", ""), now_ms())
    except Conflict:
        return RedirectResponse(PATH, 303)
    return page(request, "access/factor_app.html", wrong={}, **setup_facts(request, account, setup))


async def confirm_app(request: Request) -> Response:
    """Keep the app whose first code came. Shows recovery codes if there are none yet."""
    form = await form_of(request)
    wetink, account, now, id_ = wetink_of(request), session.account(request), now_ms(), form.get("setup", "")
    try:
        await wetink.factors.confirm_app(account, id_, form.get("code", ""), now)
    except BadRequest as error:
        setup = await wetink.factors.setup(account, id_, now)
        shown = setup_facts(request, account, setup)
        return page(request, "access/factor_app.html", status=400, wrong={"code": error.sentence}, **shown)
    session.changed(request, "added an authenticator app to", account.email)
    if not (await wetink.factors.of(account.id)).codes:
        return await _codes_page(request, account)
    return redirect(request, PATH, "Your authenticator app is ready.")


async def remove_app(request: Request) -> Response:
    """Remove the authenticator app."""
    account, _ = await _changing(request)
    await _check_left(request, account, APP)
    await wetink_of(request).factors.remove_app(account)
    session.changed(request, "removed the authenticator app of", account.email)
    return redirect(request, PATH, "Your authenticator app was removed.")


async def renew_codes(request: Request) -> Response:
    """Make new recovery codes, and show them once."""
    account, _ = await _changing(request)
    session.changed(request, "made recovery codes for", account.email)
    return await _codes_page(request, account)


async def ask_passkey(request: Request) -> Response:
    """Return the options for a new passkey, for the script."""
    account, _ = await _changing(request)
    asked = await (await wetink_of(request).passkeys()).ask_new(account, now_ms())
    return answer(asked.challenge, asked.options)


async def add_passkey(request: Request) -> Response:
    """Keep the passkey that the browser has made. Shows recovery codes if there are none yet."""
    form = await form_of(request)
    wetink, account = wetink_of(request), session.account(request)
    added = await (await wetink.passkeys()).add(
        account, form.get("challenge", ""), form.get("answer", ""), form.get("passkey-name", ""), now_ms()
    )
    session.changed(request, "added the passkey", added.name, detail=account.email)
    if not (await wetink.factors.of(account.id)).codes:
        return await _codes_page(request, account)
    return redirect(request, PATH, f"The passkey {added.name} is added.")


async def ask_proof(request: Request) -> Response:
    """Return the options with which somebody proves who they are by a passkey, for the script."""
    await form_of(request)
    asked = await (await wetink_of(request).passkeys()).ask(session.account(request).id, now_ms())
    return answer(asked.challenge, asked.options)


async def prove(request: Request) -> Response:
    """Take a passkey for the proof of who somebody is, and go on to where it was needed."""
    form = await form_of(request)
    wetink, account, now = wetink_of(request), session.account(request), now_ms()
    await wetink.factors.count_try(account.id, now)
    passkeys = await wetink.passkeys()
    await passkeys.check(form.get("challenge", ""), form.get("answer", ""), account.id, now)
    await wetink.factors.forgive(account.id)
    await session.proved(request)
    return RedirectResponse(inside(form.get("next", "")), 303)


async def remove_passkey(request: Request) -> Response:
    """Remove a passkey."""
    account, form = await _changing(request)
    id_ = form.get("passkey", "")
    await _check_left(request, account, id_)
    await (await wetink_of(request).passkeys()).remove(account.id, id_)
    session.changed(request, "removed a passkey of", account.email)
    return redirect(request, PATH, "The passkey was removed. Delete it on the device as well.")


def answer(challenge: str, options: str) -> Response:
    """Return a challenge with its options to the script."""
    body = msgspec.json.encode({"challenge": challenge, "options": msgspec.Raw(options.encode())})
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


async def _changing(request: Request) -> tuple[Account, Mapping[str, str]]:
    """Return the account that a form changes, and the form. Raises Forbidden unless its holder has proved it."""
    form = await form_of(request)
    account = session.account(request)
    session.check_proved(request)
    return account, form


async def _check_left(request: Request, account: Account, leaving: str) -> None:
    """Raise Conflict if the team requires a second factor, and the one that leaves is the last one."""
    wetink = wetink_of(request)
    factors = await wetink.factors.of(account.id)
    left = {APP} if factors.app is not None else set()
    left |= {each.id for each, _ in factors.passkeys}
    if left == {leaving} and account.password and (await wetink.sign_in_rules.read()).second_factor:
        raise Conflict("your team requires a second factor", hint="add another one before you remove this one")


async def _codes_page(request: Request, account: Account) -> Response:
    wetink = wetink_of(request)
    renewed = (await wetink.factors.of(account.id)).codes > 0
    codes = await wetink.factors.renew_codes(account, now_ms())
    return page(request, "access/recovery_codes.html", codes=codes, renewed=renewed)
