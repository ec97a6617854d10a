"""Parse: reads a rule in YAML or JSON into its tree. `format` writes it.

when:
  - done: Product Viewed
    where: {category: Shoes, price: {above: 50}}
    within: 3d
  - not: {trait: plan, equals: gold}
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from wetink.core.errors import BadContent
from wetink.core.events.ecommerce import canonical
from wetink.core.rules.nodes import (
    LAST_ORDER,
    NESTED,
    NODES,
    ORDER,
    STEP,
    TIMES,
    WHEN,
    Field,
    Node,
    at,
    flattened,
    problem_at,
)
from wetink.core.rules.operators import BY_NAME
from wetink.core.rules.tree import All, Property, Rule, Test, Where, Window

DEEPEST, MOST = 32, 500
"""Maximum depth of a rule, and maximum number of its nodes."""


class Unreadable(BadContent):
    """A rule that cannot be read. `problems` has all problems, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems[:3]), hint="see docs/rules.md")
        self.problems = problems


def parse(spelled: Any, place: str = "") -> Rule:
    """Return the rule that YAML or JSON spells. A list matches if all its parts do. Raises Unreadable.

    >>> from wetink.core.rules.tree import Did
    >>> parse({"done": "Viewed Product", "within": "7d"}) == Did("Product Viewed", window=Window(within="7d"))
    True
    """
    reading = Reading()
    rule = reading.rule(spelled, place)
    if reading.problems or rule is None:
        raise Unreadable(reading.problems)
    return rule


def parse_all(spelled: Any, place: str) -> tuple[tuple[Rule, ...], list[str]]:
    """Return the rules of a list that can be read, and the problems of the others."""
    reading = Reading()
    return reading.rules(spelled, place), reading.problems


