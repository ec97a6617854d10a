"""Session: who sends a request. A cookie names a session that the server keeps until it ends.

Members of the team sign in with their accounts. Until there is an owner, the token that `wetink serve` prints begins a
session. After wrong passwords or tokens the sender must wait, longer each time, and so must whoever tries an account.
"""

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.access.account import Account
from wetink.core.access.audit import Entry
from wetink.core.access.device import device_of
from wetink.core.access.permissions import SAFE, needed_to_change, rule_of
from wetink.core.access.role import Permission, role_for
from wetink.core.access.who import SERVER, Who
from wetink.core.errors import BadRequest, Forbidden, TooManyRequests
from wetink.ports.keys import LONGEST_MS, Session
from wetink.web.request import now_ms
from wetink.wiring import Wetink

COOKIE, KNOWN_COOKIE = "wetink_session", "wetink_known"
KNOWN_SECONDS = 180 * 86_400
"""How long a browser is known for an account that signed in there, in seconds."""
CONFIRM = "/dashboard/settings/security/confirm"
"""Where somebody proves who they are; the place of the error that asks for it."""
WAIT = "too many wrong passwords"
PROVED_MS = 15 * 60_000
"""How long a proof of who somebody is lasts for changes to the team, in milliseconds."""


class Changed(msgspec.Struct):
    """What a request has changed, in words for the audit log."""

    action: str
    thing: str = ""
    detail: str = ""
    version: int = 0


def cookie(wetink: Wetink, name: str = COOKIE) -> str:
    """Return the name of a cookie. Over HTTPS, its prefix keeps other hosts and plain HTTP from setting it."""
    return f"__Host-{name}" if _secure(wetink) else name


async def sign_in(request: Request, response: Response, account: Account | None = None) -> None:
    """Give the browser a new session of an account in this response, or of the server's token. Its earlier one ends."""
    wetink, now = _wetink(request), now_ms()
    await _end(request)
    device = device_of(request.headers.get("user-agent", ""))
    id_ = account.id if account is not None else ""
    session = await wetink.store.sessions.begin(
        wetink.dashboard_token, now, account=id_, address=address_of(request), device=device
    )
    if account is not None:
        await wetink.store.accounts.change(account.id, used=now)
        await note(request, account, "signed in with", device)
        _set(response, wetink, KNOWN_COOKIE, _known(wetink, account.email), KNOWN_SECONDS)
    _set(response, wetink, COOKIE, session, LONGEST_MS // 1000)


async def note(request: Request, account: Account, action: str, thing: str) -> None:
    """Write what somebody did who is not signed in yet to the audit log."""
    address = address_of(request)
    entry = Entry(now_ms(), account.name, action, thing, account=account.id, address=address)
    await _wetink(request).store.audit_log.write(entry)


async def sign_out(request: Request, response: Response) -> None:
    """End the session, for all copies of its cookie."""
    await _end(request)
    wetink = _wetink(request)
    response.delete_cookie(cookie(wetink), httponly=True, samesite="lax", secure=_secure(wetink))


async def find(request: Request) -> Who | None:
    """Return who sends a request, by its session; None without a valid one. `who` returns it from now on."""
    wetink, secret = _wetink(request), _session(request)
    if not secret:
        return None
    found = await wetink.store.sessions.find(secret, wetink.dashboard_token, now_ms())
    if found is None:
        return None
    who: Who | None
    if found.account:
        account = await wetink.store.accounts.get(found.account)
        who = Who(account.name, account.role, account) if account is not None and not account.disabled else None
    else:
        who = None if await wetink.team.has_owner() else SERVER
    if who is not None:
        request.state.who, request.state.session = who, found
    return who


def who(request: Request) -> Who | None:
    """Return who sends a request; None if nobody is signed in."""
    found: Who | None = getattr(request.state, "who", None)
    return found


def current(request: Request) -> Session | None:
    """Return the session of a request; None without one."""
    found: Session | None = getattr(request.state, "session", None)
    return found


def account(request: Request) -> Account:
    """Return the account that is signed in. Raises Forbidden for the server's token, which has none."""
    found = who(request)
    if found is None or found.account is None:
        raise Forbidden("the server's token has no account", hint="make your own account on the Team page")
    return found.account


def may(request: Request, path: str) -> bool:
    """Return whether the sender of a request may send a form to a path of the dashboard."""
    return _has(request, rule_of("POST", path).needs)


def may_open(request: Request, path: str) -> bool:
    """Return whether the sender of a request may open a page."""
    return _has(request, rule_of("GET", path).needs)


def _has(request: Request, permission: Permission | None) -> bool:
    found = who(request)
    return permission is None or (found is not None and found.may(permission))


def role_to_change(request: Request) -> str:
    """Return the role that somebody lacks to change this page; empty for who may, and for pages that only show."""
    needs = needed_to_change(request.url.path)
    found = who(request)
    return "" if needs is None or found is None or found.may(needs) else role_for(needs)


def actor(request: Request) -> str:
    """Return who changes something here, for the history of content."""
    found = who(request)
    return found.name if found is not None else SERVER.name


def changed(request: Request, action: str, thing: str = "", *, detail: str = "", version: int = 0) -> None:
    """Say in words what this request has changed, for the audit log. Name no shoppers.

    `action` is a verb such as "published", `thing` what it was done to, such as "block hero".
    """
    request.state.changed = Changed(action, thing, detail, version)


async def proved(request: Request) -> None:
    """Note that the person has proved who they are."""
    wetink = _wetink(request)
    await wetink.store.sessions.prove(_session(request), now_ms())
    await wetink.store.sessions.forgive(_key(request, account(request).email))


def check_proved(request: Request) -> None:
    """Raise Forbidden unless the person has proved who they are lately. An account without a password need not."""
    found, session = who(request), current(request)
    if found is None or found.account is None or session is None or not found.account.password:
        return
    if not 0 <= now_ms() - session.proved < PROVED_MS:
        raise Forbidden("confirm that it is you", hint="prove it and try again", where=CONFIRM)


async def right_token(request: Request, token: str) -> bool:
    """Return whether this is the token that `wetink serve` prints.

    Raises TooManyRequests if its sender must wait after wrong ones, even for the right token.
    """
    address, right = address_of(request), is_token(_wetink(request), token)
    if right and not await _wetink(request).store.sessions.tried(address):
        return True
    await _try(request, address, "too many wrong tokens came from your address")
    if right:
        await _wetink(request).store.sessions.forgive(address)
    return right


async def with_password(request: Request, email: str, password: str) -> Account | None:
    """Return the account with this email and password; None for a wrong pair, which does not say what was wrong.

    Raises TooManyRequests if the sender, or whoever tries this account, must wait. Strangers cannot lock an account for
    a browser that has signed in to it before: its tries are counted by themselves.
    """
    wetink, address = _wetink(request), address_of(request)
    await _try(request, address, WAIT)
    await try_as(request, email)
    found = await wetink.team.with_password(email, password)
    if found is not None:
        for key in (address, _key(request, email)):
            await wetink.store.sessions.forgive(key)
    return found


async def try_as(request: Request, email: str) -> None:
    """Count a try to prove to be the holder of an account. Raises TooManyRequests if it must wait."""
    await _try(request, _key(request, email), WAIT)


async def try_link(request: Request) -> None:
    """Count a request for a link to a new password. Raises TooManyRequests if its sender must wait."""
    await _try(request, f"link {address_of(request)}", "you asked for many links")


async def first_link(request: Request, email: str) -> bool:
    """Return whether an account was sent no link to a new password in the last hour, and note that it is now."""
    sessions, key = _wetink(request).store.sessions, f"link {_digest(email)}"
    return not await sessions.tried(key) and await sessions.try_from(key, now_ms()) == 0


async def no_link(request: Request, email: str) -> None:
    """Forget that an account was sent a link to a new password: it was not."""
    await _wetink(request).store.sessions.forgive(f"link {_digest(email)}")


def _key(request: Request, email: str) -> str:
    """Return what the tries of an account are counted by: those of a browser that knows it are by themselves."""
    wetink, email = _wetink(request), email.strip().lower()
    known = _same(request.cookies.get(cookie(wetink, KNOWN_COOKIE), ""), _known(wetink, email))
    return f"{'known' if known else 'account'} {_digest(email)}"


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:40]


