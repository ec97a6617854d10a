"""Operators: the comparisons of one value. A list matches if one of its values does."""

from calendar import isleap
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from datetime import date as Date
from functools import lru_cache
from typing import Any, Literal

import msgspec
import re2

from wetink.core.errors import BadContent
from wetink.core.rules.tree import Subject, Test, Today
from wetink.core.rules.values import amount, bound, comparable, day, digits, each_of, time, written
from wetink.core.units.duration import parse as span_of

Passes = Callable[[Any, Today | Subject], bool]
Wants = Literal["value", "values", "number", "numbers", "text", "pattern", "time", "span", "switch", "occasion"]


class Operator(msgspec.Struct, frozen=True):
    """An operator: its name, the kind of value it compares with, its words, and its meaning."""

    name: str
    wants: Wants
    words: str
    about: str


OPERATORS: tuple[Operator, ...] = (
    Operator("equals", "value", "is", "the same value; case does not matter, and 42 equals \"42\""),
    Operator("not_equals", "value", "is not", "another value, or not set"),
    Operator("one_of", "values", "is one of", "one of the listed values"),
    Operator("none_of", "values", "is none of", "none of the listed values, or not set"),
    Operator("contains", "text", "contains", "text that contains this; case does not matter"),
    Operator("starts_with", "text", "starts with", "text that starts with this; case does not matter"),
    Operator("ends_with", "text", "ends with", "text that ends with this; case does not matter"),
    Operator("matches", "pattern", "matches", "text that an RE2 regular expression matches; `(?i)` ignores case"),
    Operator("above", "number", "is above", "a greater number"),
    Operator("at_least", "number", "is at least", "this number or a greater one"),
    Operator("below", "number", "is below", "a smaller number"),
    Operator("at_most", "number", "is at most", "this number or a smaller one"),
    Operator("between", "numbers", "is between", "a number from the first to the second, including both"),
    Operator("before", "time", "is before", "an earlier time; a date is its first moment (UTC)"),
    Operator("after", "time", "is after", "this time or a later one"),
    Operator("within", "span", "is within the last", "a time in the last 7d, 12h, …"),
    Operator("ahead", "span", "is within the next", "a time in the next 7d, 12h, …"),
    Operator("anniversary", "occasion", "has its anniversary", "`today`, `this week`, `this month`; `7d`: next 7 days"),
    Operator("exists", "switch", "is set", "true if there is a value, false if not"),
)  # fmt: skip
"""All comparisons, in the form's order."""

BY_NAME = {operator.name: operator for operator in OPERATORS}
NEGATIONS = {"not_equals": "equals", "none_of": "one_of"}

FIRST_DAY, LAST_DAY = -2_208_988_800_000, 4_102_444_800_000
"""Birthdays are from 1900 to 2100 (Unix ms)."""
OCCASIONS = ("today", "this week", "this month")
_OF_NOW = frozenset({"within", "ahead", "anniversary"})
REMEMBERED = 5_000
"""Values for which a comparison caches its result."""
LONGEST_PATTERN, LONGEST_SUBJECT = 1_000, 65_536
"""Maximum length of a regular expression, and of the text that it sees, in characters."""


