"""Coverage: the variants that real people would see, and the template values that some of them lack."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.blocks.block import Block, Decision
from wetink.core.rules.values import look_up

MOST_REASONS, MOST_CHARACTERS = 5, 10

_TRAIT = re.compile(r"person\.traits\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_USE = re.compile(r"\{\{(.*?)\}\}|\{%-?\s*assign\b(.*?)%\}", re.DOTALL)
_QUESTION = re.compile(r"\{%-?\s*(?:if|elsif|unless|case)\b(.*?)%\}", re.DOTALL)
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")


class Group(msgspec.Struct, frozen=True):
    """The number of people who would see the same variant (empty: the fallback) for the same reason."""

    variant: str
    people: int
    why: str


class Lack(msgspec.Struct, frozen=True):
    """A template value, the number of people without it, and whether the template has a default for it."""

    value: str
    people: int
    default: bool


class Coverage(msgspec.Struct, frozen=True):
    """The groups and missing values among this number of people."""

    people: int
    groups: tuple[Group, ...]
    lacking: tuple[Lack, ...]
    undrawn: tuple[tuple[str, int], ...] = ()
    """Characters of names that no font has, each with the number of people who would see a box."""


class Seen(msgspec.Struct, frozen=True):
    """One person's decision and traits."""

    decision: Decision
    traits: Mapping[str, Any]


def values_of(template: str) -> dict[tuple[str, ...], bool]:
    """Return the traits that a template shows, and whether it has a default for each, or tests it first.

    Alternative traits are one value, which is present if one of them is.

    >>> values_of("Hi {{ person.traits.name | default: person.traits.nick | default: 'you' }}{{ person.traits.tier }}")
    {('name', 'nick'): True, ('tier',): False}
    """
    tested = {name for question in _QUESTION.findall(template) for name in _TRAIT.findall(question)}
    found: dict[tuple[str, ...], bool] = {}
    for use in _USE.finditer(template):
        expression = use[1] or use[2] or ""
        names = tuple(dict.fromkeys(_TRAIT.findall(expression)))
        if names:
            settled = expression.count("default") >= len(names) or tested >= set(names)
            found[names] = found.get(names, True) and settled
    return found


def coverage(
    block: Block,
    seen: Sequence[Seen],
    templates: Mapping[str, str],
    missing: Callable[[str], str] = lambda text: "",
) -> Coverage:
    """Return the coverage of these people. `templates` are the texts by variant.

    Reasons that differ only in numbers are one. A value is missing for people who would see a template that uses it.
    `missing` returns the characters of a text that cannot be drawn.
    """
    groups: Counter[tuple[str, str]] = Counter((each.decision.variant, _why(each.decision)) for each in seen)
    values = {each.decision.variant: values_of(templates.get(each.decision.variant, "")) for each in seen}
    lacking: Counter[tuple[str, bool]] = Counter()
    for each in seen:
        for names, default in values[each.decision.variant].items():
            if all(look_up(each.traits, name) in (None, "") for name in names):
                lacking[" or ".join(names), default] += 1
    undrawn: Counter[str] = Counter()
    for each in seen:
        shown = [item.name for item in each.decision.items]
        for names in values[each.decision.variant]:
            shown += [str(look_up(each.traits, name) or "") for name in names]
        undrawn.update(set(missing(" ".join(shown))))
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
        tuple(undrawn.most_common(MOST_CHARACTERS)),
    )


def _most(groups: Counter[tuple[str, str]]) -> Iterable[tuple[tuple[str, str], int]]:
    """Yield the largest groups of each variant, and its other groups combined."""
    for variant in {variant for variant, _ in groups}:
        own = Counter({why: people for (name, why), people in groups.items() if name == variant}).most_common()
        yield from (((variant, why), people) for why, people in own[:MOST_REASONS])
        if rest := sum(people for _, people in own[MOST_REASONS:]):
            yield (variant, "other reasons"), rest


def _why(decision: Decision) -> str:
    """Return the reason why the first variant was not chosen; empty if it was."""
    first = decision.trace[0] if decision.trace else None
    return "" if first is None or first.taken else _NUMBERS.sub("…", first.why)
