"""Values: the values of events and traits as rules read them. Senders vary in case and in how they write numbers."""

import re
import sys
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

import msgspec

from wetink.core.events.clock import parse
from wetink.core.units.money import number
from wetink.core.units.quantity import plain

DIGITS = "[+-]?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})([.][0-9]{1,15})?"
"""Text that is a number, with or without commas between thousands, for Python's and DuckDB's regular expressions."""
_DIGITS = re.compile(DIGITS)
OFFSET = ":[0-9]{2}[^+-]*([+-])([0-9]{2}):?([0-9]{2})$"
"""The end of a time with an offset from UTC, for Python's and DuckDB's regular expressions."""
_OFFSET = re.compile(OFFSET)
_MOST = 10.0**16
_LONGEST_BITS = 14_000
_LARGEST = sys.float_info.max


def look_up(traits: Mapping[str, Any], path: str) -> Any:
    """Return a trait by its name, or else along the dots of `address.city`; None if there is none."""
    if path in traits:
        return traits[path]
    found: Any = traits
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def written(value: Any) -> str:
    r"""Return the one form of a value as text: trimmed, in lower case, a whole number without its point.

    Letters with accents are single characters (NFC): macOS and its programs send two.

    >>> written("Gold "), written(42.0), written(True), written(4.5), written("Ko\u0308ln") == written("K\xf6ln")
    ('gold', '42', 'true', '4.5', True)
    """
    if type(value) is str:
        text = value.strip().lower()
        return text if text.isascii() else normalize("NFC", text)
    if type(value) is float:
        return plain(value) or repr(value)
    if type(value) is int and value.bit_length() > _LONGEST_BITS:
        return hex(value)  # Python writes at most about 4,300 digits
    return str(value).strip().lower()


def amount(value: Any) -> float | None:
    """Return a value as a number, also from text with a currency or % around it; None if it is not a number.

    >>> amount("$1,299.00"), amount("15 %"), amount(True), amount(7)
    (1299.0, 15.0, None, 7.0)
    """
    if type(value) is str:
        return number(value.rstrip(" %"))
    return value if type(value) is float else number(value)


def digits(text: str) -> float | None:
    """Return the number in text of only digits, with commas between thousands and a point.

    >>> digits("7.50"), digits("1,250"), digits("7 kg")
    (7.5, 1250.0, None)
    """
    return float(text.replace(",", "")) if _DIGITS.fullmatch(text) else None


def plain_number(text: str) -> float | None:
    """Return the number in a template's text: its digits as they are, or else the amount.

    >>> plain_number("1.299"), plain_number("1.299,00 €"), plain_number("soon")
    (1.299, 1299.0, None)
    """
    found = digits(text.strip())
    return found if found is not None else number(text)


def comparable(wanted: Any) -> float | None:
    """Return the number that `digits` of text may equal; None if there is none, or if it has too many digits.

    >>> comparable(7), comparable(1729382256910270771), comparable("7")
    (7.0, None, None)
    """
    if type(wanted) is not int and type(wanted) is not float:
        return None
    return float(wanted) if -_MOST < wanted < _MOST else None


def bound(wanted: Any) -> float:
    """Return the number to compare values with. A number too large for a float becomes the largest float.

    Raises ValueError if it is not a number.

    >>> bound(7), bound("$7.50"), bound(-(10**400))
    (7.0, 7.5, -1.7976931348623157e+308)
    """
    found = wanted if type(wanted) is int or type(wanted) is float else amount(wanted)
    if found is None or found != found:
        raise ValueError(f"{wanted!r} is not a number")
    return float(max(-_LARGEST, min(found, _LARGEST)))


def time(value: Any) -> int | None:
    """Return the Unix ms of a time in any form that clients send; None if it is not a time.

    >>> time("2026-01-01"), time("soon")
    (1767225600000, None)
    """
    return parse(value)


def day(value: Any) -> int | None:
    """Return the Unix ms of a moment in the day that a time names, in the writer's own calendar.

    A time with an offset is on the written day, whatever the day in UTC.

    >>> day("1990-12-24T00:00:00+02:00") == time("1990-12-24T00:00:00Z"), day("1990-12-24") == time("1990-12-24")
    (True, True)
    """
    found = time(value)
    if found is None or type(value) is not str:
        return found
    ends = _OFFSET.search(value.rstrip())
    if ends is None:
        return found
    minutes = int(ends[2]) * 60 + int(ends[3])
    return found + (-minutes if ends[1] == "-" else minutes) * 60_000


def each_of(value: Any) -> tuple[Any, ...] | list[Any]:
    """Return the values to test: those of a list, or else the one. None and mappings have no value.

    >>> each_of(["a", None, {"b": 1}]), each_of("a"), each_of(None)
    (['a'], ('a',), ())
    """
    if type(value) is list or type(value) is tuple:
        return [inner for each in value for inner in each_of(each)]
    if value is None or isinstance(value, Mapping):
        return ()
    return (value,)


def shown(value: Any) -> str:
    """Return a value for a trace, cut short."""
    if value is None:
        return "not set"
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"
