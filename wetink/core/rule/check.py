"""Check: what in a rule cannot mean anything, each with its place and the reason."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from wetink.core.errors import BadContent
from wetink.core.rule.context import FIELDS
from wetink.core.rule.operators import BY_NAME, OCCASIONS, pattern_of
from wetink.core.rule.tree import (
    Aggregate,
    All,
    AnyOf,
    CartIs,
    Did,
    Interest,
    Lifecycle,
    Member,
    MomentIs,
    Not,
    ProductIs,
    Rule,
    Sequence,
    Share,
    Stage,
    Test,
    Trait,
    Where,
    Window,
)
from wetink.core.rule.values import bound, time
from wetink.core.rule.window import ends
from wetink.core.rule.written_out import WrittenOut, names_of, too_large
from wetink.core.span import parse as span_of

LONGEST_SEQUENCE = 10
NUMERIC = ("equals", "not_equals", "one_of", "none_of", "above", "at_least", "below", "at_most", "between", "exists")
SPANS = ("above", "at_least", "below", "at_most")
"""What can be asked of a figure, and of how long something has been so."""


def problems_of(rule: Rule, place: str = "", audiences: Mapping[str, Rule] | WrittenOut | None = None) -> Iterator[str]:
    """Yield what is wrong with a rule.

    With `audiences` also those it names that are not there, lead in a circle, or are too large once written out.
    """
    if audiences is not None and not isinstance(audiences, WrittenOut):
        audiences = WrittenOut(audiences)
    wrong = list(_problems_of(rule, place, audiences))
    if not wrong and audiences is not None and names_of(rule) and (problem := too_large(*audiences.size_of(rule))):
        wrong.append(_told(place, problem))
    yield from wrong


def _problems_of(  # noqa: C901 (a case for each kind of node)
    rule: Rule, place: str, audiences: WrittenOut | None
) -> Iterator[str]:
    match rule:
        case All(of) | AnyOf(of):
            name = "all" if isinstance(rule, All) else "any"
            if not of:
                yield _told(_at(place, name), "at least one rule belongs here")
            for index, part in enumerate(of):
                yield from _problems_of(part, f"{_at(place, name)}[{index}]", audiences)
        case Not(that):
            yield from _problems_of(that, _at(place, "not"), audiences)
        case Did():
            yield from _did(rule, place)
        case Sequence():
            yield from _sequence(rule, place)
        case Aggregate(_, name, _, tests, where, window):
            if not name:
                yield _told(_at(place, rule.figure), "say of which property")
            yield from _tests(tests, place, NUMERIC)
            if not tests:
                yield _told(place, "say what the figure is compared with, such as above: 200")
            yield from _where(where, _at(place, "where"))
            yield from _window(window, place)
        case Trait(name, tests):
            if not name:
                yield _told(_at(place, "trait"), "say which trait")
            if not tests:
                yield _told(place, "say what is asked of the trait, such as equals, one_of or exists")
            yield from _tests(tests, place)
        case Member(audience):
            yield from _member(audience, _at(place, "audience"), audiences)
        case Share(percent, start, _):
            if not 0 < percent <= 100:
                yield _told(_at(place, "share"), "more than 0% and at most 100%")
            elif not 0 <= start <= 100 - percent:
                yield _told(_at(place, "from"), "the share must end at 100% or before")
        case CartIs(value, items, age, contains):
            place = _at(place, "cart")
            if not (value or items or age or contains):
                yield _told(place, "say what of it: value, items, age or contains")
            yield from _tests(value, _at(place, "value"), NUMERIC)
            yield from _tests(items, _at(place, "items"), NUMERIC)
            yield from _ages(age, _at(place, "age"))
            yield from _where(contains, _at(place, "contains"))
        case ProductIs():
            yield from _product(rule, place)
        case Lifecycle(stage, new_for, lapsed_after):
            if stage not in get_args(Stage):
                yield _told(_at(place, "lifecycle"), f"one of {', '.join(get_args(Stage))}")
            yield from _span(new_for, _at(place, "new_for"))
            yield from _span(lapsed_after, _at(place, "lapsed_after"))
        case MomentIs(of):
            yield from _moment(of, _at(place, "moment"))


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _told(place: str, why: str) -> str:
    return f"{place}: {why}" if place else why


def _did(rule: Did, place: str) -> Iterator[str]:
    if rule.at_least < 0 or (rule.at_most is not None and rule.at_most < 0):
        name = "exactly" if rule.at_least == rule.at_most else "at_least" if rule.at_least < 0 else "at_most"
        yield _told(_at(place, name), "nothing happens less than 0 times")
    elif rule.at_most is None and rule.at_least < 1:
        yield _told(_at(place, "at_least"), "at least 1, or exactly: 0")
    elif rule.at_most is not None and rule.at_most < rule.at_least:
        yield _told(_at(place, "at_most"), "this is less than at_least")
    if rule.first_time:
        if rule.window == Window():
            yield _told(_at(place, "first_time"), "say when the first time was, with within or between")
        if rule.at_least != 1 or rule.at_most is not None or rule.negated:
            yield _told(_at(place, "first_time"), "this goes with done alone, and without a number of times")
    yield from _where(rule.where, _at(place, "where"))
    yield from _window(rule.window, place)


def _sequence(rule: Sequence, place: str) -> Iterator[str]:
    if not 2 <= len(rule.steps) <= LONGEST_SEQUENCE:
        yield _told(_at(place, "sequence"), f"2 to {LONGEST_SEQUENCE} events")
    for index, step in enumerate(rule.steps):
        yield from _where(step.where, f"{_at(place, 'sequence')}[{index}].where")
    if rule.without is not None:
        yield from _where(rule.without.where, _at(place, "without.where"))
    if rule.within:
        yield from _span(rule.within, _at(place, "within"))
    yield from _window(rule.window, _at(place, "completed"))


def _product(rule: ProductIs, place: str) -> Iterator[str]:
    if rule.interest not in get_args(Interest):
        yield _told(_at(place, "product"), f"one of {', '.join(get_args(Interest))}")
    if rule.price_fell is None and rule.back_in_stock is None and rule.low_stock is None:
        yield _told(place, "say what became of it: price_fell, back_in_stock or low_stock")
    if rule.price_fell is not None and not 0 < rule.price_fell < 100:
        yield _told(_at(place, "price_fell"), "more than 0% and less than 100%")
    if rule.low_stock is not None and rule.low_stock < 1:
        yield _told(_at(place, "low_stock"), "at least 1")
    if rule.within:
        yield from _span(rule.within, _at(place, "within"))
    yield from _where(rule.where, _at(place, "where"))


def _member(name: str, place: str, audiences: WrittenOut | None) -> Iterator[str]:
    if audiences is None:
        return
    if name not in audiences.audiences:
        there = ", ".join(sorted(audiences.audiences)) or "none"
        yield _told(place, f"there is no audience {name!r}; there are {there}")
    elif problem := audiences.problem_of(name):
        yield _told(place, problem)


def _moment(of: Where, place: str) -> Iterator[str]:
    for each in of:
        outer, _, inner = each.name.partition(".")
        if each.name not in FIELDS and not (outer == "parameter" and inner):
            there = ", ".join(name for name in FIELDS)
            yield _told(_at(place, each.name), f"there is no such thing; there are {there}, parameter")
        yield from _tests(each.tests, _at(place, each.name))


def _where(where: Where, place: str) -> Iterator[str]:
    for each in where:
        if not each.name:
            yield _told(place, "say which property")
        yield from _tests(each.tests, _at(place, each.name))


def _window(window: Window, place: str) -> Iterator[str]:
    if window.within:
        yield from _span(window.within, _at(place, "within"))
    if window.between:
        try:
            start, end = ends(window.between)
        except BadContent as error:
            yield _told(_at(place, "between"), f"{error}; {error.hint}")
        else:
            if start >= end:
                yield _told(_at(place, "between"), "the second is before the first")


def _span(text: str, place: str) -> Iterator[str]:
    try:
        span_of(text)
    except BadContent as error:
        yield _told(place, f"{error}; {error.hint}")


def _ages(tests: tuple[Test, ...], place: str) -> Iterator[str]:
    for test in tests:
        if test.operator not in SPANS:
            yield _told(_at(place, test.operator), f"how long is asked with {', '.join(SPANS)}")
        else:
            yield from _span(str(test.value), _at(place, test.operator))


def _tests(tests: tuple[Test, ...], place: str, only: tuple[str, ...] = ()) -> Iterator[str]:
    seen: set[str] = set()
    for test in tests:
        operator = BY_NAME.get(test.operator)
        if operator is None:
            yield _told(_at(place, test.operator), f"there is no such operator; there are {', '.join(BY_NAME)}")
            continue
        if only and test.operator not in only:
            yield _told(_at(place, test.operator), f"a number is asked with {', '.join(only)}")
        if test.operator in seen:
            yield _told(_at(place, test.operator), "this is said twice")
        seen.add(test.operator)
        if wrong := _wrong(operator.wants, test.value):
            yield _told(_at(place, test.operator), wrong)


def _wrong(wants: str, value: Any) -> str:  # noqa: C901 (a case for each kind of value)
    """Return why an operator cannot compare with a value, empty when it can."""
    match wants:
        case "value":
            return "" if _scalar(value) else "one value belongs here"
        case "values":
            there = isinstance(value, tuple) and value and all(map(_scalar, value))
            return "" if there else "a list of values belongs here"
        case "number":
            return "" if _number(value) is not None else f"{value!r} is no number"
        case "numbers":
            two = isinstance(value, tuple) and len(value) == 2 and all(_number(each) is not None for each in value)
            if not two:
                return "two numbers belong here"
            return "" if bound(value[0]) <= bound(value[1]) else "the second is less than the first"
        case "text":
            return "" if _scalar(value) and str(value).strip() else "a text belongs here"
        case "time":
            return "" if time(value) is not None else f"{value!r} is no time; write 2026-01-31"
        case "switch":
            return "" if isinstance(value, bool) else "true or false belongs here"
        case "pattern":
            return _reason(lambda: pattern_of(value)) if isinstance(value, str) else "a text belongs here"
        case "occasion" if value in OCCASIONS:
            return ""
        case _:
            return _reason(lambda: span_of(value)) if isinstance(value, str) else "a span belongs here, such as 7d"


def _number(value: Any) -> float | None:
    try:
        return bound(value)
    except ValueError:
        return None


def _reason(read: Any) -> str:
    try:
        read()
    except BadContent as error:
        return f"{error}; {error.hint}" if error.hint else str(error)
    return ""


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
