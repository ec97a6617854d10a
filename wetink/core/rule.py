"""Rules: whether a condition holds for a person, and why. Signals, as far as one variant needs them."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import msgspec

from wetink.core.block import Condition
from wetink.core.person import Person
from wetink.core.span import parse


def holds(condition: Condition, person: Person, now: int) -> tuple[bool, str]:
    """Return whether a condition holds at `now` (Unix ms), and the reason in words.

    >>> seen = Person(done={"Product Viewed": (1_000, 2_000)})
    >>> holds(Condition(done="Product Viewed", at_least=2), seen, 5_000)
    (True, 'did Product Viewed 2 times')
    >>> holds(Condition(not_done="Product Viewed", within="1s"), seen, 5_000)
    (True, 'did not do Product Viewed within 1s')
    """
    if condition.trait:
        return _trait(condition, person.traits)
    name = condition.done or condition.not_done
    times = _times(person, name, condition.within, now)
    window = f" within {condition.within}" if condition.within else ""
    if condition.done:
        done = times >= condition.at_least
        if times == 0:
            return done, f"did not do {name}{window}"
        missing = "" if done else f", not {condition.at_least}"
        return done, f"did {name} {_often(times)}{window}{missing}"
    if times < condition.at_least:
        return True, f"did not do {name}{window}" if times == 0 else f"did {name} only {_often(times)}{window}"
    return False, f"did {name} {_often(times)}{window}"


def _times(person: Person, name: str, within: str, now: int) -> int:
    done = person.done.get(name, ())
    if not within:
        return len(done)
    return len(done) - bisect_left(done, now - parse(within))


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _trait(condition: Condition, traits: Mapping[str, Any]) -> tuple[bool, str]:
    found = look_up(traits, condition.trait)
    said = f"trait {condition.trait} is {_shown(found)}"
    if condition.exists is not None:
        return (found is not None) is condition.exists, said
    if condition.one_of:
        return any(_alike(found, wanted) for wanted in condition.one_of), said
    return _alike(found, condition.equals), said


def look_up(traits: Mapping[str, Any], path: str) -> Any:
    """Return a trait by name, else step by step along the dots of `address.city`; None when there is none."""
    if path in traits:
        return traits[path]
    found: Any = traits
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def _alike(found: Any, wanted: Any) -> bool:
    """Equal, where a number and its digits are one, and letters' case does not count: senders vary in both."""
    if found is None or isinstance(found, Mapping):
        return False
    if isinstance(found, list):
        return any(_alike(each, wanted) for each in found)
    if isinstance(found, bool) or isinstance(wanted, bool):
        return str(found).lower() == str(wanted).lower()
    return bool(found == wanted) or _written(found) == _written(wanted)


def _written(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip().lower()


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"
