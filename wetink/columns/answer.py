"""Answer: a rule in SQL: the profiles that surely match, and those that may, which wetink evaluates in memory."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from wetink.core.rules.operators import FIRST_DAY, LAST_DAY, passes
from wetink.core.rules.tree import Test, today
from wetink.core.rules.values import DIGITS, OFFSET, amount, bound, comparable, digits, time, written
from wetink.core.units.duration import parse as span_of


class Answer(msgspec.Struct, frozen=True):
    """Two conditions as SQL. `sure` implies `maybe`; if both are the same, SQL decides alone."""

    sure: str
    maybe: str

    @property
    def exact(self) -> bool:
        """Whether SQL decides alone."""
        return self.sure == self.maybe


YES, NO, PERHAPS = Answer("true", "true"), Answer("false", "false"), Answer("false", "true")


def exact(condition: str) -> Answer:
    """Return an answer that SQL decides alone."""
    return Answer(condition, condition)


def constant(holds: bool) -> Answer:
    """Return the same answer for all profiles."""
    return YES if holds else NO


def at_most(condition: str) -> Answer:
    """Return an answer that may be yes only where a condition holds."""
    return Answer("false", condition)


def both(parts: Iterable[Answer]) -> Answer:
    """Return whether all parts hold."""
    found = [part for part in parts if part != YES]
    if any(part.maybe == "false" for part in found):
        return NO
    return Answer(
        _joined("AND", [part.sure for part in found], "true"), _joined("AND", [part.maybe for part in found], "true")
    )


def either(parts: Iterable[Answer]) -> Answer:
    """Return whether at least one part holds."""
    found = [part for part in parts if part != NO]
    if any(part.sure == "true" for part in found):
        return YES
    return Answer(
        _joined("OR", [part.sure for part in found], "false"), _joined("OR", [part.maybe for part in found], "false")
    )


def neither(part: Answer) -> Answer:
    """Return whether a part does not hold."""
    return Answer(_not(part.maybe), _not(part.sure))


def _not(condition: str) -> str:
    return {"true": "false", "false": "true"}.get(condition, f"(NOT {condition})")


def _joined(word: str, conditions: list[str], empty: str) -> str:
    absorbing = "false" if word == "AND" else "true"
    if absorbing in conditions:
        return absorbing
    left = [each for each in dict.fromkeys(conditions) if each != empty]
    if len(left) <= 1:
        return left[0] if left else empty
    return f"({f' {word} '.join(left)})"


class Values:
    """The values that rules compare with, as parameters of a query: the query's text never contains a rule's value."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def used(self, query: str) -> dict[str, Any]:
        """Return the parameters that a query names."""
        return {name: self.given[int(name[1:]) - 1] for name in set(_PARAMETER.findall(query))}

    def __call__(self, value: Any) -> str:
        """Add a value and return its parameter for the query."""
        self.given.append(value)
        return f"$v{len(self.given)}"


_WHOLE = re.compile("-?[0-9]{1,400}")
_PARAMETER = re.compile(r"\$(v\d+)")

TEXTS = {"contains": "contains", "starts_with": "starts_with", "ends_with": "ends_with"}
SIGNS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}


def of_value(test: Test, now: int, value: Values) -> str | None:
    """Return the condition on the columns of one value of a trait or a property; None if SQL cannot express it.

    For `not_equals` and `none_of` it is the condition that they negate: the caller negates it.
    """
    operator, wanted = test.operator, test.value
    if operator in ("equals", "not_equals"):
        return _same("written", "is_text", wanted, value)
    if operator in ("one_of", "none_of"):
        return "(" + " OR ".join(_same("written", "is_text", each, value) for each in wanted) + ")"
    if operator in TEXTS:
        return f"{TEXTS[operator]}(written, {value(written(wanted))})"
    if operator in SIGNS:
        return f"number {SIGNS[operator]} {value(bound(wanted))}"
    if operator == "between":
        low, high = map(bound, wanted)
        return f"number BETWEEN {value(low)} AND {value(high)}"
    if operator in ("before", "after"):
        return f"time {'<' if operator == 'before' else '>='} {value(time(wanted))}"
    if operator in ("within", "ahead"):
        span = span_of(wanted)
        low, high = (now - span, now) if operator == "within" else (now, now + span)
        return f"time BETWEEN {value(low)} AND {value(high)}"
    return "true" if operator == "exists" else None


