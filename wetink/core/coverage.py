"""Coverage: what a block would show real people, and which values its templates use that some of them lack."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.block import Block, Decision
from wetink.core.rule import look_up

MOST_REASONS = 5

_VALUE = re.compile(r"person\.traits\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)((?:(?!\}\}|%\}).)*)", re.DOTALL)
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")


class Group(msgspec.Struct, frozen=True):
    """People who would see the same variant (empty: the fallback) for the same reason."""

    variant: str
    people: int
    why: str


class Lack(msgspec.Struct, frozen=True):
    """A value that templates use, how many people have none, and whether the template says what stands there then."""

    value: str
    people: int
    default: bool


class Coverage(msgspec.Struct, frozen=True):
    """Of so many people, who would see what."""

    people: int
    groups: tuple[Group, ...]
    lacking: tuple[Lack, ...]


class Seen(msgspec.Struct, frozen=True):
    """What one person would see, and their traits."""

    decision: Decision
    traits: Mapping[str, Any]


def values_of(template: str) -> dict[str, bool]:
    """Return the traits a template uses, and whether each has a default wherever it is used.

    >>> values_of("Hi {{ person.traits.name | default: 'you' }}{{ person.traits.address.city }}")
    {'name': True, 'address.city': False}
    """
    found: dict[str, bool] = {}
    for use in _VALUE.finditer(template):
        found[use[1]] = found.get(use[1], True) and "default" in use[2]
    return found


def coverage(block: Block, seen: Sequence[Seen], templates: Mapping[str, str]) -> Coverage:
    """Sum up what people would see; `templates` are the texts by variant.

    Reasons that differ in numbers alone are one. A value counts as lacking for who would see a template that uses it.
    """
    groups: Counter[tuple[str, str]] = Counter((each.decision.variant, _why(each.decision)) for each in seen)
    lacking: Counter[tuple[str, bool]] = Counter()
    for each in seen:
        for value, default in values_of(templates.get(each.decision.variant, "")).items():
            if look_up(each.traits, value) in (None, ""):
                lacking[value, default] += 1
    order = {variant.name: place for place, variant in enumerate(block.variants)}
    return Coverage(
        len(seen),
        tuple(
            Group(variant, people, why)
            for (variant, why), people in sorted(
                _most(groups), key=lambda each: (order.get(each[0][0], len(order)), -each[1], each[0])
            )
        ),
        tuple(
            Lack(value, people, default)
            for (value, default), people in sorted(lacking.items(), key=lambda each: (-each[1], each[0]))
        ),
    )


def _most(groups: Counter[tuple[str, str]]) -> Iterable[tuple[tuple[str, str], int]]:
    """Yield the groups, of each variant the greatest and the rest of them together."""
    for variant in {variant for variant, _ in groups}:
        own = Counter({why: people for (name, why), people in groups.items() if name == variant}).most_common()
        yield from (((variant, why), people) for why, people in own[:MOST_REASONS])
        if rest := sum(people for _, people in own[MOST_REASONS:]):
            yield (variant, "other reasons"), rest


def _why(decision: Decision) -> str:
    """Return why the first variant was not taken, empty when it was."""
    first = decision.trace[0] if decision.trace else None
    return "" if first is None or first.taken else _NUMBERS.sub("…", first.why)
