"""Session: who may look into the dashboard. A signed cookie, got for the token that `wetink serve` prints."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadRequest
from wetink.web.clock import now_ms
from wetink.wiring import Wetink

COOKIE = "wetink_session"
DAYS = 14
DAY_MS = 86_400_000


def sign_in(response: Response, wetink: Wetink) -> None:
    """Give the browser that gets this response a session."""
    text = f"{now_ms() + DAYS * DAY_MS}.{secrets.token_hex(8)}"
    response.set_cookie(
        COOKIE,
        f"{text}.{_signature(wetink, 'session', text)}",
        max_age=DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=wetink.settings.address.startswith("https:"),
    )


def sign_out(response: Response) -> None:
    """Take the session away."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


def signed_in(request: Request) -> bool:
    """Whether a request comes with a session that we gave and that still lasts."""
    text, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
    until = text.partition(".")[0]
    right = _same(signature, _signature(_wetink(request), "session", text))
    return right and until.isdecimal() and now_ms() < int(until)


def right_token(request: Request, token: str) -> bool:
    """Whether this is the token that `wetink serve` prints."""
    return _same(token.strip(), _wetink(request).dashboard_token)


def csrf(request: Request) -> str:
    """Return what a form of this session must send along as `csrf`."""
    return _signature(_wetink(request), "csrf", request.cookies.get(COOKIE, ""))


def check_csrf(request: Request, form: Mapping[str, str]) -> None:
    """Raise BadRequest unless the form was made for this session."""
    if not _same(form.get("csrf", ""), csrf(request)):
        raise BadRequest("this form has grown old", hint="load the page again and send it once more")


def _wetink(request: Request) -> Wetink:
    wetink: Wetink = request.app.state.wetink
    return wetink


def _signature(wetink: Wetink, purpose: str, text: str) -> str:
    return hmac.new(wetink.dashboard_token.encode(), f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
