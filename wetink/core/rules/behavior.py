"""Behavior: rules about events: how often and when, in which order, and figures over them."""

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import fsum
from typing import Any

from msgspec.structs import replace

from wetink.core.identity.holding import FOREVER
from wetink.core.profile.history import AnyEvent
from wetink.core.rules import tree
from wetink.core.rules.format import comparison_words, where_words, words
from wetink.core.rules.matching import bounds, counting, matching, values, window_words
from wetink.core.rules.operators import passes
from wetink.core.rules.tree import Aggregate, Did, Leaf, Subject
from wetink.core.rules.values import amount, shown, written
from wetink.core.units.duration import parse as span_of

DECIMALS = 6
"""Figures are rounded to this many decimals, so that sums of prices come out as expected."""
LARGEST = Fraction(sys.float_info.max)


def did(rule: Did) -> Leaf:
    """Return the leaf of an event: how often it happened. A first time counts only if no matching event came before."""
    times, what = _times(rule), f"{rule.event}{where_words(rule.where)}"
    window, least, most = window_words(rule.window), rule.at_least, rule.at_most

    def holds(times: int) -> bool:
        return (times >= least and (most is None or times <= most)) is not rule.negated

    def describe(times: int) -> str:
        if rule.first_time:
            return (
                f"did {what} for the first time{window}" if times else f"did not do {what} for the first time{window}"
            )
        if times == 0:
            return f"did not do {what}{window}"
        often = f"{_often(times)}{window}"
        if rule.negated:
            return f"did {what} only {often}" if times < least else f"did {what} {often}"
        if times < least:
            return f"did {what} {often}, not {least}"
        return f"did {what} {often}" if most is None or times <= most else f"did {what} {often}, more than {most}"

    return Leaf(times, holds, describe)


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _times(rule: Did) -> Callable[[Subject], int]:
    event, span, match = rule.event, bounds(rule.window), matching(rule.event, rule.where)
    count = counting(rule.event, rule.where)
    plain = rule.window == tree.Window()

    def counted(subject: Subject) -> int:
        done = subject.person.done.get(event)
        if done is None:
            return 0
        start, end = (0, len(done)) if plain else _within(done, span(subject))
        if match is None or start == end:
            return end - start
        if count is not None:
            return count(subject, start, end)
        matches = match(subject)
        return sum([matches(index) for index in range(start, end)])

    def first(subject: Subject) -> int:
        done = subject.person.done.get(event, ())
        start, end = _within(done, span(subject))
        matches = match(subject) if match is not None else _all
        return next((int(start <= index) for index in range(end) if matches(index)), 0)

    return first if rule.first_time else counted


def _all(index: int) -> bool:
    return True


def _within(times: Sequence[int], span: tuple[int, int]) -> tuple[int, int]:
    """Return the [first, last) indexes of the times in a period."""
    start = bisect_left(times, span[0]) if span[0] > -FOREVER else 0
    end = bisect_left(times, span[1]) if span[1] < FOREVER else len(times)
    return start, max(start, end)


def sequence(rule: tree.Sequence) -> Leaf:
    """Return the leaf of a sequence: when it was last completed (Unix ms); None if never."""
    steps = [(each.event, matching(each.event, each.where)) for each in rule.steps]
    without = rule.without
    between = matching(without.event, without.where) if without is not None else None
    longest, span = span_of(rule.within) if rule.within else FOREVER, bounds(rule.window)
    names = {event for event, _ in steps} | ({without.event} if without is not None else set())

    def completed(subject: Subject) -> int | None:
        matches = [match(subject) if match is not None else _all for _, match in steps]
        breaks = between(subject) if between is not None else _all
        run = _Run(len(steps), longest)
        ends: int | None = None
        start, end = span(subject)
        for event, name, index in _in_order(subject, names):
            fits = [steps[place][0] == name and matches[place](index) for place in range(len(steps))]
            if run.goes_on(event.at, fits) and start <= event.at < end:
                ends = event.at
            if without is not None and name == without.event and breaks(index):
                run.breaks(event.at if fits[0] else None)
        return ends

    described = words(rule).removeprefix("did ")

    def describe(at: int | None) -> str:
        return f"{'did' if at is not None else 'did not do'} {described}"

    return Leaf(completed, lambda at: at is not None, describe)


class _Run:
    """The progress of a sequence. `began[n]` is the latest start (Unix ms) of a run that has reached step n."""

    def __init__(self, steps: int, longest: int) -> None:
        self.began: list[int | None] = [None] * steps
        self._longest = longest

    def goes_on(self, at: int, fits: Sequence[bool]) -> bool:
        """Take an event that fits some steps; return whether it completes the sequence."""
        last, completes = len(self.began) - 1, False
        for place in range(last, 0, -1):
            before = self.began[place - 1]
            if not fits[place] or before is None or at - before > self._longest:
                continue
            if place == last:
                completes = True
            else:
                self.began[place] = max(before, self.began[place] or before)
        if fits[0]:
            self.began[0] = at
        return completes

    def breaks(self, fresh: int | None) -> None:
        """Drop all runs, except one that starts with this event."""
        self.began = [fresh, *([None] * (len(self.began) - 1))]


def _in_order(subject: Subject, names: Iterable[str]) -> list[tuple[AnyEvent, str, int]]:
    """Return the events of some names in order, each with its name and its index among those of that name."""
    history = subject.person.history
    found = [(event, name, index) for name in names for index, event in enumerate(history.named(name))]
    found.sort(key=lambda each: (each[0].at, each[0].source, each[0].message_id))
    return found


def aggregate(rule: Aggregate) -> Leaf:
    """Return the leaf of a figure over events' values; None if there are none."""
    event, span, match = rule.event, bounds(rule.window), matching(rule.event, rule.where)
    found, test = values(event, rule.property, rule.where), passes(rule.tests)
    work, described = _FIGURES[rule.figure], words(replace(rule, tests=())).rstrip()
    nothing = work(())

    def figure(subject: Subject) -> tuple[Any, bool]:
        done = subject.person.done.get(event)
        if done is None:
            return nothing, test(nothing, subject)
        start, end = _within(done, span(subject))
        matches = match(subject) if match is not None else _all
        get = found(subject)
        number = work([value for index in range(start, end) if matches(index) for value in get(index)])
        return number, test(number, subject)

    def describe(seen: tuple[Any, bool]) -> str:
        found = f"{described} is {shown(seen[0])}"
        return found if seen[1] else f"{found}, not {comparison_words(rule.tests).removeprefix('is ')}"

    return Leaf(figure, lambda seen: seen[1], describe)


def _numbers(found: Sequence[Any]) -> list[float]:
    return [number for value in found if (number := amount(value)) is not None]


def _sum(found: Sequence[Any]) -> float:
    return _mean(_numbers(found), 1)


def _average(found: Sequence[Any]) -> float | None:
    numbers = _numbers(found)
    return _mean(numbers, len(numbers)) if numbers else None


def _mean(numbers: Sequence[float], count: int) -> float:
    """Return the sum divided by a count, rounded, and limited to the largest float."""
    try:
        return round(fsum(numbers) / count, DECIMALS)
    except OverflowError:  # on the way only, or in the end as well
        exact = sum(map(Fraction, numbers), Fraction()) / count
        return float(max(-LARGEST, min(exact, LARGEST)))


_FIGURES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "sum": _sum,
    "average": _average,
    "maximum": lambda found: max(_numbers(found), default=None),
    "minimum": lambda found: min(_numbers(found), default=None),
    "distinct": lambda found: len({written(value) for value in found if value is not None}),
}