def born_on(days: Iterable[tuple[int, int]]) -> str:
    """Return the condition that a time is on one of these (month, day), by its writer's calendar."""
    sign, hours, minutes = (f"regexp_extract(trim(said), '{OFFSET}', {part})" for part in (1, 2, 3))
    ahead = f"(coalesce(TRY_CAST({hours} AS INTEGER), 0) * 60 + coalesce(TRY_CAST({minutes} AS INTEGER), 0)) * 60000"
    day = f"(time + CASE WHEN is_text THEN (CASE {sign} WHEN '-' THEN -1 ELSE 1 END) * {ahead} ELSE 0 END)"
    date = f"epoch_ms(CAST(CASE WHEN {day} BETWEEN {FIRST_DAY} AND {LAST_DAY} THEN {day} END AS BIGINT))"
    listed = ", ".join(str(month * 100 + day) for month, day in sorted(days))
    return f"(date_part('month', {date}) * 100 + date_part('day', {date})) IN ({listed})"


def of_number(column: str, test: Test, value: Values) -> str | None:
    """Return the condition on a column of numbers, NULL if missing; None if SQL cannot express it."""
    operator, wanted = test.operator, test.value
    if operator in SIGNS:
        return f"{column} {SIGNS[operator]} {value(bound(wanted))}"
    if operator == "between":
        low, high = map(bound, wanted)
        return f"{column} BETWEEN {value(low)} AND {value(high)}"
    if operator in ("equals", "not_equals", "one_of", "none_of"):
        numbers = [as_number(each) for each in (wanted if isinstance(wanted, tuple) else (wanted,))]
        same = [f"{column} = {value(each)}" for each in numbers if each is not None]
        return f"({' OR '.join(same)})" if same else "false"
    return f"{column} IS NOT NULL" if operator == "exists" else None


def of_text(column: str, test: Test, value: Values) -> str | None:
    """Return the condition on a column of texts, as `written` returns them; None if SQL cannot express it."""
    operator, wanted = test.operator, test.value
    if operator in ("equals", "not_equals"):
        return _same(column, "true", wanted, value)
    if operator in ("one_of", "none_of"):
        return "(" + " OR ".join(_same(column, "true", each, value) for each in wanted) + ")"
    if operator in TEXTS:
        return f"{TEXTS[operator]}({column}, {value(written(wanted))})"
    return f"{column} IS NOT NULL" if operator == "exists" else None


def _same(column: str, is_text: str, wanted: Any, value: Values) -> str:
    same = f"{column} = {value(written(wanted))}"
    if (compared := comparable(wanted)) is None:
        return same
    digits_ = f"regexp_full_match({column}, '{DIGITS}')"
    same_number = f"CAST(replace({column}, ',', '') AS DOUBLE) = {value(compared)}"
    number = f"CASE WHEN {digits_} THEN {same_number} ELSE false END"
    return f"({same} OR ({is_text} AND {number}))"


def as_number(wanted: Any) -> float | None:
    """Return the number that `written` writes like this value; None if there is none."""
    text = written(wanted)
    numbers = [digits(text), amount(text)]
    if type(wanted) is int or type(wanted) is float:
        numbers.append(bound(wanted))
    elif _WHOLE.fullmatch(text):
        numbers.append(bound(int(text)))
    return next((number for number in numbers if number is not None and written(number) == text), None)


def passes_nothing(tests: tuple[Test, ...], value: Any, now: int) -> bool:
    """Whether the figure of a person without events (0 or None) passes all tests."""
    return passes(tests)(value, today(now))
