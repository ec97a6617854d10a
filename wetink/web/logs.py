"""Logs: one line for each record, with the error, its place and the request's ID, and without personal data.

A line has no addresses, keys, tokens or sent values. Of a URL only the host is left, of an error only Python's own
text. Control characters are escaped, so that no value can begin a line or color it.
"""

import logging
import re
import traceback
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from wetink.core.errors import WetinkError
from wetink.telemetry.request import current_id

LONGEST = 2_000
"""Longest line, in characters."""

MOST_FRAMES, MOST_CAUSES = 12, 4

ROOT = Path(__file__).parents[2]

SPOKEN = (AttributeError, NameError, ImportError, AssertionError, MemoryError, RecursionError, NotImplementedError)
"""Errors of Python whose texts are about code only."""

LIBRARIES = ("apsw", "httpcore", "msgspec")
"""Libraries whose errors name files, connections and types, never values."""

AUTHORED = ("wetink.wiring",)
"""Loggers that quote the content folder, which belongs to the shop. Quotes of all others may be personal data."""

_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,15})://(?:[^\s/?#@'\"]*@)?([^\s/?#'\"@]*)([^\s'\"]*)", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@:'\"<>(),;=]+(?:@|%40)[^\s@:'\"<>(),;=&]+", re.IGNORECASE)
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,}(?![\w-])", re.ASCII)
_PERSON = re.compile(r"\b(user|email|anonymous):(?!//)[^\s,;]+")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|“[^”]*”", re.DOTALL)


def safe(text: str) -> str:
    r"""Return a text as one line for the log, without personal data and secrets.

    >>> safe("no answer from https://me:pw@shop.example/feed?key=1 for email:jane@shop.example")
    'no answer from https://shop.example/… for email:…'
    >>> safe("a\r\nERROR forged\x1b[31m")
    'a\\r\\nERROR forged\\x1b[31m'
    """
    text = _URL.sub(lambda found: f"{found[1]}://{found[2]}{'/…' if found[3].strip('/') else ''}", text)
    text = _PERSON.sub(r"\1:…", text)
    text = _TOKEN.sub("…", _EMAIL.sub("…@…", text))
    if not text.isprintable():
        text = "".join(each if each.isprintable() else _escaped(each) for each in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "replace").decode("ascii")


def described(error: BaseException) -> str:
    """Return an error in short: its kind, its text without possible personal data, and its place.

    >>> described(KeyError("jane")), described(AttributeError("'str' object has no attribute 'x'"))
    ("KeyError: '…'", "AttributeError: 'str' object has no attribute 'x'")
    """
    if isinstance(error, OSError):
        message = error.strerror or ""
    elif isinstance(error, SPOKEN) or type(error).__module__.partition(".")[0] in LIBRARIES:
        message = str(error)
    elif isinstance(error, WetinkError | LookupError | TypeError) or "'" in str(error) or '"' in str(error):
        message = _QUOTED.sub("'…'", str(error))
    else:
        message = "…" if str(error) else ""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    where = " < ".join(f"{_file(each.filename)}:{each.lineno} in {each.name}" for each in reversed(frames))
    kind = type(error).__name__
    return f"{kind}{f': {message}' if message else ''}{f' ({where})' if where else ''}"


def _file(name: str) -> str:
    try:
        return str(Path(name).relative_to(ROOT))
    except ValueError:
        return "/".join(Path(name).parts[-2:])


class OneLine(logging.Formatter):
    """Formats a record as one safe line, with the request's ID in brackets."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, including its error and the error's causes."""
        line = f"{record.levelname} {record.name}: {_message(record)}"
        for place, error in enumerate(_errors(record)):
            line += f"{', after' if place else ':'} {error}"
        request_id = current_id()
        return safe(line) + (f" [{request_id}]" if request_id else "")


class JsonLine(logging.Formatter):
    """Formats a record as one line of JSON.

    It has `time` (ISO 8601, UTC), `level`, `logger`, `message` and `process`. A request adds its `request_id`, and an
    error adds `errors`: the error, then its causes.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": safe(_message(record)),
            "process": record.process,
        }
        if request_id := current_id():
            fields["request_id"] = request_id
        if errors := [safe(each) for each in _errors(record)]:
            fields["errors"] = errors
        return msgspec.json.encode(fields).decode()


FORMATS: dict[str, type[logging.Formatter]] = {"console": OneLine, "json": JsonLine}
"""Formatters by the value of the setting `log_format`."""


def _message(record: logging.LogRecord) -> str:
    """Return the text of a record, without quotes of possible personal data."""
    try:
        text = record.getMessage()
    except Exception as error:  # a log record that cannot be formatted must not stop the caller
        text = f"{record.msg} ({type(error).__name__})"
    return text if record.name in AUTHORED else _QUOTED.sub("'…'", text)


def _errors(record: logging.LogRecord) -> list[str]:
    """Return a record's error and its causes in short."""
    found: list[str] = []
    cause = record.exc_info[1] if record.exc_info else None
    while cause is not None and len(found) < MOST_CAUSES:
        found.append(described(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found


def begin(log_format: str = "console") -> None:
    """Write this process's warnings and errors to standard error, in one of `FORMATS`."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATS[log_format]())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
