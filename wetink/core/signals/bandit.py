"""Bandit: the probability that each arm is the best, which is its share of new people.

Thompson sampling in batches, also called randomized probability matching. Source: Scott (2010), "A modern Bayesian look
at the multi-armed bandit", Applied Stochastic Models in Business and Industry 26, 639-658: the probability of being the
best is the integral of an arm's posterior density times the other arms' distribution functions.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

from wetink.core.signals.lift import Sample

POINTS = 1_024
"""Points of the grid for the integral."""

FEW = 30
"""Recipients per arm below which revenue means nothing yet, and arms have equal chances."""


def chances(samples: Mapping[str, Sample], reward: str) -> dict[str, float]:
    """Return the probability that each arm is the best.

    Clicks have a Beta posterior with a flat prior, means of revenue a normal one (by the central limit theorem).

    >>> found = chances({"a": Sample(1000, 20, 20), "b": Sample(1000, 60, 60)}, "clicks")
    >>> round(found["b"], 3)
    1.0
    """
    if len(samples) < 2 or (reward == "revenue" and any(each.n < FEW or not each.squares for each in samples.values())):
        return {arm: 1 / len(samples) for arm in samples}
    spans = {arm: _beta_span(each) if reward == "clicks" else _normal_span(each) for arm, each in samples.items()}
    low, high = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    step = (high - low) / (POINTS - 1)
    grid = [low + step * index for index in range(POINTS)]
    densities = [
        _weights(_beta(each, grid) if reward == "clicks" else _normal(each, grid)) for each in samples.values()
    ]
    reached = [
        [sum_ - each / 2 for sum_, each in zip(accumulate(density), density, strict=True)] for density in densities
    ]
    won = []
    for index, density in enumerate(densities):
        others = [distribution for other, distribution in enumerate(reached) if other != index]
        won.append(math.fsum(map(math.prod, zip(density, *others, strict=True))))
    whole = sum(won)
    return {arm: each / whole for arm, each in zip(samples, won, strict=True)}


def shares(chance: Mapping[str, float], least: float) -> dict[str, float]:
    """Return shares that give each arm `least`, and distribute the rest by probability.

    >>> {arm: round(share, 3) for arm, share in shares({"a": 1.0, "b": 0.0}, 0.05).items()}
    {'a': 0.95, 'b': 0.05}
    """
    rest = 1 - least * len(chance)
    return {arm: least + rest * each for arm, each in chance.items()}


def _beta_span(sample: Sample) -> tuple[float, float]:
    a, b = sample.total + 1, sample.n - sample.total + 1
    mean, deviation = a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    return max(mean - 8 * deviation, 1e-9), min(mean + 8 * deviation, 1 - 1e-9)


def _beta(sample: Sample, grid: Sequence[float]) -> list[float]:
    lost = sample.n - sample.total
    return [sample.total * math.log(each) + lost * math.log1p(-each) for each in grid]


def _normal_span(sample: Sample) -> tuple[float, float]:
    deviation = math.sqrt(sample.variance / sample.n)
    return sample.mean - 8 * deviation, sample.mean + 8 * deviation


def _normal(sample: Sample, grid: Sequence[float]) -> list[float]:
    width = 2 * sample.variance / sample.n
    return [-((each - sample.mean) ** 2) / width for each in grid]


def _weights(logs: Sequence[float]) -> list[float]:
    highest = max(logs)
    density = [math.exp(each - highest) for each in logs]
    whole = math.fsum(density)
    return [each / whole for each in density]
