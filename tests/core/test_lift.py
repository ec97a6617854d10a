"""Lift: intervals that hold however often one looks, by published formulas and by simulation."""

import math

import numpy as np
import pytest

from wetink.core.signals.lift import ALPHA, FEW_CONVERSIONS, FEW_RECIPIENTS, Sample, counted, lift, radius, rho

RUNS, LOOKS, EACH = 2_000, 100, 200
"""Simulated tests, how often each is looked at, and the recipients between two looks."""


@pytest.mark.parametrize("n", [1, 10, 1000, 10**6])
def test_the_bounds_are_robbinss_normal_mixture(n: int) -> None:
    """Robbins (1970), "Statistical methods related to the law of the iterated logarithm", his example with m = 1:
    P(|S_n| >= sqrt((n + 1)(9 + log(n + 1))) for some n >= 1) <= exp(-9/2) = 0.0111.
    """
    alpha = math.exp(-9 / 2)
    assert round(alpha, 4) == 0.0111
    assert n * radius(n, alpha, 1.0) == pytest.approx(math.sqrt((n + 1) * (9 + math.log(n + 1))))


def test_the_scale_makes_the_interval_narrowest_where_it_was_meant_to_be() -> None:
    best = rho(0.05, 5_000)
    widths = [radius(5_000, 0.05, best * times) for times in (0.8, 0.9, 1.0, 1.1, 1.25)]
    assert min(widths) == pytest.approx(widths[2], rel=0.002)
    assert widths[0] > widths[2] < widths[4]


def simulated(rate: float, *, effect: float = 0.0, baskets: bool = False, adaptive: bool = False) -> np.ndarray:
    """Return for each of RUNS tests whether some look found a difference, by the very function the product uses for
    the ones that come near it (the rest by the same formula over all runs at once).
    """
    chance = np.random.default_rng(20)
    n, total, squares, positive = (np.zeros((2, RUNS)) for _ in range(4))
    found = np.zeros(RUNS, bool)
    for _ in range(LOOKS):
        first = chance.binomial(EACH, 0.5, RUNS)
        for arm, new in enumerate((EACH - first, first)):
            hits = chance.binomial(new, rate * (1 + effect * arm))
            worth = np.where(
                np.arange(hits.max())[None, :] < hits[:, None],
                chance.lognormal(3.5, 1.0, (RUNS, hits.max())) if baskets else 1.0,
                0.0,
            )
            n[arm] += new
            positive[arm] += hits
            total[arm] += worth.sum(1)
            squares[arm] += (worth**2).sum(1)
        variance = (squares - total**2 / n) / (n - 1)
        half = np.sqrt(n.sum(0) * (variance / n).sum(0)) * radius(float(n[:, 0].sum()))
        near = np.abs(total[1] / n[1] - total[0] / n[0]) > 0.98 * half
        for run in np.flatnonzero(near & ~found):
            control, treatment = (
                Sample(int(n[arm, run]), total[arm, run], squares[arm, run], int(positive[arm, run])) for arm in (0, 1)
            )
            said = lift("b", treatment, "a", control, worth=0.1, adaptive=adaptive).verdict
            found[run] = said in ("better", "worse")
    return found


@pytest.mark.parametrize(("rate", "baskets"), [(0.3, False), (0.05, False), (0.01, False), (0.05, True), (0.01, True)])
def test_null_experiments_watched_all_the_time_rarely_find_a_difference(rate: float, baskets: bool) -> None:
    assert simulated(rate, baskets=baskets).mean() <= ALPHA


def test_a_difference_that_is_there_is_found() -> None:
    assert simulated(0.05, effect=0.3).mean() > 0.9


def test_fixed_intervals_would_find_far_more_where_there_is_nothing() -> None:
    """The simulation can fail: with the usual 1.96 standard errors, looking 100 times, it does."""
    chance = np.random.default_rng(20)
    hits = chance.binomial(EACH // 2, 0.3, (2, RUNS, LOOKS)).cumsum(2)
    n = EACH // 2 * np.arange(1, LOOKS + 1)
    rates = hits / n
    errors = np.sqrt((rates * (1 - rates) / n).sum(0))
    assert (np.abs(rates[1] - rates[0]) > 1.96 * errors).any(1).mean() > 0.25


def test_too_few_recipients_or_conversions_say_nothing_whatever_they_look_like() -> None:
    some = counted(10_000, 500)
    for few in (
        counted(FEW_RECIPIENTS - 1, 90),
        counted(10_000, FEW_CONVERSIONS - 1),
        counted(200, 200),
        counted(0, 0),
    ):
        assert lift("b", few, "a", some, worth=0.1).verdict == "too little data"


@pytest.mark.parametrize(
    ("treatment", "control", "verdict"),
    [
        (counted(20_000, 1_400), counted(20_000, 1_000), "better"),
        (counted(20_000, 1_000), counted(20_000, 1_400), "worse"),
        (counted(20_000, 1_010), counted(20_000, 1_000), "open"),
        (counted(2_000_000, 100_000), counted(2_000_000, 100_100), "alike"),
    ],
)
def test_the_verdict_is_what_the_interval_allows(treatment: Sample, control: Sample, verdict: str) -> None:
    found = lift("b", treatment, "a", control, worth=0.1)
    assert found.verdict == verdict
    assert found.low < found.difference < found.high


def test_what_is_needed_is_what_makes_the_interval_narrow_enough() -> None:
    treatment, control = counted(2_000, 100), counted(2_000, 100)
    found = lift("b", treatment, "a", control, worth=0.1)
    assert found.needed is not None
    times = found.needed / found.recipients
    grown = [counted(round(each.n * times), round(each.total * times)) for each in (treatment, control)]
    later = lift("b", grown[0], "a", grown[1], worth=0.1)
    assert later.high == pytest.approx(0.1 * later.base, rel=0.01)


def test_adaptive_shares_give_each_arm_an_interval_and_a_wider_difference() -> None:
    treatment, control = counted(9_000, 900), counted(1_000, 100)
    fixed = lift("b", treatment, "a", control, worth=0.1)
    adaptive = lift("b", treatment, "a", control, worth=0.1, adaptive=True)
    assert adaptive.low < fixed.low < fixed.high < adaptive.high


def test_the_relative_difference_is_told_of_the_control_as_measured() -> None:
    found = lift("b", counted(1_000, 120), "a", counted(1_000, 100), worth=0.1)
    assert found.relative is not None
    assert found.relative[0] == pytest.approx(0.2)
    assert lift("b", counted(1_000, 120), "a", counted(1_000, 0), worth=0.1).relative is None
