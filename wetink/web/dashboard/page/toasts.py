"""Toasts: one sentence about what a form did, on the page after it, with a way to undo it.

A signed cookie carries it over the redirect, so that no other page and no link can put words here.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.web import session

COOKIE = "wetink_toast"
SECONDS = 60
"""How long a toast waits for its page."""

LONGEST = 3_000
"""Longest toast in bytes, since a browser keeps no cookie above 4 KB. A longer one comes without its undo."""


class Undo(msgspec.Struct, frozen=True):
    """The form that takes a change back: the path it is posted to, and its fields without `csrf`."""

    path: str
    fields: Mapping[str, str] = {}


class Toast(msgspec.Struct, frozen=True):
    """What was done, in one sentence."""

    text: str
    undo: Undo | None = None


def undo_version(number: int, onward: str = "") -> Undo:
    """Return the form that undoes a version of the content, and leads to a page of the dashboard afterwards."""
    return Undo(f"/dashboard/versions/{number}/undo", {"next": onward} if onward else {})


def redirect(request: Request, path: str, text: str, undo: Undo | None = None) -> Response:
    """Lead to a page of the dashboard, and show a sentence there."""
    response = RedirectResponse(path, 303)
    body = msgspec.json.encode(Toast(text[:300], undo))
    if len(body) > LONGEST:
        body = msgspec.json.encode(Toast(text[:300]))
    value = base64.urlsafe_b64encode(_signature(request, body) + body).decode()
    response.set_cookie(COOKIE, value, max_age=SECONDS, path="/dashboard", httponly=True, samesite="lax")
    return response


def told(request: Request) -> Toast | None:
    """Return the toast that waits for this page; None without one, or with one that this session did not sign."""
    try:
        raw = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
        signature, body = raw[:32], raw[32:]
        if not hmac.compare_digest(signature, _signature(request, body)):
            return None
        return msgspec.json.decode(body, type=Toast)
    except (ValueError, msgspec.DecodeError):
        return None


def forget(response: Response) -> None:
    """Remove the toast that this page has shown."""
    response.delete_cookie(COOKIE, path="/dashboard", httponly=True, samesite="lax")


def _signature(request: Request, body: bytes) -> bytes:
    return hmac.new(session.csrf(request).encode(), body, hashlib.sha256).digest()
