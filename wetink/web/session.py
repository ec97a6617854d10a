"""Session: access to the dashboard. A cookie names a session that the server keeps until a logout.

The token that `wetink serve` prints begins a session. After a wrong token the sender must wait, longer each time.
"""

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.errors import BadRequest, Forbidden, TooManyRequests
from wetink.ports.keys import LONGEST_MS
from wetink.web.request import now_ms
from wetink.wiring import Wetink

COOKIE = "wetink_session"
SAFE = ("GET", "HEAD", "OPTIONS")


def cookie(wetink: Wetink) -> str:
    """Return the name of the cookie. Over HTTPS, its prefix keeps other hosts and plain HTTP from setting it."""
    return f"__Host-{COOKIE}" if _secure(wetink) else COOKIE


async def sign_in(request: Request, response: Response) -> None:
    """Give the browser a new session in this response. Its earlier session ends."""
    wetink = _wetink(request)
    await _end(request)
    session = await wetink.store.sessions.begin(wetink.dashboard_token, now_ms())
    response.set_cookie(
        cookie(wetink), session, max_age=LONGEST_MS // 1000, httponly=True, samesite="lax", secure=_secure(wetink)
    )


async def sign_out(request: Request, response: Response) -> None:
    """End the session, for all copies of its cookie."""
    await _end(request)
    wetink = _wetink(request)
    response.delete_cookie(cookie(wetink), httponly=True, samesite="lax", secure=_secure(wetink))


async def signed_in(request: Request) -> bool:
    """Return whether a request has a valid session."""
    wetink, session = _wetink(request), _session(request)
    found = await wetink.store.sessions.find(session, wetink.dashboard_token, now_ms()) if session else None
    return found is not None


async def _end(request: Request) -> None:
    if session := _session(request):
        await _wetink(request).store.sessions.end(session)


async def right_token(request: Request, token: str) -> bool:
    """Return whether this is the token that `wetink serve` prints.

    Raises TooManyRequests if its sender must wait after wrong ones, even for the right token.
    """
    wetink, address, now = _wetink(request), _address(request), now_ms()
    right = is_token(wetink, token)
    if right and not await wetink.store.sessions.tried(address):
        return True
    wait = await wetink.store.sessions.try_from(address, now)
    if wait:
        seconds = -(-wait // 1000)
        raise TooManyRequests(
            "too many wrong tokens came from your address", hint=f"try again in {seconds} s", retry_after=seconds
        )
    if right:
        await wetink.store.sessions.forgive(address)
    return right


def is_token(wetink: Wetink, token: str) -> bool:
    """Return whether this is the token that `wetink serve` prints. The comparison takes constant time."""
    return _same(token.strip(), wetink.dashboard_token)


def actor(request: Request) -> str:
    """Return who changes something here, for the history of content."""
    return "dashboard"


def csrf(request: Request) -> str:
    """Return the CSRF token of this session, for a form's field `csrf` or a script's header `x-csrf`."""
    wetink = _wetink(request)
    text = f"csrf\0{_session(request)}".encode("utf-8", "surrogateescape")
    return hmac.new(wetink.dashboard_token.encode(), text, hashlib.sha256).hexdigest()


def check_csrf(request: Request, form: Mapping[str, str] | None = None) -> None:
    """Raise BadRequest unless the form's field `csrf`, or else the header `x-csrf`, has this session's CSRF token."""
    given = (form or {}).get("csrf") or request.headers.get("x-csrf", "")
    if not _same(given, csrf(request)):
        raise BadRequest("this form has grown old", hint="load the page again and send it once more", where="csrf")


def check_origin(request: Request) -> None:
    """Raise Forbidden for a request that changes something and comes from another site's page."""
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    if origin is None and request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
        return
    if origin is not None:
        hosts = (request.headers.get("host"), request.headers.get("x-forwarded-host"))
        if origin == _origin(_wetink(request).settings.address) or urlsplit(origin).netloc in hosts:
            return
    raise Forbidden("this was sent by a page of another site", hint="open the dashboard and try there")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _session(request: Request) -> str:
    return request.cookies.get(cookie(_wetink(request)), "")


def _address(request: Request) -> str:
    """Return the sender's address; for IPv6 its /64 network, since a single sender has all of it."""
    client = request.client.host if request.client is not None else ""
    origin = _wetink(request).places.origin_of(client, request.headers.get("x-forwarded-for", ""))
    try:
        found = ip_address(origin.partition("%")[0])
    except ValueError:
        return origin[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _wetink(request: Request) -> Wetink:
    wetink: Wetink = request.app.state.wetink
    return wetink


def _secure(wetink: Wetink) -> bool:
    return wetink.settings.address.startswith("https:")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
