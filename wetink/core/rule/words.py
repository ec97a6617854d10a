"""Words: what a rule asks for, as one says it."""

from typing import Any

import msgspec

from wetink.core.rule.operators import BY_NAME
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
    Test,
    Trait,
    Where,
)
from wetink.core.rule.window import said

INTERESTS = {
    "viewed": "a product they viewed",
    "in_cart": "a product in their cart",
    "wished": "a product they wished for",
    "any": "a product they viewed, put in the cart or wished for",
}


def words(rule: Rule) -> str:  # noqa: C901 (a case for each kind of node)
    """Say what a rule asks for.

    >>> from wetink.core.rule.parse import parse
    >>> words(parse({"done": "Product Viewed", "within": "7d", "at_least": 2}))
    'did Product Viewed at least 2 times within 7d'
    >>> words(parse({"trait": "plan", "one_of": ["gold", "silver"]})), words(parse({"trait": "city", "exists": False}))
    ('trait plan is one of "gold", "silver"', 'trait city is not set')
    """
    match rule:
        case All(of):
            return f"({' and '.join(map(words, of))})"
        case AnyOf(of):
            return f"({' or '.join(map(words, of))})"
        case Not(that):
            return f"not {words(that)}"
        case Did():
            did = "did not do" if rule.negated else "did"
            return f"{did} {rule.event}{where_of(rule.where)}{_often(rule)}{said(rule.window)}"
        case Sequence(steps, within, without, window):
            told = " then ".join(f"{step.event}{where_of(step.where)}" for step in steps)
            more = f" within {within}" if within else ""
            more += f" without {without.event}{where_of(without.where)} between" if without is not None else ""
            return f"did {told}{more}{said(window)}"
        case Aggregate():
            return f"{figure_of(rule)}{said(rule.window)} {asked_of(rule.tests)}"
        case Trait(name, tests):
            return f"trait {name} {asked_of(tests)}"
        case Member(audience):
            return f"is in {audience}"
        case Share(percent, start, _):
            return f"is in {percent:g}% of all people{f' from {start:g}%' if start else ''}"
        case CartIs(value, items, age, contains):
            asked = [f"{name} {asked_of(tests)}" for name, tests in
                     (("worth", value), ("pieces", items), ("age", age)) if tests]  # fmt: skip
            asked += [f"contains a product{where_of(contains)}"] if contains else []
            return f"cart: {' and '.join(asked)}"
        case ProductIs(interest, where, within, fell, back, low):
            became = [f"costs at least {fell:g}% less"] if fell is not None else []
            became += ["is back in stock" if back else "is not back in stock"] if back is not None else []
            became += [f"has at most {low} left"] if low is not None else []
            span = f" within {within}" if within else ""
            return f"{INTERESTS.get(interest, interest)}{where_of(where)}{span} {' and '.join(became)}"
        case Lifecycle(stage, new_for, lapsed_after):
            return f"is {stage} (new for {new_for}, lapsed after {lapsed_after})"
        case _:
            return " and ".join(f"{each.name} {asked_of(each.tests)}" for each in rule.where)


def figure_of(rule: Aggregate) -> str:
    """Say what a figure is over."""
    return f"{rule.figure} of {rule.property} of {rule.event}{where_of(rule.where)}"


def where_of(where: Where) -> str:
    """Say what is asked of properties, with a space before."""
    return f" ({', '.join(f'{each.name} {asked_of(each.tests)}' for each in where)})" if where else ""


def asked_of(tests: tuple[Test, ...]) -> str:
    """Say what is asked of a value."""
    return " and ".join(map(_asked, tests))


def _asked(test: Test) -> str:
    if test.operator == "exists":
        return "is set" if test.value else "is not set"
    operator = BY_NAME.get(test.operator)
    value = test.value
    if test.operator == "between" and isinstance(value, tuple):
        told = " and ".join(map(compact, value))
    elif isinstance(value, tuple):
        told = ", ".join(map(compact, value))
    else:
        told = (
            value if test.operator in ("within", "ahead", "anniversary") and isinstance(value, str) else compact(value)
        )
    return f"{operator.words if operator is not None else test.operator} {told}"


def _often(rule: Did) -> str:
    if rule.first_time:
        return " for the first time"
    if rule.at_most is None:
        return f" at least {rule.at_least} times" if rule.at_least > 1 else ""
    if rule.at_most == rule.at_least:
        return f" exactly {'once' if rule.at_most == 1 else f'{rule.at_most} times'}"
    return f"{f' at least {rule.at_least} and' if rule.at_least else ''} at most {rule.at_most} times"


def compact(value: Any) -> str:
    """Write any value on one line, as JSON.

    >>> compact({"a": [1, "ü"]}), compact("x")
    ('{"a":[1,"ü"]}', '"x"')
    """
    return msgspec.json.encode(value, enc_hook=str).decode()
