"""Mismatch: whether arms get other numbers of people than they were meant to, which makes every comparison worthless.

Source: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data" (arXiv 2011.03567): the Bayes factor of a
Dirichlet prior around the shares that were meant against those shares; its inverse, at its smallest so far, is a
p-value at every look.
"""

import math
from collections.abc import Iterable, Mapping

import msgspec

ALARM = 0.01
"""How often the alarm may be raised falsely, ever."""

CONCENTRATION = 1_000.0
"""How near to the shares the prior expects what else there may be: one or two percent off. A gross mismatch is told
within hundreds of people, one of a percent within tens of thousands."""


class Mismatch(msgspec.Struct, frozen=True):
    """Whether people are divided as they were meant to be. `p` is always valid; `counts` and `expected` are by arm."""

    p: float
    counts: dict[str, int]
    expected: dict[str, float]

    @property
    def alarm(self) -> bool:
        """Whether it is all but certain that something is wrong."""
        return self.p < ALARM


def log_bayes_factor(
    counts: Mapping[str, int], shares: Mapping[str, float], prior: Mapping[str, float] | None = None
) -> float:
    """Return how much more likely counts are by the prior than by the shares, as a logarithm.

    >>> round(log_bayes_factor({"a": 500, "b": 500}, {"a": 0.5, "b": 0.5}), 3)
    -0.347
    """
    alpha = prior if prior is not None else {arm: CONCENTRATION * share for arm, share in shares.items()}
    whole, n = sum(alpha.values()), sum(counts.get(arm, 0) for arm in shares)
    log = math.lgamma(whole) - math.lgamma(whole + n)
    for arm, share in shares.items():
        count = counts.get(arm, 0)
        log += math.lgamma(alpha[arm] + count) - math.lgamma(alpha[arm]) - count * math.log(share)
    return log


def mismatch(by_day: Iterable[Mapping[str, int]], shares: Mapping[str, float]) -> Mismatch:
    """Return the state after these days' new people by arm, looked at after each day. `shares` add up to 1."""
    counts = dict.fromkeys(shares, 0)
    p = 1.0
    for day in by_day:
        for arm in counts:
            counts[arm] += day.get(arm, 0)
        p = min(p, math.exp(min(-log_bayes_factor(counts, shares), 0.0)))
    return Mismatch(p, counts, dict(shares))
