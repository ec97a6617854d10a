"""Lift: the difference that an arm makes, with intervals that hold however often you look.

Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences" (arXiv 2103.06476), Theorem 2.2 for means and section 3 for the effect in a randomized experiment. For one
arm of unit variance, the bounds are Robbins's (1970) normal mixture.

Recipients count from their first exposure, in their assigned arm, regardless of later pictures (intention to treat).
"""

import math
from typing import Literal

import msgspec

ALPHA = 0.05
"""The probability that an interval ever misses the true value."""

BEST_AT = 5_000
"""The number of recipients at which the intervals are narrowest, chosen before any data."""

FEW_RECIPIENTS, FEW_CONVERSIONS = 100, 25
"""Per arm. Below these, the normal approximation behind the intervals is too poor for a verdict."""

MOST = 10**10
"""Recipients beyond which the wait makes no sense."""


class Sample(msgspec.Struct, frozen=True):
    """An arm's recipients: their number, the sum of their values, and the sum of the squares."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    positive: int = -1
    """Recipients with any value; -1: as many as the total, each with the value 1."""

    @property
    def mean(self) -> float:
        """The mean value per recipient; 0 without recipients."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """The unbiased variance of the values; 0 for fewer than two recipients."""
        if self.n < 2:
            return 0.0
        return max(self.squares - self.n * self.mean**2, 0.0) / (self.n - 1)

    @property
    def conversions(self) -> int:
        """Recipients with any value."""
        return self.positive if self.positive >= 0 else round(self.total)


def counted(n: int, successes: int) -> Sample:
    """Return the sample of `n` recipients with this many successes."""
    return Sample(n, float(successes), float(successes))


class Lift(msgspec.Struct, frozen=True):
    """An arm beside the control. `low` and `high` bound the difference of their means at every look, simultaneously."""

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
    """Recipients of both arms needed to detect a difference that matters; None if that cannot be known yet."""

    @property
    def relative(self) -> tuple[float, float, float] | None:
        """The difference and its bounds as parts of the control's measured mean; None if that is 0.

        Rates and revenue are never negative, so no true value is below -1, and the bounds are cut there.
        """
        if self.base <= 0:
            return None
        middle, low, high = (max(each / self.base, -1.0) for each in (self.difference, self.low, self.high))
        return middle, low, high


def rho(alpha: float = ALPHA, best_at: float = BEST_AT) -> float:
    """Return the mixture's scale whose bounds are narrowest at `best_at` recipients. Source: its section 2.3.

    >>> round(rho(0.05, 1), 3)
    2.817
    """
    quantile = -2 * math.log(alpha)
    return math.sqrt((quantile + math.log(quantile + 1)) / best_at)


def radius(n: float, alpha: float = ALPHA, scale: float | None = None) -> float:
    """Return half the width of the interval for a mean of `n` values of variance 1. Source: its equation (5).

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
    """Return an arm's lift over the control. `worth` is the part of the control's mean that matters.

    If `adaptive`, as for a bandit whose shares follow the data, each arm gets its own interval in its own number of
    recipients, which is valid for any rule that decides when it grows. Both bound the interval of the difference.
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
    """Return half the width with `times` as many recipients and everything else unchanged."""
    if adaptive:
        return sum(
            math.sqrt(each.variance) * radius(each.n * times, alpha / 2, rho(alpha / 2, BEST_AT / 2))
            for each in (treatment, control)
        )
    n = treatment.n + control.n
    spread = n * (treatment.variance / treatment.n + control.variance / control.n)
    return math.sqrt(spread) * radius(n * times, alpha)


def _needed(treatment: Sample, control: Sample, matters: float, alpha: float, *, adaptive: bool) -> int | None:
    """Return the recipients needed until the interval is as narrow as `matters` and no arm is too small."""
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
