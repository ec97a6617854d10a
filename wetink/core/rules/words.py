"""Words: what a rule asks for, as one says it."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from wetink.core.rules.nodes import STEP, Field, Node, node_of
from wetink.core.rules.operators import BY_NAME
from wetink.core.rules.tree import Did, Rule, Step, Test, Where
from wetink.core.rules.window import said

_PLACES = re.compile(r"\{([a-z_,]+)\}")


def words(rule: Rule) -> str:
    """Say what a rule asks for.

    >>> from wetink.core.rules.parse import parse
    >>> words(parse({"done": "Product Viewed", "within": "7d", "at_least": 2}))
    'did Product Viewed at least 2 times within 7d'
    >>> words(parse({"trait": "plan", "one_of": ["gold", "silver"]})), words(parse({"trait": "city", "exists": False}))
    ('trait plan is one of "gold", "silver"', 'trait city is not set')
    """
    return _words(node_of(rule), rule)


def _words(node: Node, thing: Any) -> str:
    told = {field.name: _field(field, thing) for field in node.fields}
    return _PLACES.sub(lambda place: " and ".join(filter(None, map(told.__getitem__, place[1].split(",")))), node.words)


def _field(field: Field, thing: Any) -> str:
    """Say a field's value; nothing where it is not asked for."""
    value = getattr(thing, field.name)
    if field.kind == "times":
        return _often(thing)
    if value is None or value == "" or value == () or (value == 0.0 and isinstance(value, float)):
        return ""
    if field.kind in ("rules", "steps"):
        return field.words.join(words(each) if field.kind == "rules" else step_of(each) for each in value)
    if field.choices:
        return dict(field.choices).get(value if isinstance(value, str) else str(value).lower(), str(value))
    return field.words.format(_SAID[field.kind](value) if field.kind in _SAID else value)


def step_of(step: Step) -> str:
    """Say an event of a sequence."""
    return _words(STEP, step)


def where_of(where: Where) -> str:
    """Say what is asked of properties, with a space before."""
    return f" ({', '.join(f'{each.name} {asked_of(each.tests)}' for each in where)})" if where else ""


def asked_of(tests: tuple[Test, ...]) -> str:
    """Say what is asked of a value."""
    return " and ".join(map(_asked, tests))


def _asked(test: Test) -> str:
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
    "where": where_of,
    "context": lambda where: " and ".join(f"{each.name} {asked_of(each.tests)}" for each in where),
    "tests": asked_of,
    "window": said,
    "rule": words,
    "step": step_of,
}


def compact(value: Any) -> str:
    """Write any value on one line, as JSON.

    >>> compact({"a": [1, "ü"]}), compact("x")
    ('{"a":[1,"ü"]}', '"x"')
    """
    return msgspec.json.encode(value, enc_hook=str).decode()
