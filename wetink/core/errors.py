"""The errors that wetink raises on purpose, with the HTTP status of each.

WetinkError
├── BadRequest        the request does not make sense              400
│   └── TooLarge      the request exceeds a limit                  400
├── Unauthorized      the key is certainly unknown                 401
├── Forbidden         the request came from a page that may not send it    403
├── NotFound          no such profile, block or page               404
├── Conflict          somebody else has changed it                 409
├── TooManyRequests   over a rate limit; see Retry-After           429
├── BadContent        a block, template or picture cannot be used
├── BadSettings       a setting or a command's argument is wrong
└── Unavailable       wetink cannot store or look up now           503
    ├── StoreUnavailable
    └── Held          another process holds the lease
"""

import logging


class WetinkError(Exception):
    """An error for the caller to read. `hint` says how to fix it, and `where` names the place."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.where = where

    @property
    def sentence(self) -> str:
        """The message and the hint as sentences, for the place on a page that `where` names.

        >>> BadRequest("title: this is empty", hint="choose a title", where="title").sentence
        'This is empty. Choose a title.'
        """
        return sentences(str(self).removeprefix(f"{self.where}: "), self.hint)


class BadRequest(WetinkError):
    """The request does not make sense."""

    code = "bad_request"


class TooLarge(BadRequest):
    """The request exceeds a limit."""

    code = "too_large"


class Unauthorized(WetinkError):
    """The key is certainly unknown."""

    code = "unauthorized"


class Forbidden(WetinkError):
    """The request came from a page that may not send it."""

    code = "forbidden"


class NotFound(WetinkError):
    """The thing does not exist."""

    code = "not_found"


class Conflict(WetinkError):
    """Somebody else has changed the thing in the meantime."""

    code = "conflict"


class TooManyRequests(WetinkError):
    """The sender exceeds a rate limit. `retry_after` is in seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class BadContent(WetinkError):
    """A block, a template or a picture in the content folder cannot be used."""

    code = "bad_content"


class BadSettings(WetinkError):
    """A setting or a command's argument is wrong."""

    code = "bad_settings"


class Unavailable(WetinkError):
    """wetink cannot store or look up something now. The caller should try again."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The store is unavailable. Nothing was written."""

    code = "store_unavailable"


class Held(Unavailable):
    """Another process holds the lease."""

    code = "held"


def sentences(*parts: str) -> str:
    """Return each part that is not empty as a sentence. Names, paths and addresses keep their first letter.

    >>> sentences("no such page", "", "jane@shop.example has no account")
    'No such page. jane@shop.example has no account.'
    """
    return " ".join(f"{begun(part).rstrip('.')}." for part in parts if part)


def begun(part: str) -> str:
    """Return a part with the capital of a sentence, unless it begins with a name, path or address.

    >>> begun("no such page"), begun("blocks/tea.yaml: not YAML")
    ('No such page', 'blocks/tea.yaml: not YAML')
    """
    word = part.partition(" ")[0].strip("',;")
    return f"{part[:1].upper()}{part[1:]}" if word.replace("'", "").isalpha() else part


def log_error(logger: logging.Logger, error: BaseException, message: str, *details: object) -> None:
    """Log an error that the caller recovers from: an expected one as a warning, any other with its traceback."""
    if isinstance(error, WetinkError | TimeoutError):
        logger.warning(f"{message}: %s", *details, str(error) or type(error).__name__)
    else:
        logger.error(message, *details, exc_info=error)
