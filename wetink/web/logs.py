"""Logs: one line for each record, with the error and its place, and without personal data.

A line has no addresses, keys, tokens or sent values. Of a URL only the host is left, of an error only Python's own
text. Control characters are escaped, so that no value can begin a line or color it.
"""

import logging
import re
import traceback
from pathlib import Path

from wetink.core.errors import WetinkError

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
    """Formats a record as one safe line."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, including its error and the error's causes."""
        try:
            line = f"{record.levelname} {record.name}: {record.getMessage()}"
        except Exception as error:  # a log record that cannot be formatted must not stop the caller
            line = f"{record.levelname} {record.name}: {record.msg} ({type(error).__name__})"
        if record.name not in AUTHORED:
            line = _QUOTED.sub("'…'", line)
        cause, seen = (record.exc_info[1] if record.exc_info else None), 0
        while cause is not None and seen < MOST_CAUSES:
            line += f"{', after' if seen else ':'} {described(cause)}"
            cause, seen = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__), seen + 1
        return safe(line)


def begin() -> None:
    """Write this process's warnings and errors to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