async def _try(request: Request, key: str, why: str) -> None:
    """Count a try. Raises TooManyRequests if it must wait."""
    wait = await _wetink(request).store.sessions.try_from(key, now_ms())
    if wait:
        seconds = -(-wait // 1000)
        raise TooManyRequests(why, hint=f"try again in {seconds} s", retry_after=seconds)


def is_token(wetink: Wetink, token: str) -> bool:
    """Return whether this is the token that `wetink serve` prints. The comparison takes constant time."""
    return _same(token.strip(), wetink.dashboard_token)


def csrf(request: Request) -> str:
    """Return the CSRF token of this session, for a form's field `csrf` or a script's header `x-csrf`."""
    return _mac(_wetink(request), f"csrf\0{_session(request)}")


def check_csrf(request: Request, form: Mapping[str, str] | None = None) -> None:
    """Raise BadRequest unless the form's field `csrf`, or else the header `x-csrf`, has this session's CSRF token."""
    given = (form or {}).get("csrf") or request.headers.get("x-csrf", "")
    if not _same(given, csrf(request)):
        raise BadRequest("this form has expired", hint="reload the page and send it again", where="csrf")


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
    raise Forbidden("another site's page sent this", hint="open the dashboard and try again there")


def address_of(request: Request) -> str:
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


async def _end(request: Request) -> None:
    if session := _session(request):
        await _wetink(request).store.sessions.end(session)


def _set(response: Response, wetink: Wetink, name: str, value: str, seconds: int) -> None:
    secure = _secure(wetink)
    response.set_cookie(cookie(wetink, name), value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def _known(wetink: Wetink, email: str) -> str:
    """Return what a browser holds that has signed in to the account of an address. It opens nothing."""
    return _mac(wetink, f"known\0{email}")


def _mac(wetink: Wetink, text: str) -> str:
    coded = text.encode("utf-8", "surrogateescape")
    return hmac.new(wetink.dashboard_token.encode(), coded, hashlib.sha256).hexdigest()


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _session(request: Request) -> str:
    return request.cookies.get(cookie(_wetink(request)), "")


def _wetink(request: Request) -> Wetink:
    wetink: Wetink = request.app.state.wetink
    return wetink


def _secure(wetink: Wetink) -> bool:
    return wetink.settings.address.startswith("https:")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