def pattern_of(text: str) -> Callable[[str], bool]:
    """Return a function that searches text, in time linear in its length. Raises BadContent for a wrong expression."""
    if len(text) > LONGEST_PATTERN:
        raise BadContent(f"a regular expression of more than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        search = re2.compile(text, options).search
    except re2.error as error:
        message = error.args[0] if error.args else ""
        reason = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
        raise BadContent(
            f"{text[:60]!r} is not a regular expression: {reason}",
            hint="RE2 has no look-arounds and no back-references",
        ) from error
    return lambda subject: search(subject[:LONGEST_SUBJECT]) is not None


def passes(tests: Sequence[Test]) -> Passes:
    """Return the function that says whether a value matches all tests. Raises BadContent for a wrong test."""
    made = [_PASSES[test.operator](test.value) for test in tests]
    if len(made) == 1:
        return made[0]
    return lambda value, at: all(each(value, at) for each in made)


def quick(tests: Sequence[Test]) -> Callable[[Any], bool] | None:
    """Return a function that says whether a typed field (text or a number; "" for nothing) matches all tests.

    It caches results, because people look at the same categories over and over. Returns None if the time matters.
    """
    if any(test.operator in _OF_NOW for test in tests):
        return None
    return _Remembering(passes(tests)).__getitem__


class _Remembering(dict[Any, bool]):
    """Value -> whether it matches, computed on first use."""

    def __init__(self, passes: Passes) -> None:
        super().__init__()
        self._passes = passes

    def __missing__(self, value: Any) -> bool:
        if len(self) >= REMEMBERED:
            self.clear()
        held = self[value] = self._passes(None if value == "" else value, Today(0, Date.min))
        return held


def _some(one: Callable[[Any], bool]) -> Passes:
    """Return a test of one value as a test of a value that may be a list."""

    def some(value: Any, at: Today | Subject) -> bool:
        kind = type(value)
        if kind is str or kind is float or kind is int:
            return one(value)
        return any(map(one, each_of(value)))

    return some


def _equals(wanted: Any) -> Passes:
    text = written(wanted)
    number = comparable(wanted)

    def equal(value: Any) -> bool:
        if value == wanted and type(value) is type(wanted):
            return True
        found = written(value)
        return found == text or (number is not None and type(value) is str and digits(found) == number)

    return _some(equal)


def _one_of(wanted: Sequence[Any]) -> Passes:
    each = [_equals(one) for one in wanted]
    return lambda value, at: any(one(value, at) for one in each)


def _not(passes: Passes) -> Passes:
    return lambda value, at: not passes(value, at)


def _text(fits: Callable[[str, str], bool]) -> Callable[[Any], Passes]:
    def made(wanted: Any) -> Passes:
        text = written(wanted)
        return _some(lambda value: fits(written(value), text))

    return made


def _matches(wanted: str) -> Passes:
    fits = pattern_of(wanted)
    return _some(lambda value: fits(value if type(value) is str else written(value)))


def _number(holds: Callable[[float, float], bool]) -> Callable[[Any], Passes]:
    def made(wanted: Any) -> Passes:
        limit = bound(wanted)

        def one(value: Any) -> bool:
            if type(value) is float:
                return holds(value, limit)
            number = amount(value)
            return number is not None and holds(number, limit)

        return _some(one)

    return made


def _between(wanted: Sequence[Any]) -> Passes:
    low, high = map(bound, wanted)

    def one(value: Any) -> bool:
        number = amount(value)
        return number is not None and low <= number <= high

    return _some(one)


def _time(holds: Callable[[int, int, int], bool], read: Callable[[Any], int | None]) -> Callable[[Any], Passes]:
    """Return a test of a time: `holds(time, wanted, now)`."""

    def made(wanted: Any) -> Passes:
        bound = read(wanted)
        if bound is None:
            raise BadContent(f"{wanted!r} is not a time", hint="write 2026-11-20 or 2026-11-20T09:00:00Z")

        def passes(value: Any, at: Today | Subject) -> bool:
            times = [found for each in each_of(value) if (found := time(each)) is not None]
            return any(holds(found, bound, at.now) for found in times)

        return passes

    return made


def _anniversary(wanted: str) -> Passes:
    def passes(value: Any, at: Today | Subject) -> bool:
        days = days_of(wanted, at.date)
        return any((day := _born(each)) is not None and day in days for each in each_of(value))

    return passes


@lru_cache(maxsize=64)
def days_of(wanted: str, today: Date) -> frozenset[tuple[int, int]]:
    """Return each (month, day) of a birthday whose anniversary is on an occasion, as seen from a date.

    >>> sorted(days_of("1d", Date(2026, 2, 28)))
    [(2, 28), (2, 29), (3, 1)]
    """
    if wanted == "this month":
        return frozenset((today.month, day) for day in range(1, 32))
    start, more = today, 0
    if wanted == "this week":
        start, more = today - timedelta(days=today.weekday()), 6
    elif wanted != "today":
        more = min(366, max(1, span_of(wanted) // 86_400_000))
    days = [start + timedelta(days=each) for each in range(more + 1)]
    leap = {(2, 29) for day in days if (day.month, day.day) == (3, 1) and not isleap(day.year)}
    return frozenset((day.month, day.day) for day in days) | leap


def _born(value: Any) -> tuple[int, int] | None:
    """Return the month and day of a time within the range of birthdays."""
    found = day(value)
    if found is None or not FIRST_DAY <= found <= LAST_DAY:
        return None
    date = datetime.fromtimestamp(found / 1000, UTC)
    return date.month, date.day


_PASSES: dict[str, Callable[[Any], Passes]] = {
    "equals": _equals,
    "not_equals": lambda wanted: _not(_equals(wanted)),
    "one_of": _one_of,
    "none_of": lambda wanted: _not(_one_of(wanted)),
    "contains": _text(lambda value, wanted: wanted in value),
    "starts_with": _text(str.startswith),
    "ends_with": _text(str.endswith),
    "matches": _matches,
    "above": _number(lambda value, bound: value > bound),
    "at_least": _number(lambda value, bound: value >= bound),
    "below": _number(lambda value, bound: value < bound),
    "at_most": _number(lambda value, bound: value <= bound),
    "between": _between,
    "before": _time(lambda found, bound, now: found < bound, time),
    "after": _time(lambda found, bound, now: found >= bound, time),
    "within": _time(lambda found, span, now: now - span <= found <= now, span_of),
    "ahead": _time(lambda found, span, now: now <= found <= now + span, span_of),
    "anniversary": _anniversary,
    "exists": lambda wanted: lambda value, at: (value is not None) is wanted,
}
