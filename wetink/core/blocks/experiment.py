"""Experiment: shows a block's variants to different people at random, and nothing personal to a holdout.

An arm is a set of variants. A variant of some arms is shown only in those, any other in all of them. A person's arm is
drawn from the experiment's seed and the person: always the same, and independent of other experiments. The stored first
exposure goes before the draw.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.errors import BadContent
from wetink.core.units.bucketing import bucket, fraction
from wetink.core.units.duration import parse

HOLDOUT, PERSONALIZED, EVERYWHERE = "holdout", "personalized", "everywhere"
"""The arm without personalization; the only other arm of an experiment without arms; the experiment over all blocks."""

REWARDS = {"clicks": "recipients who click", "revenue": "revenue of a recipient"}


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One treatment of people. Without shares, all arms have the same size."""

    name: str
    variants: tuple[str, ...]
    share: str = ""


class Bandit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Shares that follow results: an arm gets new people in proportion to its chance to be the best."""

    reward: str = "clicks"
    every: str = "1h"
    """How often the shares are computed."""
    least: str = "5%"
    """Minimum share of each arm, so that it can show an improvement."""


class Experiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An experiment within one block. Without arms, it compares the block's variants with the holdout."""

    name: str = ""
    """Empty: the block's name."""
    seed: str = ""
    """A new seed draws all arms again. Empty: the name."""
    arms: tuple[Arm, ...] = ()
    holdout: str = ""
    """Share of people who get the block's control, else its fallback."""
    bandit: Bandit | None = None
    worth: str = "10%"
    """The smallest difference that matters, as a share of the control's rate."""


class Plan(msgspec.Struct, frozen=True):
    """An experiment with computed shares of the people outside the holdout. `variants` has each arm's own."""

    name: str
    seed: str
    holdout: float
    shares: dict[str, float]
    variants: dict[str, frozenset[str]]
    worth: float
    bandit: Bandit | None = None

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, the control first."""
        return ((HOLDOUT,) if self.holdout else ()) + tuple(self.shares)

    def expected(self) -> dict[str, float]:
        """Return each arm's expected share of all people."""
        rest = {arm: share * (1 - self.holdout) for arm, share in self.shares.items()}
        return {HOLDOUT: self.holdout, **rest} if self.holdout else rest


class Exposure(msgspec.Struct, frozen=True):
    """A recipient's arm, the time of exposure (Unix ms), and the earlier recipient that it was taken from.

    `seen` is the first open that counts as a person's, `clicked` the first such click; None without one. `heir_of` is
    the recipient that is the same person and was exposed earlier; empty if this is the person's first.
    """

    experiment: str
    recipient: str
    arm: str
    at: int
    person: str = ""
    heir_of: str = ""
    seen: int | None = None
    clicked: int | None = None


@lru_cache(maxsize=1_000)
def planned(experiment: Experiment, block: str) -> Plan:
    """Return the plan of a block's valid experiment."""
    name = experiment.name or block
    arms = experiment.arms
    shares = {arm.name: float(fraction(arm.share)) if arm.share else 1 / len(arms) for arm in arms}
    return Plan(
        name,
        experiment.seed or name,
        float(fraction(experiment.holdout)) if experiment.holdout else 0.0,
        shares or {PERSONALIZED: 1.0},
        {arm.name: frozenset(arm.variants) for arm in arms},
        float(fraction(experiment.worth)),
        experiment.bandit,
    )


@lru_cache(maxsize=100)
def everywhere(share: str, seed: str) -> Plan:
    """Return the plan of the global holdout."""
    return Plan(EVERYWHERE, seed, float(fraction(share)), {PERSONALIZED: 1.0}, {}, 0.1)


def drawn(plan: Plan, person: str, shares: Mapping[str, float] | None = None, epoch: int = 0) -> str:
    """Return the arm drawn for a person. `shares` are a bandit's shares in an epoch, and replace the plan's.

    >>> plan = planned(Experiment(arms=(Arm("a", ("x",)), Arm("b", ("y",)))), "hero")
    >>> drawn(plan, "user:1") == drawn(plan, "user:1")
    True
    """
    if plan.holdout and bucket(plan.seed, HOLDOUT, person) < plan.holdout:
        return HOLDOUT
    point = bucket(plan.seed, "arm", person, str(epoch)) if shares is not None else bucket(plan.seed, "arm", person)
    chosen = plan.shares if shares is None else {arm: shares.get(arm, 0.0) for arm in plan.shares}
    reached, last = 0.0, ""
    for arm, share in chosen.items():
        reached += share
        last = arm
        if point < reached:
            return arm
    return last


