"""Format: a rule's tree as people spell it, without what goes without saying."""

from collections.abc import Iterable
from typing import Any

from wetink.core.rule.parse import NESTED
from wetink.core.rule.reading import LAST_ORDER, ORDER, WINDOWS
from wetink.core.rule.tree import (
    Aggregate,
    All,
    AnyOf,
    CartIs,
    Did,
    Lifecycle,
    Member,
    Not,
    ProductIs,
    Rule,
    Sequence,
    Share,
    Step,
    Test,
    Trait,
    Where,
    Window,
)


def spell(rule: Rule) -> dict[str, Any]:  # noqa: C901 (a case for each kind of node)
    """Return how a rule is spelled: `parse.parse` reads it back.

    >>> from wetink.core.rule.tree import Did
    >>> spell(Did("Product Viewed", window=Window(within="7d"), at_least=2))
    {'done': 'Product Viewed', 'within': '7d', 'at_least': 2}
    """
    match rule:
        case All(of):
            return {"all": [spell(each) for each in of]}
        case AnyOf(of):
            return {"any": [spell(each) for each in of]}
        case Not(that):
            return {"not": spell(that)}
        case Did():
            return _did(rule)
        case Sequence(steps, within, without, window):
            said: dict[str, Any] = {"sequence": [_step(each) for each in steps]}
            said |= {"within": within} if within else {}
            said |= {"without": _step(without)} if without is not None else {}
            return {**said, **({"completed": _window(window)} if window != Window() else {})}
        case Aggregate(figure, name, event, tests, where, window):
            inline = all(test.operator not in WINDOWS for test in tests)
            asked = _operators(tests) if inline else {"is": _operators(tests)}
            return {figure: name, "of": event, **_where(where), **_window(window), **asked}
        case Trait(name, tests):
            return {"trait": name, **_operators(tests)}
        case Member(audience):
            return {"audience": audience}
        case Share(percent, start, seed):
            more = {"from": _percent(start)} if start else {}
            return {"share": _percent(percent), **more, **({"seed": seed} if seed else {})}
        case CartIs(value, items, age, contains):
            named = {"value": value, "items": items, "age": age}
            asked = {name: _tests(tests) for name, tests in named.items() if tests}
            return {"cart": {**asked, **({"contains": _properties(contains)} if contains else {})}}
        case ProductIs(interest, where, within, fell, back, low):
            became: dict[str, Any] = {"price_fell": _percent(fell)} if fell is not None else {}
            became |= {"back_in_stock": back} if back is not None else {}
            became |= {"low_stock": low} if low is not None else {}
            return {"product": interest, **_where(where), **({"within": within} if within else {}), **became}
        case Lifecycle(stage, new_for, lapsed_after):
            more = {"new_for": new_for} if new_for != "30d" else {}
            return {"lifecycle": stage, **more, **({"lapsed_after": lapsed_after} if lapsed_after != "90d" else {})}
        case _:
            return {"moment": _moment(rule.of, rule.feed)}


def spell_all(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return how several rules are spelled."""
    return [spell(each) for each in rules]


def _did(rule: Did) -> dict[str, Any]:
    said = {"not_done" if rule.negated else "done": rule.event, **_where(rule.where), **_window(rule.window)}
    if rule.at_most is not None and rule.at_least == rule.at_most:
        said["exactly"] = rule.at_most
    elif rule.at_most is not None:
        said |= {"at_least": rule.at_least} if rule.at_least else {}
        said["at_most"] = rule.at_most
    elif rule.at_least != 1:
        said["at_least"] = rule.at_least
    return {**said, **({"first_time": True} if rule.first_time else {})}


def _step(step: Step) -> dict[str, Any]:
    return {"done": step.event, **_where(step.where)}


def _where(where: Where) -> dict[str, Any]:
    return {"where": _properties(where)} if where else {}


def _properties(where: Where) -> dict[str, Any]:
    return {each.name: _tests(each.tests) for each in where}


def _tests(tests: tuple[Test, ...]) -> Any:
    if len(tests) == 1 and tests[0].operator in ("equals", "one_of"):
        return _listed(tests[0].value)
    return _operators(tests)


def _operators(tests: tuple[Test, ...]) -> dict[str, Any]:
    return {test.operator: _listed(test.value) for test in tests}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _window(window: Window) -> dict[str, Any]:
    if window.within:
        return {"within": window.within}
    if window.between:
        return {"between": list(window.between)}
    if window.since:
        return {"since": LAST_ORDER if window.since == ORDER else f"last {window.since}"}
    return {"in": "this visit"} if window.visit else {}


def _percent(value: float) -> str:
    return f"{int(value) if value == int(value) else value!r}%"


def _moment(of: Where, feed: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for each in of:
        outer, _, inner = each.name.partition(".")
        if outer in NESTED and inner:
            said.setdefault(outer, {})[inner] = _tests(each.tests)
        else:
            said[each.name] = _tests(each.tests)
    if feed != "weather" and "weather" in said:
        said["weather"]["feed"] = feed
    return said
