"""Check: the problems of a rule, each with its place and reason; and the size of rules.

The size includes the audiences that a rule names, without expanding them: thirty short audiences that each name the one
before twice would be a billion conditions.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wetink.core.errors import BadContent
from wetink.core.rules.matching import ends
from wetink.core.rules.nodes import AGES, STEP, Field, Node, at, node_of, problem_at
from wetink.core.rules.operators import BY_NAME, OCCASIONS, passes
from wetink.core.rules.traits import MOMENT_FIELDS, POSSIBLE
from wetink.core.rules.tree import Member, Rule, Test, Where, Window, nodes_of, parts_of, today
from wetink.core.rules.values import bound
from wetink.core.units.duration import parse as span_of

MOST_NODES, DEEPEST = 5_000, 100
"""Maximum conditions of a rule including those of its audiences, and maximum depth of their nesting."""


class AudienceSizes:
    """The sizes of audiences, each computed once. Audiences that refer to each other in a circle have none."""

    def __init__(self, audiences: Mapping[str, Rule]) -> None:
        self.audiences = audiences
        self._sizes: dict[str, tuple[int, int]] = {}
        self._circles: dict[str, tuple[str, ...]] = {}

    def problem_of(self, name: str) -> str:
        """Return why a rule cannot use an audience; empty if it can."""
        circle = self._measure(name)
        if circle:
            return f"audiences refer to each other in a circle: {' → '.join(circle)}"
        return too_large(*self._sizes[name])

    def size_of(self, rule: Rule) -> tuple[int, int]:
        """Return the number of a rule's nodes and their depth. A missing audience counts as one node."""
        for name in names_of(rule):
            if name in self.audiences:
                self._measure(name)
        return self._size(rule)

    def _measure(self, start: str) -> tuple[str, ...]:
        """Measure an audience after those that it names; return the circle that it leads into, or nothing."""
        path: dict[str, None] = {}
        left: list[Iterator[str]] = [iter((start,))]
        while left:
            name = next(left[-1], None)
            if name is None:
                left.pop()
                if path:
                    done, _ = path.popitem()
                    self._sizes[done] = self._size(self.audiences[done])
            elif name in path or name in self._circles:
                whole = [*path]
                circle = self._circles.get(name) or _circle(whole[whole.index(name) :])
                self._circles |= dict.fromkeys(path, circle)
                return circle
            elif name in self.audiences and name not in self._sizes:
                path[name] = None
                left.append(iter(names_of(self.audiences[name])))
        return ()

    def _size(self, rule: Rule) -> tuple[int, int]:
        if isinstance(rule, Member):
            nodes, depth = self._sizes.get(rule.name, (0, 0))
            return min(nodes + 1, MOST_NODES + 1), min(depth + 1, DEEPEST + 1)
        sizes = [self._size(part) for part in parts_of(rule)]
        return 1 + sum(nodes for nodes, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)


def _circle(circle: list[str]) -> tuple[str, ...]:
    """Return a circle from its alphabetically first name back to it, wherever it was entered."""
    first = circle.index(min(circle))
    return (*circle[first:], *circle[: first + 1])


def names_of(rule: Rule) -> tuple[str, ...]:
    """Return the audiences that a rule names directly, each once."""
    return tuple(dict.fromkeys(node.name for node in nodes_of(rule) if isinstance(node, Member)))


def too_large(nodes: int, depth: int) -> str:
    """Return why a rule of this size is refused; empty if it is not."""
    if nodes > MOST_NODES:
        return f"with the audiences that they refer to, these have more than {MOST_NODES:,} conditions"
    return f"audiences are nested more than {DEEPEST} deep inside each other" if depth > DEEPEST else ""


def problems_of(
    rule: Rule, place: str = "", audiences: Mapping[str, Rule] | AudienceSizes | None = None
) -> Iterator[str]:
    """Yield the problems of a rule.

    With `audiences`, these include audiences that do not exist, lead in a circle, or are too large when expanded.
    """
    if audiences is not None and not isinstance(audiences, AudienceSizes):
        audiences = AudienceSizes(audiences)
    wrong = list(_problems_of(node_of(rule), rule, place, audiences))
    if not wrong and audiences is not None and names_of(rule) and (problem := too_large(*audiences.size_of(rule))):
        wrong.append(problem_at(place, problem))
    yield from wrong


def _problems_of(node: Node, thing: Any, place: str, audiences: AudienceSizes | None) -> Iterator[str]:
    place = at(place, node.word) if node.inside else place
    for name, why, holds in node.checks:
        if not holds(thing):
            yield problem_at(at(place, name), why)
    for field in node.fields:
        value, here = getattr(thing, field.name), place if field.inline else at(place, field.key)
        if field.name in node.defaults and value == node.defaults[field.name]:
            continue
        if not field.valid(value):
            yield problem_at(here, field.invalid)
        elif field.kind in ("rule", "rules", "step", "steps"):
            listed = value if field.kind.endswith("s") else (value,)
            for index, part in enumerate(listed):
                inner = STEP if field.kind.startswith("step") else node_of(part)
                yield from _problems_of(inner, part, f"{here}[{index}]" if value is listed else here, audiences)
        elif field.kind == "audience" and audiences is not None:
            yield from _audience(value, here, audiences)
        elif field.kind in _CHECKS:
            yield from _CHECKS[field.kind](value, here, field)