def inherited(found: Mapping[str, Exposure]) -> Exposure | None:
    """Return the person's first exposure among those of all identifiers; None without one."""
    return min(found.values(), key=lambda each: (each.at, each.heir_of != "", each.recipient), default=None)


def allowed(variants: tuple[Any, ...], plan: Plan, arm: str, control: str) -> tuple[Any, ...]:
    """Return the variants of an arm, in order."""
    if arm == HOLDOUT:
        return tuple(variant for variant in variants if variant.name == control)
    bound = {name for names in plan.variants.values() for name in names}
    mine = plan.variants.get(arm, frozenset())
    return tuple(variant for variant in variants if variant.name in mine or variant.name not in bound)


def problems_of(experiment: Experiment, variants: tuple[str, ...]) -> Iterator[str]:
    """Yield the problems with a block's experiment, each with its place."""
    yield from _wrong_arms(experiment, variants)
    yield from _wrong_shares(experiment)
    if len(experiment.arms) == 1 or not (experiment.arms or experiment.holdout):
        yield "experiment: nothing to compare; add at least two arms, or a holdout"
    try:
        if fraction(experiment.worth) == 0:
            yield "experiment.worth: more than 0%"
    except BadContent as error:
        yield f"experiment.worth: {error}; {error.hint}"
    if experiment.bandit is not None:
        yield from _wrong_with_bandit(experiment, experiment.bandit)


def _wrong_arms(experiment: Experiment, variants: tuple[str, ...]) -> Iterator[str]:
    names = [arm.name for arm in experiment.arms]
    for index, arm in enumerate(experiment.arms):
        place = f"experiment.arms[{index}]"
        if not arm.name.strip() or arm.name in (HOLDOUT, PERSONALIZED):
            yield f"{place}.name: an arm needs its own name, other than {HOLDOUT} and {PERSONALIZED}"
        if names.count(arm.name) > 1:
            yield f"{place}.name: there are several arms called {arm.name}"
        if not arm.variants:
            yield f"{place}.variants: an arm needs a variant; for an arm that shows nothing, use a holdout"
        for name in arm.variants:
            if name not in variants:
                yield f"{place}.variants: there is no variant called {name}"


def _wrong_shares(experiment: Experiment) -> Iterator[str]:
    shares = [arm.share for arm in experiment.arms if arm.share]
    try:
        total = sum(fraction(share) for share in shares)
        held = fraction(experiment.holdout) if experiment.holdout else 0
    except BadContent as error:
        yield f"experiment: {error}; {error.hint}"
        return
    if experiment.holdout and not 0 < held < 1:
        yield "experiment.holdout: more than 0 % and less than 100 %"
    if shares and len(shares) < len(experiment.arms):
        yield "experiment.arms: either all arms need a share, or none"
    elif shares and total != 1:
        percent = f"{float(total) * 100:.4g}%"
        yield f"experiment.arms: the shares are {percent} in all, not 100% (of those who are not held out)"


def _wrong_with_bandit(experiment: Experiment, bandit: Bandit) -> Iterator[str]:
    if len(experiment.arms) < 2:
        yield "experiment.bandit: it needs at least two arms"
    if any(arm.share for arm in experiment.arms):
        yield "experiment.arms: a bandit sets the shares; remove them"
    if bandit.reward not in REWARDS:
        yield f"experiment.bandit.reward: there is no {bandit.reward!r}; there are {', '.join(REWARDS)}"
    try:
        parse(bandit.every)
    except BadContent as error:
        yield f"experiment.bandit.every: {error}; {error.hint}"
    try:
        if fraction(bandit.least) * max(len(experiment.arms), 1) >= 1:
            yield "experiment.bandit.least: the minimum shares add up to 100% or more"
    except BadContent as error:
        yield f"experiment.bandit.least: {error}; {error.hint}"


def cut(block: Any, plan: Plan, arm: str) -> Any:
    """Return a block with the variants of an arm."""
    return replace(block, variants=allowed(block.variants, plan, arm, block.control))
