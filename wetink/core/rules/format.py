"""Format: a rule's tree as people spell it, without what goes without saying."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wetink.core.rules.nodes import LAST_ORDER, ORDER, STEP, Field, Node, deepened, node_of
from wetink.core.rules.tree import Did, MomentIs, Rule, Test, Where, Window


def spell(rule: Rule) -> dict[str, Any]:
    """Return how a rule is spelled: `parse.parse` reads it back.

    >>> spell(Did("Product Viewed", window=Window(within="7d"), at_least=2))
    {'done': 'Product Viewed', 'at_least': 2, 'within': '7d'}
    """
    node = node_of(rule)
    spelled = _fields(node, rule)
    return {node.word: spelled} if node.inside else spelled


def spell_all(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return how several rules are spelled."""
    return [spell(each) for each in rules]


def _fields(node: Node, rule: Any) -> dict[str, Any]:
    spelled: dict[str, Any] = {}
    for field in node.fields:
        value = getattr(rule, field.name)
        if field.kind in _SPREAD:
            spelled |= _SPREAD[field.kind](field, value, rule)
        elif field.name not in node.defaults or value != node.defaults[field.name]:
            spelled[field.key] = _SPELLED[field.kind](value) if field.kind in _SPELLED else value
    return spelled


def _properties(where: Where) -> dict[str, Any]:
    return {each.name: _asked(each.tests) for each in where}


def _asked(tests: tuple[Test, ...]) -> Any:
    if len(tests) == 1 and tests[0].operator in ("equals", "one_of"):
        return _listed(tests[0].value)
    return {test.operator: _listed(test.value) for test in tests}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _percent(value: float) -> str:
    return f"{int(value) if value == int(value) else value!r}%"


def _tests(field: Field, tests: tuple[Test, ...], rule: Any) -> dict[str, Any]:
    if tests and all(test.operator in field.inline for test in tests):
        return {test.operator: _listed(test.value) for test in tests}
    return {field.key: _asked(tests)} if tests else {}


def _times(field: Field, at_least: int, did: Did) -> dict[str, Any]:
    first = {"first_time": True} if did.first_time else {}
    if did.at_most is None:
        return {"at_least": at_least, **first} if at_least != 1 else first
    if at_least == did.at_most:
        return {"exactly": at_least, **first}
    return {**({"at_least": at_least} if at_least else {}), "at_most": did.at_most, **first}


def _window(field: Field, window: Window, rule: Any) -> dict[str, Any]:
    since = LAST_ORDER if window.since == ORDER else f"last {window.since}"
    spelled = {
        **({"within": window.within} if window.within else {}),
        **({"between": list(window.between)} if window.between else {}),
        **({"since": since} if window.since else {}),
        **({"in": "this visit"} if window.visit else {}),
    }
    return {field.key: spelled} if spelled and field.key else spelled


def _context(field: Field, where: Where, moment: MomentIs) -> dict[str, Any]:
    flat = _properties(where)
    weather = any(name.startswith("weather.") for name in flat)
    feed = {"weather.feed": moment.feed} if weather and moment.feed != "weather" else {}
    return {field.key: deepened({**flat, **feed})}


_SPELLED: Mapping[str, Callable[[Any], Any]] = {
    "percent": _percent,
    "where": _properties,
    "rule": spell,
    "rules": spell_all,
    "step": lambda step: _fields(STEP, step),
    "steps": lambda steps: [_fields(STEP, step) for step in steps],
}
_SPREAD: Mapping[str, Callable[[Field, Any, Any], dict[str, Any]]] = {
    "tests": _tests,
    "times": _times,
    "window": _window,
    "context": _context,
}
"""Kind of field -> how its value is spelled; or all that it has in a node's spelling."""