def _audience(name: str, place: str, audiences: AudienceSizes) -> Iterator[str]:
    if name not in audiences.audiences:
        others = ", ".join(sorted(audiences.audiences))
        remedy = f"use one of {others}" if others else "create it first"
        yield problem_at(place, f"there is no audience {name!r}; {remedy}")
    elif problem := audiences.problem_of(name):
        yield problem_at(place, problem)


def _choice(value: str, place: str, field: Field) -> Iterator[str]:
    if value not in dict(field.choices):
        yield problem_at(place, f"use one of {', '.join(dict(field.choices))}")


def _where(where: Where, place: str, field: Field) -> Iterator[str]:
    for each in where:
        if not each.name:
            yield problem_at(place, "choose a property")
        yield from _tests(each.tests, at(place, each.name), field)


def _context(where: Where, place: str, field: Field) -> Iterator[str]:
    for each in where:
        if each.name not in MOMENT_FIELDS and not (each.name.startswith("parameter.") and each.name != "parameter."):
            yield problem_at(at(place, each.name), f"unknown name; use one of {', '.join(MOMENT_FIELDS)}, parameter")
        wrong = list(_tests(each.tests, at(place, each.name), field))
        yield from wrong or _impossible(each.name, each.tests, at(place, each.name))


def _impossible(name: str, tests: tuple[Test, ...], place: str) -> Iterator[str]:
    """Yield the comparisons of a moment's value, one of few, with something that it never is."""
    values = POSSIBLE.get(name, ())
    for test in tests if values else ():
        equal = _EQUAL.get(test.operator)
        parts = [test] if equal is None else [Test("equals", each) for each in equal(test.value)]
        if test.operator != "exists" and not all(
            any(passes((part,))(value, _EVER) for value in values) for part in parts
        ):
            yield problem_at(at(place, test.operator), f"this is never so; it is {MOMENT_FIELDS[name][1]}")


def _span(text: str, place: str, field: Field | None = None) -> Iterator[str]:
    if wrong := _raised(lambda: span_of(text)):
        yield problem_at(place, wrong)


def _window(window: Window, place: str, field: Field) -> Iterator[str]:
    if window.within:
        yield from _span(window.within, at(place, "within"))
    if window.between:
        wrong = _raised(lambda: ends(window.between))
        start, end = ends(window.between) if not wrong else (0, 1)
        if wrong or start >= end:
            yield problem_at(at(place, "between"), wrong or "the second is before the first")


def _tests(tests: tuple[Test, ...], place: str, field: Field) -> Iterator[str]:
    age = field.only == AGES
    for index, test in enumerate(tests):
        here = at(place, test.operator)
        if field.only and test.operator not in field.only:
            yield problem_at(here, f"compare {'a duration' if age else 'a number'} with one of {', '.join(field.only)}")
        elif any(test.operator == each.operator for each in tests[:index]):
            yield problem_at(here, "this appears twice; remove one")
        elif age:
            yield from _span(str(test.value), here)
        elif wrong := _wrong(test, BY_NAME[test.operator].wants):
            yield problem_at(here, wrong)


def _wrong(test: Test, wants: str) -> str:
    """Return why an operator cannot compare with a value; empty if it can."""
    value = test.value
    fits, otherwise = _SHAPES.get(wants, (lambda value: True, ""))
    if not fits(value):
        return otherwise
    if wants == "occasion":
        return "" if value in OCCASIONS else _raised(lambda: span_of(value))
    backwards = "the second is less than the first" if wants == "numbers" else ""
    return _raised(lambda: passes((test,))) or (backwards and bound(value[0]) > bound(value[1]) and backwards) or ""


def _raised(work: Callable[[], Any]) -> str:
    try:
        work()
    except BadContent as error:
        return f"{error}; {error.hint}" if error.hint else str(error)
    except ValueError as error:
        return str(error)
    return ""


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


_EVER = today(0)
_EQUAL: Mapping[str, Callable[[Any], tuple[Any, ...]]] = {
    **dict.fromkeys(("equals", "not_equals"), lambda value: (value,)),
    **dict.fromkeys(("one_of", "none_of"), lambda value: value),
}
"""The values that an operator compares with, if it is about being equal."""

_SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "value": (_scalar, "this must be one value"),
    "values": (lambda value: isinstance(value, tuple) and value != () and all(map(_scalar, value)),
               "this must be a list of values"),
    "numbers": (lambda value: isinstance(value, tuple) and len(value) == 2, "this must be two numbers"),
    "text": (lambda value: _scalar(value) and str(value).strip() != "", "this must be text"),
    "switch": (lambda value: isinstance(value, bool), "this must be true or false"),
    "pattern": (lambda value: isinstance(value, str), "this must be text"),
    "span": (lambda value: isinstance(value, str), "this must be a duration, such as 7d"),
    "occasion": (lambda value: isinstance(value, str), "this must be a duration, such as 7d"),
}  # fmt: skip
_CHECKS: Mapping[str, Callable[[Any, str, Field], Iterator[str]]] = {
    "choice": _choice, "where": _where, "context": _context, "span": _span, "window": _window, "tests": _tests,
}  # fmt: skip
