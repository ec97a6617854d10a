"""Sign-on: sends people to their identity provider, and takes them in when they come back.

A signed cookie keeps the step that the answer must fit, so that nothing is stored for those who never come back.
"""

import base64
import hashlib
import hmac

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.access.sign_on import account_of
from wetink.core.access.single_sign_on import Provider, Step
from wetink.core.errors import BadRequest, Forbidden, NotFound, Unavailable, WetinkError
from wetink.web import session
from wetink.web.dashboard.access.second_factor import note, set_cookie, signed_in
from wetink.web.dashboard.access.sign_in import login_page
from wetink.web.dashboard.page.query import inside, wetink_of
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

COOKIE = "wetink_sign_on"
STEP_MS = 10 * 60_000
BACK = "/dashboard/login/back"


def callback(wetink: Wetink) -> str:
    """Return the address that providers send people back to. It has to be registered there."""
    return f"{wetink.settings.address}{BACK}"


async def leave(request: Request) -> Response:
    """Send the browser to an identity provider."""
    wetink, now = wetink_of(request), now_ms()
    onward = inside(request.query_params.get("next", ""))
    try:
        provider = await _provider(wetink, str(request.path_params["provider"]))
        openid = await wetink.openid()
        address, step = await openid.begin(provider, callback(wetink), onward, now, now + STEP_MS)
    except WetinkError as error:
        return await _failed(request, error, onward)
    response = RedirectResponse(address, 303, {"cache-control": "no-store"})
    set_cookie(request, response, COOKIE, _sealed(wetink, msgspec.json.encode(step)), STEP_MS // 1000)
    return response


async def back(request: Request) -> Response:
    """Sign in whoever comes back from an identity provider with an answer to this browser's question."""
    wetink, now, query = wetink_of(request), now_ms(), request.query_params
    onward = "/dashboard"
    try:
        body = _opened(wetink, request.cookies.get(session.cookie(wetink, COOKIE), ""))
        step = msgspec.json.decode(body, type=Step) if body is not None else None
        if step is None or not now < step.until:
            raise Forbidden("this sign-in took too long, or began in another browser", hint="sign in again")
        onward, provider = inside(step.onward), await _provider(wetink, step.provider)
        if not hmac.compare_digest(query.get("state", "").encode(), step.state.encode()):
            raise Forbidden("the answer belongs to another sign-in", hint="sign in again")
        if query.get("iss", provider.issuer) != provider.issuer:
            raise Forbidden("the answer comes from another provider", hint="sign in again")
        if said := query.get("error", ""):
            why = query.get("error_description", "") or said
            raise Forbidden(f"{provider.title} did not sign you in: {why[:200]}", hint="try again, or ask an owner")
        openid = await wetink.openid()
        claims = await openid.finish(provider, callback(wetink), step, query.get("code", ""), now)
        account = await account_of(wetink.store.accounts, provider, claims, now)
    except WetinkError as error:
        return await _failed(request, error, onward)
    await note(request, account, "signed in with", provider.title)
    response = await signed_in(request, account, onward)
    _forget_step(request, response)
    return response


async def _provider(wetink: Wetink, name: str) -> Provider:
    """Return a provider by its name. Raises NotFound."""
    found = (await wetink.sign_in_rules.read()).provider(name)
    if found is None:
        raise NotFound("this way to sign in is not set up", hint="use another one, or ask an owner")
    return found


async def _failed(request: Request, error: WetinkError, onward: str) -> Response:
    status = 403 if isinstance(error, BadRequest) else status_of(error)
    if error.where == "issuer":  # words for owners, who see them when they save the provider
        error = Unavailable("this provider cannot be used now", hint="sign in another way, and tell an owner")
    response = await login_page(request, status, {}, error=error.sentence, next=onward, email="")
    _forget_step(request, response)
    return response


def _forget_step(request: Request, response: Response) -> None:
    name = session.cookie(wetink_of(request), COOKIE)
    response.delete_cookie(name, httponly=True, samesite="lax", secure=name.startswith("__Host-"))


def _sealed(wetink: Wetink, body: bytes) -> str:
    return base64.urlsafe_b64encode(_mac(wetink, body) + body).decode()


def _opened(wetink: Wetink, text: str) -> bytes | None:
    """Return what was sealed here; None for anything else."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii"))
    except (ValueError, UnicodeError):
        return None
    mac, body = raw[:32], raw[32:]
    return body if hmac.compare_digest(mac, _mac(wetink, body)) else None


def _mac(wetink: Wetink, body: bytes) -> bytes:
    return hmac.digest(wetink.dashboard_token.encode(), b"sign-on\0" + body, hashlib.sha256)
