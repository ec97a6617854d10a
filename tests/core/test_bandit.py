"""Bandits: each arm's chance of being the best, and that the best one is found."""

import math

import numpy as np
import pytest

from tests.examples import examples
from wetink.core.signals.bandit import chances, shares
from wetink.core.signals.lift import Sample, counted


def exactly(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the chance that the second of two Beta(clicks + 1, others + 1) is greater, by a finite sum.

    Source: Miller (2015), "Formulas for Bayesian A/B Testing", the formula for binary outcomes.
    """
    a, b = first[1] + 1, first[0] - first[1] + 1
    c, d = second[1] + 1, second[0] - second[1] + 1

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    return sum(
        math.exp(log_beta(a + i, b + d) - math.log(d + i) - log_beta(1 + i, d) - log_beta(a, b)) for i in range(c)
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [((100, 10), (100, 15)), ((1000, 20), (50, 3)), ((20, 0), (20, 1)), ((0, 0), (0, 0)), ((5_000, 250), (5_000, 260))],
)
def test_the_chance_of_the_better_click_rate_is_the_published_sum(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    found = chances({"a": counted(*first), "b": counted(*second)}, "clicks")
    assert found["b"] == pytest.approx(exactly(first, second), abs=0.002)
    assert sum(found.values()) == pytest.approx(1)


def test_the_chance_of_the_better_revenue_is_that_of_two_normal_means() -> None:
    first, second = Sample(400, 4_000, 80_000, 50), Sample(400, 4_400, 88_000, 50)
    error = math.sqrt(first.variance / first.n + second.variance / second.n)
    expected = 0.5 * (1 + math.erf((second.mean - first.mean) / error / math.sqrt(2)))
    assert chances({"a": first, "b": second}, "revenue")["b"] == pytest.approx(expected, abs=0.002)


def test_arms_are_alike_until_revenue_says_something() -> None:
    assert chances({"a": Sample(20, 900, 90_000, 9), "b": Sample(20)}, "revenue") == {"a": 0.5, "b": 0.5}


def test_the_best_of_three_arms_gets_most_newcomers_others_the_minimum() -> None:
    rates, least = {"a": 0.04, "b": 0.05, "c": 0.07}, 0.05
    runs, best = examples(20), 0
    for run in range(runs):
        chance = np.random.default_rng(run)
        counts = {arm: [0, 0] for arm in rates}
        given = dict.fromkeys(rates, 1 / 3)
        for _ in range(60):
            for arm, n in zip(rates, chance.multinomial(200, list(given.values())), strict=True):
                counts[arm][0] += int(n)
                counts[arm][1] += int(chance.binomial(n, rates[arm]))
            found = chances({arm: counted(*each) for arm, each in counts.items()}, "clicks")
            given = shares(found, least)
            assert min(given.values()) >= least - 1e-9
            assert sum(given.values()) == pytest.approx(1)
        best += given["c"] > 0.8 and counts["c"][0] > counts["a"][0] + counts["b"][0]
    assert best >= runs * 0.9