class Reading:
    """Reads rules and collects all problems."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._nodes = self._depth = 0

    def wrong(self, place: str, why: str) -> None:
        """Add a problem at a place."""
        self.problems.append(problem_at(place, why))

    def rules(self, spelled: Any, place: str) -> tuple[Rule, ...]:
        """Return the rules of a list."""
        if not isinstance(spelled, list | tuple):
            self.wrong(place, "this must be a list of rules")
            return ()
        read = [self.rule(each, f"{place}[{index}]") for index, each in enumerate(spelled)]
        return tuple(each for each in read if each is not None)

    def rule(self, spelled: Any, place: str) -> Rule | None:
        """Return one rule; None if it cannot be read."""
        if isinstance(spelled, list | tuple):
            return All(self.rules(spelled, place))
        if not isinstance(spelled, Mapping):
            self.wrong(place, "a rule is a mapping, such as {done: Product Viewed}")
            return None
        words = [word for word in NODES if word in spelled]
        if len(words) != 1:
            self._no_word(spelled, words, place)
            return None
        self._nodes += 1
        if self._nodes > MOST or self._depth > DEEPEST:
            if self._nodes == MOST + 1 or self._depth > DEEPEST:
                self.wrong(place, f"a rule can have at most {MOST} conditions, nested at most {DEEPEST} deep")
            return None
        self._depth += 1
        rule: Rule = self.node(NODES[words[0]], spelled, place)
        self._depth -= 1
        return rule

    def _no_word(self, spelled: Mapping[Any, Any], words: list[str], place: str) -> None:
        if words:
            self.wrong(place, f"use one of {' and '.join(words)} here, and the other in a rule of its own")
            return
        key = next(iter(map(str, spelled)), "")
        self.wrong(
            place,
            _unlike(key, NODES, f"{key!r} is not a rule") if key else f"use one of {', '.join(NODES)}",
        )

    def node(self, node: Node, spelled: Mapping[Any, Any], place: str) -> Any:
        """Return the node of a known word."""
        if node.inside:
            self.known(spelled, (node.word,), place)
            spelled, place = spelled[node.word], at(place, node.word)
            if not isinstance(spelled, Mapping):
                self.wrong(place, node.checks[0][1])
                return node.struct()
        self.known(spelled, [key for field in node.fields for key in field.keys], place)
        values = dict(node.fixed)
        for field in node.fields:
            spread = _SPREAD.get(field.kind)
            if spread is not None:
                values |= spread(self, field, spelled, place)
            elif field.key in spelled or field.name not in node.defaults:
                values[field.name] = _READ[field.kind](self, spelled.get(field.key, ""), at(place, field.key), field)
        return node.struct(**values)

    def known(self, spelled: Mapping[Any, Any], names: Iterable[str], place: str, what: str = "name") -> None:
        """Add a problem for each unknown name."""
        for name in spelled:
            if name not in names:
                self.wrong(at(place, name), _unlike(str(name), names, f"unknown {what}"))


def _unlike(name: str, names: Iterable[str], why: str) -> str:
    near = get_close_matches(name, names, 1)
    return f"{why}; did you mean {near[0]}?" if near else f"{why}; use one of {', '.join(names)}"


def _text(reading: Reading, value: Any, place: str, field: Field | None = None) -> str:
    """Return text; a number as its digits."""
    value = plain(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    reading.wrong(place, "this must be text")
    return ""


def _event(reading: Reading, value: Any, place: str, field: Field) -> str:
    text = _text(reading, value, place).strip()
    if not text:
        reading.wrong(place, field.invalid)
    return canonical(text) or text


def _whole(reading: Reading, value: Any, place: str, field: Field | None = None) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    reading.wrong(place, f"{value!r} is not a whole number, such as 3")
    return None


def _switch(reading: Reading, value: Any, place: str, field: Field | None = None) -> bool:
    if not isinstance(value, bool):
        reading.wrong(place, "this must be true or false")
    return value is True


def _percent(reading: Reading, value: Any, place: str, field: Field) -> float:
    """Return a percentage, with or without its sign."""
    try:
        return float(str(value).strip().removesuffix("%"))
    except ValueError:
        reading.wrong(place, f"{value!r} is not a share; write 20%")
        return 0.0


def _step(reading: Reading, value: Any, place: str, field: Field) -> Any:
    if isinstance(value, Mapping) and STEP.word in value:
        return reading.node(STEP, value, place)
    reading.wrong(place, "this must be an event, such as {done: Product Added}")
    return None


def _steps(reading: Reading, value: Any, place: str, field: Field) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        reading.wrong(place, "this must be a list of events")
        return ()
    steps = [_step(reading, each, f"{place}[{index}]", field) for index, each in enumerate(value)]
    return tuple(each for each in steps if each is not None)


def _where(reading: Reading, value: Any, place: str, field: Field | None = None) -> Where:
    """Return the conditions on properties."""
    if isinstance(value, Mapping) and value:
        return tuple(Property(str(name), _comparisons(reading, each, at(place, name))) for name, each in value.items())
    if value is not None:
        reading.wrong(place, "this must be properties, such as {category: Shoes}")
    return ()


def _comparisons(reading: Reading, value: Any, place: str) -> tuple[Test, ...]:
    """Return the comparisons of a value: a plain value, a list of values, or operators."""
    value = plain(value)
    if not isinstance(value, Mapping):
        return (Test("one_of" if isinstance(value, tuple) else "equals", value),)
    if not value:
        reading.wrong(place, "add a comparison")
    reading.known(value, BY_NAME, place, "operator")
    return tuple(Test(name, plain(each)) for name, each in value.items() if name in BY_NAME)


def _tests(reading: Reading, field: Field, spelled: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the comparisons of one value, with operators beside the word or below a key."""
    beside = tuple(Test(name, plain(value)) for name, value in spelled.items() if name in field.inline)
    below = field.key and field.key in spelled
    return {field.name: beside + (_comparisons(reading, spelled[field.key], at(place, field.key)) if below else ())}


