"""Filters of templates, for values of any type.

A shopper's traits and a feed's fields can hold any value, so a filter returns nothing for a value that it cannot use
and the picture is still drawn. Only a mistake in the template itself is an error. Filters read numbers, dates and texts
as the rest of wetink does.
"""

import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser as dates
from liquid import Markup
from liquid.exceptions import FilterArgumentError, FilterError, FilterItemTypeError, FilterValueError
from liquid.filter import flatten, with_context
from liquid.undefined import is_undefined

from wetink.core.events.clock import parse
from wetink.core.rules.values import plain_number
from wetink.core.units.money import money

_UNREADABLE = (
    *(FilterArgumentError, FilterError, FilterItemTypeError, FilterValueError),
    *(TypeError, ValueError, ArithmeticError, LookupError, AttributeError),
)


_DOTTED = re.compile(r"\s*\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}")
_TWO_READINGS = re.compile(r"\s*\d{1,2}[/-]\d{1,2}[/-]\d{2,4}")
"""`01.03.1990` has the day first; `04/05/2026` is ambiguous in all of wetink."""


def text(value: object) -> str:
    """Return a value as a template prints it: nothing for null, JSON without nulls for a map, items side by side.

    >>> text(None), text(True), text([1, None, "x"]), text({"a": None, "b": 1.5})
    ('', 'true', '1x', '{"b": 1.5}')
    """
    if isinstance(value, str):
        return value
    if value is None or is_undefined(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps(_without_nulls(value), ensure_ascii=False, default=str)
    if isinstance(value, list | tuple):
        return "".join(map(text, value))
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return str(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(each) for each in value if each is not None]
    return text(value) if isinstance(value, float) and not math.isfinite(value) else value


def forgiving(name: str, func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that returns None for values that it cannot use. A wrong call raises the same error as before."""
    prepare = PREPARE.get(name)

    @wraps(func)  # which also keeps the marks that list the arguments Liquid passes to a filter
    def forgiven(left: Any, *given: Any, **named: Any) -> Any:
        value, args = left, list(given)
        try:
            if prepare is not None:
                value, args = prepare(left, args)
            made = func(value, *args, **named)
        except _Nothing:
            return None
        except _UNREADABLE:
            if not _callable_with(func, value, *args, **named):
                raise
            return None
        return None if isinstance(made, float) and not math.isfinite(made) else made

    return forgiven


class _Nothing(Exception):
    """A filter has no value to work on."""


def _there(args: list[Any]) -> list[Any]:
    return [each for each in args if not is_nothing(each)]


def _numbers(left: Any, args: list[Any]) -> tuple[Any, list[Any]]:
    found = [_number(each) for each in (left, *args)]
    if None in found:
        raise _Nothing
    return found[0], found[1:]


def _summed(left: Any, args: list[Any]) -> tuple[Any, list[Any]]:
    key, *others = args or [None]
    return [_number(under(each, key)) or 0 for each in items(left)], others


_OF_TEXTS = (
    "append", "capitalize", "downcase", "escape", "escape_once", "escapejs", "lstrip", "newline_to_br", "prepend",
    "remove", "remove_first", "remove_last", "replace", "replace_first", "replace_last", "rstrip", "safe", "split",
    "squish", "strip", "strip_html", "strip_newlines", "upcase", "url_decode", "url_encode", "base64_decode",
    "base64_encode", "base64_url_safe_decode", "base64_url_safe_encode",
)  # fmt: skip
_OF_NUMBERS = ("abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "times")

PREPARE: dict[str, Callable[[Any, list[Any]], tuple[Any, list[Any]]]] = {
    **dict.fromkeys(_OF_TEXTS, lambda left, args: (text(left), list(map(text, args)))),
    **dict.fromkeys(("truncate", "truncatewords"), lambda left, args: (text(left), _there(args))),
    "slice": lambda left, args: (left if isinstance(left, list | tuple) else text(left), _there(args)),
    **dict.fromkeys(_OF_NUMBERS, _numbers),
    "round": lambda left, args: _numbers(left, _there(args)),
    "join": lambda left, args: (list(map(text, _things(left))), list(map(text, args))),
    **dict.fromkeys(
        ("find", "has", "reject", "where"),
        lambda left, args: ([each for each in items(left) if isinstance(each, Mapping)], args),
    ),
    "sum": _summed,
    "concat": lambda left, args: (items(left), list(map(items, args))),
    **dict.fromkeys(("reverse", "uniq"), lambda left, args: (_things(left), args)),
}
"""How the arguments of a filter are converted; a filter that is not listed gets them unchanged."""


def _callable_with(func: Callable[..., Any], *args: Any, **named: Any) -> bool:
    try:
        inspect.signature(func).bind(*args, **named)
    except TypeError:
        return False
    return True


def is_nothing(value: object) -> bool:
    """Whether a value is null or was never set."""
    return value is None or is_undefined(value)


def _number(value: Any) -> int | float | None:
    if isinstance(value, int | float):
        return value
    found = plain_number(str(value)) if isinstance(value, str) else None  # Markup is no str to it
    return int(found) if found is not None and found.is_integer() and "." not in value else found


def items(value: Any) -> list[Any]:
    """Return a list's items, any other value as the only item, and no items for null."""
    if is_nothing(value):
        return []
    if isinstance(value, list | tuple):
        return flatten(value)
    if isinstance(value, Mapping | str) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _things(value: Any) -> list[Any]:
    return _there(items(value))


def map_(left: Any, key: object) -> list[Any]:
    """Return the value of each item of a list under a key."""
    return [under(each, key) for each in items(left)] if not is_nothing(key) else []


def compact(left: Any, key: object = None) -> list[Any]:
    """Return a list without its nulls, or without the items that have no value under `key`."""
    return [each for each in items(left) if not is_nothing(under(each, key))]


def sort(left: Any, key: object = None) -> list[Any]:
    """Return a sorted list: numbers, texts, other values, and last the nulls and the items without `key`."""
    return sorted(items(left), key=lambda each: _rank(under(each, key)))


def sort_natural(left: Any, key: object = None) -> list[Any]:
    """Return a list in the order of its texts, regardless of case."""
    return sorted(items(left), key=lambda each: _rank(text(under(each, key)).casefold() or None))


def under(value: Any, key: object) -> Any:
    """Return a map's value under a key, the value itself without a key, and None if it is not a map."""
    if is_nothing(key):
        return value
    return value.get(str(key)) if isinstance(value, Mapping) else None


def _rank(value: Any) -> tuple[int, float, str]:
    if is_nothing(value):
        return 3, 0.0, ""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return (1, 0.0, value) if isinstance(value, str) else (2, 0.0, text(value))


@with_context
def date(value: Any, form: Any = None, *, context: Any) -> str:
    """Format a time, such as `%d.%m.%Y`. `now` and `today` are the moment of the open.

    Unix seconds, Unix milliseconds and `now` are in the reader's time zone (UTC if unknown), texts in their own.
    Other values are returned unchanged.
    """
    moment = context.resolve("moment", default=None)
    moment = moment if isinstance(moment, Mapping) else {}
    at = _time(value, moment)
    if at is None or not isinstance(form, str) or not form:
        return text(value)
    try:
        # strftime cannot handle characters outside its locale, and stops at a NUL
        made = "".join(at.strftime(part) if "%" in part else part for part in _parts(form))
    except (ValueError, UnicodeError, OverflowError):
        return text(value)
    return Markup(made) if isinstance(form, Markup) else made


def _parts(form: str) -> list[str]:
    """Return a format split into parts that strftime can take."""
    return [part for part in form.replace("%\0", "\0").split("\0") if part]


def _time(value: Any, moment: Mapping[str, Any]) -> datetime | None:
    if isinstance(value, datetime):
        return value
    now = moment.get("now")
    if isinstance(value, str) and value in ("now", "today"):
        return moment_at(now, moment)
    if isinstance(value, str) and not value.strip().isdecimal():
        return _written(value, moment_at(now, moment) or datetime(2000, 1, 1, tzinfo=UTC))
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return moment_at(parse(str(value) if isinstance(value, str) else value), moment)  # Markup is no str to it
    return None


def _written(value: str, now: datetime) -> datetime | None:
    """Return the time that a text states; missing parts come from the moment's day."""
    day_first = _DOTTED.match(value) is not None
    if not day_first and parse(str(value)) is None and _TWO_READINGS.match(value):
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        at: datetime = dates.parse(value, dayfirst=day_first, default=midnight)
    except (ValueError, OverflowError, TypeError):
        return None
    return at


def moment_at(unix_ms: Any, moment: Mapping[str, Any]) -> datetime | None:
    """Return a time (Unix ms) in the reader's zone, UTC if unknown; None if `value` is not a time."""
    if not isinstance(unix_ms, int | float):
        return None
    zone = moment.get("time_zone") or moment.get("local_zone")
    try:
        return datetime.fromtimestamp(unix_ms / 1000, _zone(zone if isinstance(zone, str) else ""))
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=512)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@with_context
def in_currency(amount: object, currency: object = "", *, context: Any) -> str:
    """Return an amount of money in the format of the moment's reader."""
    moment = context.resolve("moment", default=None)
    amount = plain_number(str(amount)) if isinstance(amount, str) else amount
    return money(amount, currency, moment.get("language", "") if isinstance(moment, dict) else "")
