"""Lift: what an arm brings more than another, with intervals that hold however often one looks.

Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences" (arXiv 2103.06476), Theorem 2.2 for means and section 3 for the effect in a randomized experiment. For one
arm of unit variance the bounds are Robbins's (1970) normal mixture.

Recipients count from their first exposure, in the arm they were drawn for, whatever they saw later (intent to treat).
"""

import math
from typing import Literal

import msgspec

ALPHA = 0.05
"""How often an interval may miss the truth at some look, ever."""

BEST_AT = 5_000
"""The number of recipients at which the intervals are narrowest, chosen before any data."""

FEW_RECIPIENTS, FEW_CONVERSIONS = 100, 25
"""Of each arm: below these the normal law that the intervals rest on does not hold well enough to say anything."""

MOST = 10**10
"""Recipients beyond which nobody waits."""


class Sample(msgspec.Struct, frozen=True):
    """What came of an arm's recipients: their number, the sum of their values and of the squares of these."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    positive: int = -1
    """How many have any value; -1: as many as the total says, each being 1."""

    @property
    def mean(self) -> float:
        """The value of a recipient; 0 without any."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """How much recipients differ, unbiased; 0 for fewer than two."""
        if self.n < 2:
            return 0.0
        return max(self.squares - self.n * self.mean**2, 0.0) / (self.n - 1)

    @property
    def conversions(self) -> int:
        """How many recipients have any value."""
        return self.positive if self.positive >= 0 else round(self.total)


def counted(n: int, successes: int) -> Sample:
    """Return the sample of `n` recipients of whom some did it."""
    return Sample(n, float(successes), float(successes))


class Lift(msgspec.Struct, frozen=True):
    """An arm beside the control. `low` and `high` bound the difference of their means at every look, together."""

    arm: str
    control: str
    difference: float
    low: float
    high: float
    base: float
    """The control's mean."""
    verdict: Literal["too little data", "better", "worse", "alike", "open"]
    recipients: int
    needed: int | None = None
    """Recipients of both in all to tell a difference that matters; None when that cannot be known yet."""

    @property
    def relative(self) -> tuple[float, float, float] | None:
        """The difference and its bounds as parts of the control's mean as measured; None where that is 0.

        Nobody clicks or orders less than never, so none is below -1: cutting the bounds there leaves out nothing true.
        """
        if self.base <= 0:
            return None
        middle, low, high = (max(each / self.base, -1.0) for each in (self.difference, self.low, self.high))
        return middle, low, high


def rho(alpha: float = ALPHA, best_at: float = BEST_AT) -> float:
    """Return the mixture's scale whose bounds are narrowest at `best_at` recipients. Source: section 2.3 there.

    >>> round(rho(0.05, 1), 3)
    2.817
    """
    quantile = -2 * math.log(alpha)
    return math.sqrt((quantile + math.log(quantile + 1)) / best_at)


def radius(n: float, alpha: float = ALPHA, scale: float | None = None) -> float:
    """Return half the width of the interval of a mean of `n` values of variance 1, equation (5) there.

    >>> radius(10_000) > radius(40_000) > 1.96 / 200
    True
    """
    squared = (scale if scale is not None else rho(alpha)) ** 2
    spread = n * squared + 1
    return math.sqrt(2 * spread / (n * n * squared) * math.log(math.sqrt(spread) / alpha))


def lift(
    arm: str,
    treatment: Sample,
    control_arm: str,
    control: Sample,
    *,
    worth: float,
    alpha: float = ALPHA,
    adaptive: bool = False,
) -> Lift:
    """Return what an arm brings beside the control. `worth` is the part of the control's mean that matters.

    With `adaptive`, as of a bandit whose shares follow the data, each arm gets an interval of its own in its own number
    of recipients, which holds whatever decides when it grows; the difference's is what both allow.
    """
    n = treatment.n + control.n
    few = any(
        each.n < FEW_RECIPIENTS or each.conversions < FEW_CONVERSIONS or each.variance == 0
        for each in (treatment, control)
    )
    difference = treatment.mean - control.mean
    half = _half(treatment, control, 1.0, alpha, adaptive=adaptive) if treatment.n and control.n else math.inf
    matters = worth * control.mean
    low, high = difference - half, difference + half
    if few:
        verdict: Literal["too little data", "better", "worse", "alike", "open"] = "too little data"
    elif low > 0:
        verdict = "better"
    elif high < 0:
        verdict = "worse"
    else:
        verdict = "alike" if -matters < low and high < matters else "open"
    needed = None
    if verdict in ("too little data", "open"):
        needed = _needed(treatment, control, matters, alpha, adaptive=adaptive)
    return Lift(arm, control_arm, difference, low, high, control.mean, verdict, n, needed)


def _half(treatment: Sample, control: Sample, times: float, alpha: float, *, adaptive: bool) -> float:
    """Half the width with `times` as many recipients, all else as it is."""
    if adaptive:
        return sum(
            math.sqrt(each.variance) * radius(each.n * times, alpha / 2, rho(alpha / 2, BEST_AT / 2))
            for each in (treatment, control)
        )
    n = treatment.n + control.n
    spread = n * (treatment.variance / treatment.n + control.variance / control.n)
    return math.sqrt(spread) * radius(n * times, alpha)


def _needed(treatment: Sample, control: Sample, matters: float, alpha: float, *, adaptive: bool) -> int | None:
    """How many recipients in all it takes until the interval is as narrow as what matters, and arms are not too few."""
    if not treatment.n or not control.n or matters <= 0 or not treatment.variance or not control.variance:
        return None
    n = treatment.n + control.n
    least = max(
        max(FEW_RECIPIENTS / each.n, FEW_CONVERSIONS / each.conversions if each.conversions else math.inf)
        for each in (treatment, control)
    )
    low, high = 0.0, 1.0
    while _half(treatment, control, high, alpha, adaptive=adaptive) > matters:
        low, high = high, high * 2
        if high * n > MOST:
            return None
    for _ in range(60):
        middle = (low + high) / 2
        if middle and _half(treatment, control, middle, alpha, adaptive=adaptive) <= matters:
            high = middle
        else:
            low = middle
    return math.ceil(n * max(high, least)) if math.isfinite(least) else None
