"""Evaluate: whether a rule holds for somebody at a moment, quickly; and why, node by node.

A rule is compiled once into functions that call each other. Of a node that odd data makes fail it is unknown whether it
holds, and so of its negation; a rule of which that is unknown holds for nobody, says so, and is logged. Nothing a
person's events say can raise out of here. A rule does no I/O: what it `Needs` is read before it is asked.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from wetink.core.errors import BadContent
from wetink.core.rules import behavior, traits
from wetink.core.rules.check import WrittenOut, names_of, too_large
from wetink.core.rules.format import spell
from wetink.core.rules.matching import place_of
from wetink.core.rules.tree import (
    Aggregate,
    All,
    AnyOf,
    Did,
    Leaf,
    Member,
    MomentIs,
    Not,
    ProductIs,
    Rule,
    Sequence,
    Share,
    Subject,
)

logger = logging.getLogger(__name__)

COMPILED = 1_024
"""Rules of which a book keeps the functions."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a node: whether it holds, why in words, and the value it saw; then of its parts.

    `rule` is how a node without parts is spelled; the others have their word for it in `node`. What is `unknown` could
    not be told, and does not hold.
    """

    node: str
    holds: bool
    why: str
    saw: Any = None
    rule: dict[str, Any] = {}
    parts: tuple["Finding", ...] = ()
    unknown: bool = False


class Needs(msgspec.Struct, frozen=True):
    """What a rule wants to have looked up before it is asked, beyond the person.

    `events` are the names of the person's own events that it looks into for more than when they happened, and which
    products and orders they name; `EVERY` for all of them.
    """

    root: bool = False
    catalog: bool = False
    feeds: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


NOTHING = Needs()
"""What most rules want: the person is enough."""
EVERY = "*"
EVENTS = Needs(events=frozenset([EVERY]))
"""What rules want that look into all events."""


def together(each: Iterable[Needs]) -> Needs:
    """Return what all of these want."""
    some = [needs for needs in each if needs is not NOTHING]
    if not some:
        return NOTHING
    return Needs(
        any(needs.root for needs in some),
        any(needs.catalog for needs in some),
        frozenset().union(*(needs.feeds for needs in some)),
        frozenset().union(*(needs.events for needs in some)),
    )


class Compiled(msgspec.Struct, frozen=True):
    """A rule as functions."""

    holds: Callable[[Subject], bool]
    explain: Callable[[Subject], Finding]
    needs: Needs = NOTHING


_LEAVES: Mapping[str, Callable[[Any], Leaf]] = {
    "Did": behavior.did,
    "Sequence": behavior.sequence,
    "Aggregate": behavior.aggregate,
    "Trait": traits.trait,
    "Share": traits.share,
    "CartIs": traits.cart,
    "ProductIs": traits.product,
    "Lifecycle": traits.lifecycle,
    "MomentIs": traits.moment,
}
"""Node without parts -> how it is compiled."""


def compiled(rule: Rule, audiences: Mapping[str, Rule] | None = None) -> Compiled:
    """Return the functions of a rule that `check` has passed. Raises BadContent for what means nothing.

    Whoever is in an audience that is not there, or that leads back to itself, is in none.
    """
    if audiences and names_of(rule) and (problem := too_large(*WrittenOut(audiences).size_of(rule))):
        raise BadContent(problem)
    made = _compiled(rule, audiences or {}, frozenset())
    test, explain = made.holds, made.explain

    def holds(subject: Subject) -> bool:
        try:
            return test(subject)
        except Exception:
            logger.debug("a rule is asked node by node", exc_info=True)
            return explain(subject).holds  # which knows what is left to be known, and logs what is not

    return Compiled(holds, explain, made.needs)


def _compiled(rule: Rule, audiences: Mapping[str, Rule], inside: frozenset[str]) -> Compiled:
    if isinstance(rule, All | AnyOf):
        parts = [_compiled(part, audiences, inside) for part in rule.of]
        return _group("all" if isinstance(rule, All) else "any", parts)
    if isinstance(rule, Not):
        return _not(_compiled(rule.of, audiences, inside))
    if isinstance(rule, Member):
        name = rule.name
        if name not in audiences or name in inside:
            return _leaf(Leaf(lambda subject: None, bool, lambda seen: f"there is no audience {name}"), rule)
        return _member(name, _compiled(audiences[name], audiences, inside | {name}))
    return _leaf(_LEAVES[type(rule).__name__](rule), rule)


def _leaf(leaf: Leaf, rule: Rule) -> Compiled:
    see, judge, say = leaf.see, leaf.judge, leaf.say
    spelled = spell(rule)

    def holds(subject: Subject) -> bool:
        return judge(see(subject))

    def explain(subject: Subject) -> Finding:
        try:
            seen = see(subject)
            held, why = judge(seen), say(seen)
        except Exception as error:
            logger.exception("%s cannot be evaluated for somebody", next(iter(spelled)))
            why = f"the data cannot be read for this condition: {error}"
            return Finding(next(iter(spelled)), False, why, None, spelled, unknown=True)
        value = seen[0] if isinstance(seen, tuple) else seen
        return Finding(next(iter(spelled)), held, why, _plain(value), spelled)

    return Compiled(holds, explain, _needs(rule))


def _plain(value: Any) -> Any:
    """Return a value as JSON can have it."""
    if value is None or isinstance(value, str | int | float):
        return value
    return msgspec.to_builtins(value, enc_hook=str)


def _needs(rule: Rule) -> Needs:
    if isinstance(rule, Aggregate | Sequence | Did) and rule.window.visit:
        return EVENTS
    if isinstance(rule, Aggregate | Did):
        asked = [each.name for each in rule.where] + ([rule.property] if isinstance(rule, Aggregate) else [])
        typed = all([place_of(rule.event, name)[0] in ("product", "order") for name in asked])
        return NOTHING if typed else Needs(events=frozenset([rule.event]))
    if isinstance(rule, Sequence):
        return Needs(events=frozenset(step.event for step in (*rule.steps, rule.without) if step is not None))
    if not isinstance(rule, Share | ProductIs | MomentIs):
        return NOTHING
    weather = isinstance(rule, MomentIs) and any(each.name.startswith("weather.") for each in rule.where)
    feeds = frozenset([rule.feed]) if isinstance(rule, MomentIs) and weather else frozenset[str]()
    return Needs(isinstance(rule, Share), isinstance(rule, ProductIs), feeds)


def _group(word: str, parts: list[Compiled]) -> Compiled:
    tests, every = [part.holds for part in parts], word == "all"

    def all_hold(subject: Subject) -> bool:
        for test in tests:  # noqa: SIM110 (a generator costs as much as a test)
            if not test(subject):
                return False
        return True

    def any_holds(subject: Subject) -> bool:
        for test in tests:  # noqa: SIM110 (a generator costs as much as a test)
            if test(subject):
                return True
        return False

    def explain(subject: Subject) -> Finding:
        """Name the parts that decide: those that fail where all must hold, those that hold where one must."""
        found = tuple(part.explain(subject) for part in parts)
        deciding = [each for each in found if each.holds is not every]
        holds = bool(deciding) is not every
        failed = [each.unknown for each in found if not each.holds]
        unknown = not holds and (all(failed) if every else any(failed))
        return Finding(word, holds, "; ".join(each.why for each in deciding or found), parts=found, unknown=unknown)

    return Compiled(all_hold if every else any_holds, explain, together(part.needs for part in parts))


def _not(part: Compiled) -> Compiled:
    test = part.holds

    def explain(subject: Subject) -> Finding:
        found = part.explain(subject)
        return Finding("not", not found.holds and not found.unknown, found.why, parts=(found,), unknown=found.unknown)

    return Compiled(lambda subject: not test(subject), explain, part.needs)


def _member(name: str, part: Compiled) -> Compiled:
    def explain(subject: Subject) -> Finding:
        found = part.explain(subject)
        said = "is in" if found.holds else "is not in"
        return Finding("audience", found.holds, f"{said} {name}: {found.why}", parts=(found,), unknown=found.unknown)

    return Compiled(part.holds, explain, part.needs)


class Rulebook:
    """Compiles rules as they are asked for, and keeps what came of it. `audiences` are the saved ones, by name."""

    def __init__(self, audiences: Mapping[str, Rule] | None = None) -> None:
        self.audiences: Mapping[str, Rule] = audiences or {}
        self._kept: dict[int, tuple[Rule, Compiled]] = {}

    def of(self, rule: Rule) -> Compiled:
        """Return the functions of a rule. One that means nothing holds for nobody."""
        kept = self._kept.get(id(rule))
        if kept is not None:
            return kept[1]
        if len(self._kept) >= COMPILED:
            self._kept.clear()
        try:
            made = compiled(rule, self.audiences)
        except Exception as error:
            logger.warning("a rule cannot be used", exc_info=True)
            why = f"the rule cannot be used: {error}"
            made = Compiled(lambda subject: False, lambda subject: Finding("rule", False, why, unknown=True))
        self._kept[id(rule)] = rule, made  # with the rule itself, so that nothing else gets its id
        return made
