"""Evaluate: whether a rule matches somebody at a moment, fast; and why, node by node.

A rule is compiled once into functions that call each other. If odd data makes a node fail, it is unknown whether the
node matches, and so is its negation. A rule with an unknown result matches nobody, says so, and is logged. A person's
data can never raise an error out of here. A rule does no I/O: the caller first reads what it `Needs`.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from wetink.core.errors import BadContent
from wetink.core.rules import behavior, traits
from wetink.core.rules.check import AudienceSizes, names_of, too_large
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
"""Rules whose functions a rulebook keeps."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a node: whether it matches, why, and the value it saw; then its parts.

    `rule` spells a node without parts; for others, `node` is its word. An `unknown` result does not match.
    """

    node: str
    holds: bool
    why: str
    saw: Any = None
    rule: dict[str, Any] = {}
    parts: tuple["Finding", ...] = ()
    unknown: bool = False


class Needs(msgspec.Struct, frozen=True):
    """What a rule reads beyond the person, to be looked up in advance.

    `events` are the names of the person's events from which it reads more than times, products and orders; `EVERY` for
    all. `history` says whether it reads products or orders of past events, or all views.
    """

    root: bool = False
    catalog: bool = False
    feeds: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    history: bool = False


NOTHING = Needs()
"""The needs of most rules: the person is enough."""
EVERY = "*"
EVENTS = Needs(events=frozenset([EVERY]))
"""The needs of rules that read all events."""


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
        any(needs.history for needs in some),
    )


class Compiled(msgspec.Struct, frozen=True):
    """A rule as functions. `leaf` is that of a rule without parts."""

    holds: Callable[[Subject], bool]
    explain: Callable[[Subject], Finding]
    needs: Needs = NOTHING
    leaf: Leaf | None = None

    def judge(self, subject: Subject) -> tuple[bool, str]:
        """Return whether the rule matches, and why, as `explain` does."""
        if self.leaf is not None:
            try:
                seen = self.leaf.see(subject)
                return self.leaf.judge(seen), self.leaf.describe(seen)
            except Exception:
                logger.debug("a rule is evaluated again, to say what is wrong", exc_info=True)
        found = self.explain(subject)
        return found.holds, found.why


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
    """Return the functions of a rule that `check` has accepted. Raises BadContent if it makes no sense.

    Nobody is in an audience that does not exist or that leads back to itself.
    """
    if audiences and names_of(rule) and (problem := too_large(*AudienceSizes(audiences).size_of(rule))):
        raise BadContent(problem)
    made = _compiled(rule, audiences or {}, frozenset())
    test, explain = made.holds, made.explain

    def holds(subject: Subject) -> bool:
        try:
            return test(subject)
        except Exception:
            logger.debug("a rule is evaluated node by node", exc_info=True)
            return explain(subject).holds  # which finds the parts that can still be evaluated, and logs the others

    return Compiled(holds, explain, made.needs, made.leaf)


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
    see, judge, describe = leaf.see, leaf.judge, leaf.describe
    spelled = spell(rule)
    word = next(iter(spelled))

    def holds(subject: Subject) -> bool:
        return judge(see(subject))

    def explain(subject: Subject) -> Finding:
        try:
            seen = see(subject)
            held, why = judge(seen), describe(seen)
        except Exception as error:
            logger.exception("%s cannot be evaluated for somebody", word)
            why = f"the data cannot be read for this condition: {error}"
            return Finding(word, False, why, None, spelled, unknown=True)
        value = seen[0] if isinstance(seen, tuple) else seen
        return Finding(word, held, why, _plain(value), spelled)

    return Compiled(holds, explain, _needs(rule), leaf)


def _plain(value: Any) -> Any:
    """Return a value as JSON can represent it."""
    if value is None or isinstance(value, str | int | float):
        return value
    return msgspec.to_builtins(value, enc_hook=str)


def _needs(rule: Rule) -> Needs:
    if isinstance(rule, Aggregate | Sequence | Did) and rule.window.visit:
        return EVENTS
    if isinstance(rule, Aggregate | Did):
        named = [each.name for each in rule.where] + ([rule.property] if isinstance(rule, Aggregate) else [])
        typed = all([place_of(rule.event, name)[0] in ("product", "order") for name in named])
        if not named:
            return NOTHING
        return Needs(history=True) if typed else Needs(events=frozenset([rule.event]), history=True)
    if isinstance(rule, Sequence):
        return Needs(events=frozenset(step.event for step in (*rule.steps, rule.without) if step is not None))
    if not isinstance(rule, Share | ProductIs | MomentIs):
        return NOTHING
    weather = isinstance(rule, MomentIs) and any(each.name.startswith("weather.") for each in rule.where)
    feeds = frozenset([rule.feed]) if isinstance(rule, MomentIs) and weather else frozenset[str]()
    return Needs(isinstance(rule, Share), isinstance(rule, ProductIs), feeds, history=isinstance(rule, ProductIs))


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
        """Name the parts that decide: those that fail if all must match, those that match if one must."""
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
        verb = "is in" if found.holds else "is not in"
        return Finding("audience", found.holds, f"{verb} {name}: {found.why}", parts=(found,), unknown=found.unknown)

    return Compiled(part.holds, explain, part.needs)


class Rulebook:
    """Compiles rules on demand and keeps the result. `audiences` are the saved ones, by name."""

    def __init__(self, audiences: Mapping[str, Rule] | None = None) -> None:
        self.audiences: Mapping[str, Rule] = audiences or {}
        self._compiled: dict[int, tuple[Rule, Compiled]] = {}

    def of(self, rule: Rule) -> Compiled:
        """Return the functions of a rule. A rule that makes no sense matches nobody."""
        kept = self._compiled.get(id(rule))
        if kept is not None:
            return kept[1]
        if len(self._compiled) >= COMPILED:
            self._compiled.clear()
        try:
            made = compiled(rule, self.audiences)
        except Exception as error:
            logger.warning("a rule cannot be used", exc_info=True)
            why = f"the rule cannot be used: {error}"
            made = Compiled(lambda subject: False, lambda subject: Finding("rule", False, why, unknown=True))
        self._compiled[id(rule)] = rule, made  # with the rule, so that no other object gets its ID
        return made
