"""The errors wetink raises on purpose.

WetinkError
├── BadRequest        what was sent is not what was asked for      400
│   └── TooLarge      it is over a limit                           400
├── Unauthorized      the key is certainly unknown                 401
├── NotFound          no such profile, block, page                 404
├── Conflict          somebody else has changed it since          409
├── TooManyRequests   over a rate; Retry-After says when to try again    429
├── BadContent        a block, template or picture cannot be used
├── BadSettings       a setting or a command's argument is off
├── Forbidden         the request may not be made from there            403
└── Unavailable       cannot store or cannot know right now        503
    ├── StoreUnavailable
    └── Held          another process holds the lease
"""


class WetinkError(Exception):
    """Something went wrong that the caller can read about. `hint` says what to do."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.where = where


class BadRequest(WetinkError):
    """The request cannot be understood."""

    code = "bad_request"


class TooLarge(BadRequest):
    """The request is over a limit."""

    code = "too_large"


class Unauthorized(WetinkError):
    """The key is certainly unknown."""

    code = "unauthorized"


class Forbidden(WetinkError):
    """The request may not be made from where it comes from."""

    code = "forbidden"


class NotFound(WetinkError):
    """There is no such thing."""

    code = "not_found"


class Conflict(WetinkError):
    """Somebody else has changed it since."""

    code = "conflict"


class TooManyRequests(WetinkError):
    """The sender is over a rate. `retry_after` is in seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint, where=where)
        self.retry_after = retry_after


class BadContent(WetinkError):
    """A block, a template or a picture of the content folder cannot be used."""

    code = "bad_content"


class BadSettings(WetinkError):
    """A setting or an argument is off."""

    code = "bad_settings"


class Unavailable(WetinkError):
    """Cannot store, or cannot know, right now; try again."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The store cannot take or give anything right now: nothing was written."""

    code = "store_unavailable"


class Held(Unavailable):
    """Another process does this right now."""

    code = "held"
