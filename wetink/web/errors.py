"""Errors as answers: which status each gets, and its JSON. One table, so that no door has rules of its own.

Clients drop data for good on most 4xx: 400 is for what cannot be read or is too large, 401 for a key that is certainly
unknown, and 503 with Retry-After for whenever we cannot know or cannot store.
"""

import msgspec

from wetink.core.errors import (
    BadContent,
    BadRequest,
    BadSettings,
    Conflict,
    Forbidden,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    WetinkError,
)

STATUS: dict[type[WetinkError], int] = {
    BadRequest: 400,
    BadContent: 400,
    BadSettings: 400,
    Unauthorized: 401,
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    TooManyRequests: 429,
    Unavailable: 503,
}
"""Error class -> status; a class that does not stand here has its parent's."""

RETRY_AFTER_SECONDS = 2


def status_of(error: WetinkError) -> int:
    """Return the status of an error's answer."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 503)


def body_of(error: WetinkError) -> bytes:
    """Return an error as JSON. `code` and `message` stand at the top as well: Segment's Python SDK reads them there."""
    told = {"code": error.code, "message": str(error)}
    details = {**told, "hint": error.hint, "where": error.where}
    return msgspec.json.encode({**told, "error": {name: value for name, value in details.items() if value}})