def _times(reading: Reading, field: Field, spelled: Mapping[Any, Any], place: str) -> dict[str, Any]:
    at_least, exactly, at_most = (_whole(reading, spelled.get(name), at(place, name)) for name in TIMES[:3])
    for name, number in zip(TIMES, (at_least, exactly, at_most), strict=False):
        if number is not None and number < 0:
            reading.wrong(at(place, name), "this must be 0 or more")
    if exactly is not None:
        if at_least is not None or at_most is not None:
            reading.wrong(at(place, "exactly"), "do not combine exactly with at_least or at_most")
        at_least = at_most = exactly
    if at_least is None:
        at_least = 1 if at_most is None else 0
    first = _switch(reading, spelled.get("first_time", False), at(place, "first_time"))
    return {"at_least": at_least, "at_most": at_most, "first_time": first}


def _when(reading: Reading, field: Field, spelled: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the period, beside the word or below a key."""
    if not field.key:
        return {field.name: _window(reading, spelled, place)}
    below, place = spelled.get(field.key), at(place, field.key)
    if not isinstance(below, Mapping):
        if below is not None:
            reading.wrong(place, "this must be a period, such as {within: 30d}")
        return {}
    reading.known(below, WHEN, place)
    return {field.name: _window(reading, below, place)}


def _window(reading: Reading, spelled: Mapping[Any, Any], place: str) -> Window:
    named = [name for name in WHEN if name in spelled]
    if len(named) > 1:
        reading.wrong(at(place, named[1]), f"{named[0]} already sets the period")
    name = named[0] if named else ""
    value, place = plain(spelled.get(name)), at(place, name)
    match name:
        case "within":
            return Window(within=_text(reading, value, place))
        case "since":
            text = _text(reading, value, place).strip()
            event = ORDER if text in (LAST_ORDER, "order") else text.removeprefix("last ").strip()
            return Window(since=canonical(event) or event)
        case "in":
            if value != "this visit":
                reading.wrong(place, "write `this visit`")
            return Window(visit=True)
        case "between":
            if isinstance(value, tuple) and len(value) == 2:
                return Window(between=(str(value[0]), str(value[1])))
            reading.wrong(place, "this must be two dates, such as [2026-01-01, 2026-02-01]")
    return Window()


def _context(reading: Reading, field: Field, spelled: Mapping[Any, Any], place: str) -> dict[str, Any]:
    """Return the conditions on the moment. A weekday is its first three letters."""
    conditions, place = spelled[field.key], at(place, field.key)
    flat = flattened(conditions) if isinstance(conditions, Mapping) else {}
    feed = _text(reading, flat.pop("weather.feed", "weather"), at(place, "weather.feed"))
    for name in flat.keys() & NESTED:
        reading.wrong(at(place, name), "this must be names with values")
    if not flat:
        reading.wrong(place, "add a condition, such as {weekday: [sat, sun]}")
    if "weekday" in flat:
        flat["weekday"] = _days(flat["weekday"])
    return {field.name: _where(reading, flat or None, place), "feed": feed}


def _days(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _days(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_days(each) for each in value]
    return value.strip().lower()[:3] if isinstance(value, str) else value


_READ: Mapping[str, Callable[[Reading, Any, str, Field], Any]] = {
    **dict.fromkeys(("text", "audience", "choice", "span"), _text),
    "event": _event, "percent": _percent, "whole": _whole, "switch": _switch, "where": _where,
    "rules": lambda reading, value, place, field: reading.rules(value, place),
    "rule": lambda reading, value, place, field: reading.rule(value, place) or All(()),
    "steps": _steps, "step": _step,
}  # fmt: skip
_SPREAD: Mapping[str, Callable[[Reading, Field, Mapping[Any, Any], str], dict[str, Any]]] = {
    "tests": _tests, "times": _times, "window": _when, "context": _context,
}  # fmt: skip
"""Kind of field -> how the value of its key is read; or how all its names in a node are read."""


def plain(value: Any) -> Any:
    """Return a value of YAML as the tree stores it: lists as tuples, dates as text.

    >>> plain([date(2026, 1, 1)])
    ('2026-01-01',)
    """
    if isinstance(value, list | tuple):
        return tuple(plain(each) for each in value)
    return value.isoformat() if isinstance(value, datetime | date) else value
