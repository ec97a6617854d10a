"""Format: a rule's tree in the language of rules, without defaults; and in words."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from wetink.core.rules.matching import window_words
from wetink.core.rules.nodes import LAST_ORDER, ORDER, STEP, Field, Node, deepened, node_of
from wetink.core.rules.operators import BY_NAME
from wetink.core.rules.tree import Did, MomentIs, Rule, Step, Test, Where, Window


def spell(rule: Rule) -> dict[str, Any]:
    """Return a rule as YAML or JSON values, which `parse.parse` reads back.

    >>> spell(Did("Product Viewed", window=Window(within="7d"), at_least=2))
    {'done': 'Product Viewed', 'at_least': 2, 'within': '7d'}
    """
    node = node_of(rule)
    spelled = _fields(node, rule)
    return {node.word: spelled} if node.inside else spelled


def spell_all(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return several rules as YAML or JSON values."""
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
    return {each.name: _comparisons(each.tests) for each in where}


def _comparisons(tests: tuple[Test, ...]) -> Any:
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
    return {field.key: _comparisons(tests)} if tests else {}


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
"""Kind of field -> how its value is written; or all its names in a node."""


_PLACES = re.compile(r"\{([a-z_,]+)\}")


def words(rule: Rule) -> str:
    """Return a rule in words.

    >>> from wetink.core.rules.parse import parse
    >>> words(parse({"done": "Product Viewed", "within": "7d", "at_least": 2}))
    'did Product Viewed at least 2 times within 7d'
    >>> words(parse({"trait": "plan", "one_of": ["gold", "silver"]})), words(parse({"trait": "city", "exists": False}))
    ('trait plan is one of "gold", "silver"', 'trait city is not set')
    """
    return _words(node_of(rule), rule)


def _words(node: Node, thing: Any) -> str:
    values = {field.name: _field(field, thing) for field in node.fields}
    return _PLACES.sub(
        lambda place: " and ".join(filter(None, map(values.__getitem__, place[1].split(",")))), node.words
    )


def _field(field: Field, thing: Any) -> str:
    """Return a field's value in words; empty if it is not compared."""
    value = getattr(thing, field.name)
    if field.kind == "times":
        return _often(thing)
    if value is None or value == "" or value == () or (value == 0.0 and isinstance(value, float)):
        return ""
    if field.kind in ("rules", "steps"):
        return field.words.join(words(each) if field.kind == "rules" else step_words(each) for each in value)
    if field.choices:
        return dict(field.choices).get(value if isinstance(value, str) else str(value).lower(), str(value))
    return field.words.format(_SAID[field.kind](value) if field.kind in _SAID else value)


def step_words(step: Step) -> str:
    """Return an event of a sequence in words."""
    return _words(STEP, step)


def where_words(where: Where) -> str:
    """Return the conditions on properties in words, with a space before."""
    return f" ({', '.join(f'{each.name} {comparison_words(each.tests)}' for each in where)})" if where else ""


def comparison_words(tests: tuple[Test, ...]) -> str:
    """Return the comparisons of a value in words."""
    return " and ".join(map(_comparison_word, tests))


def _comparison_word(test: Test) -> str:
    if test.operator == "exists":
        return "is set" if test.value else "is not set"
    operator, value = BY_NAME[test.operator], test.value
    if isinstance(value, tuple):
        return f"{operator.words} {(' and ' if operator.wants == 'numbers' else ', ').join(map(compact, value))}"
    bare = operator.wants in ("span", "occasion") and isinstance(value, str)
    return f"{operator.words} {value if bare else compact(value)}"


def _often(rule: Did) -> str:
    if rule.first_time:
        return " for the first time"
    if rule.at_most is None:
        return f" at least {rule.at_least} times" if rule.at_least > 1 else ""
    if rule.at_most == rule.at_least:
        return f" exactly {'once' if rule.at_most == 1 else f'{rule.at_most} times'}"
    return f"{f' at least {rule.at_least} and' if rule.at_least else ''} at most {rule.at_most} times"


_SAID: Mapping[str, Callable[[Any], str]] = {
    "percent": "{:g}%".format,
    "where": where_words,
    "context": lambda where: " and ".join(f"{each.name} {comparison_words(each.tests)}" for each in where),
    "tests": comparison_words,
    "window": window_words,
    "rule": words,
    "step": step_words,
}


def compact(value: Any) -> str:
    """Return any value as JSON on one line.

    >>> compact({"a": [1, "ü"]}), compact("x")
    ('{"a":[1,"ü"]}', '"x"')
    """
    return msgspec.json.encode(value, enc_hook=str).decode()
