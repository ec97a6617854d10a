"""Query: reads a request's query leniently, so that no odd URL breaks a page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypeVar

from starlette.requests import Request

from wetink.core.errors import BadRequest, NotFound
from wetink.core.events.clock import LATEST
from wetink.core.profile.person import Moment
from wetink.wiring import Wetink

T = TypeVar("T")

DEVICES = ("desktop", "mobile", "proxy")
SCHEMES = ("light", "dark")
LONGEST_TIME = 40
"""Longest date and time, in characters. Further digits are below a microsecond."""


def wetink_of(request: Request) -> Wetink:
    """Return the request's application."""
    found: Wetink = request.app.state.wetink
    return found


def named(things: Mapping[str, T], name: str, kind: str) -> T:
    """Return a thing by its name. Raises NotFound, which names its kind."""
    if name not in things:
        raise NotFound(f"there is no {kind} called {name[:64]!r}")
    return things[name]


def whole(text: str | None) -> int | None:
    """Return a whole number of up to 18 digits; None for any other text.

    >>> whole("12"), whole("-1"), whole("x"), whole(None), whole("9" * 40)
    (12, None, None, None, None)
    """
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 18 else None


def time_of(text: str, now: int) -> int:
    """Return the Unix ms of `2026-11-23T10:00` (UTC), or a text's Unix ms; `now` for any other text.

    >>> time_of("1970-01-01T00:01", 5), time_of("60000", 5), time_of("soon", 5)
    (60000, 60000, 5)
    """
    found = _time(text)
    return now if found is None else found


def _time(text: str) -> int | None:
    found = whole(text)
    if found is not None:
        return min(found, LATEST)
    try:
        date = datetime.fromisoformat(text.strip()[:LONGEST_TIME])
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return min(max(int(date.timestamp() * 1000), 0), LATEST)
    except (ValueError, OverflowError):
        return None


def time_in(query: Mapping[str, str], name: str, usual: int) -> int:
    """Return the time (Unix ms) in a parameter, `usual` without one. Raises BadRequest with its name."""
    text = query.get(name, "").strip()
    found = _time(text) if text else usual
    if found is None:
        raise BadRequest(
            f"{name}: {text[:40]!r} is not a date", hint="write 2026-11-23 or 2026-11-23T10:00", where=name
        )
    return found


def number_in(query: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    """Return the whole number in a parameter, `usual` without one. Raises BadRequest with its name."""
    text = query.get(name, "").strip()
    found = whole(text) if text else usual
    if found is None or not least <= found <= most:
        raise BadRequest(f"{name}: {text[:40]!r} is not a whole number from {least} to {most}", where=name)
    return found


def field_of(at: int) -> str:
    """Return a time as the value of an `<input type=datetime-local>`, in UTC.

    >>> field_of(60_000)
    '1970-01-01T00:01'
    """
    return datetime.fromtimestamp(min(at, LATEST) / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def moment_of(request: Request, now: int, at: str = "at") -> Moment:
    """Return the moment of a preview: `at`, `device` and `scheme` of the query."""
    query = request.query_params
    device, scheme = query.get("device", ""), query.get("scheme", "")
    return Moment(
        now=time_of(query.get(at, ""), now),
        device=device if device in DEVICES else "",
        scheme=scheme if scheme in SCHEMES else "light",
    )


def verdict_of(request: Request) -> Literal["", "usable", "unusable", "parked"]:
    """Return the verdict that filters the list, empty for all."""
    match request.query_params.get("verdict", ""):
        case "usable":
            return "usable"
        case "unusable":
            return "unusable"
        case "parked":
            return "parked"
    return ""


def inside(path: str) -> str:
    """Return a path of the dashboard, or the home page for any other: a form must not lead to another site.

    >>> inside("/dashboard/live"), inside("//evil.example"), inside("/dashboard//evil.example")
    ('/dashboard/live', '/dashboard', '/dashboard')
    """
    return path if path.startswith("/dashboard/") and "//" not in path and "\\" not in path else "/dashboard"
