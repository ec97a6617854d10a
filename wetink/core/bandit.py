"""Bandit: how likely each arm is to be the best, which is the share of newcomers it gets.

Thompson sampling in batches, known as randomized probability matching. Source: Scott (2010), "A modern Bayesian look at
the multi-armed bandit", Applied Stochastic Models in Business and Industry 26, 639-658: the probability of being the
best is the integral of an arm's posterior density times the other arms' distribution functions.
"""

import math
from collections.abc import Mapping

import numpy as np

from wetink.core.lift import Sample

POINTS = 4_096
"""Of the grid that is integrated over."""

FEW = 30
"""Recipients of each arm below which revenue says nothing yet: arms are alike until then."""

_Grid = np.ndarray[tuple[int], np.dtype[np.float64]]


def chances(samples: Mapping[str, Sample], reward: str) -> dict[str, float]:
    """Return how likely each arm is to be the best.

    Clicks have a Beta posterior with a flat prior, means of revenue a normal one (by the central limit theorem).

    >>> found = chances({"a": Sample(1000, 20, 20), "b": Sample(1000, 60, 60)}, "clicks")
    >>> round(found["b"], 3)
    1.0
    """
    if len(samples) < 2 or (reward == "revenue" and any(each.n < FEW or not each.squares for each in samples.values())):
        return {arm: 1 / len(samples) for arm in samples}
    spans = {arm: _beta_span(each) if reward == "clicks" else _normal_span(each) for arm, each in samples.items()}
    low, high = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    grid = np.linspace(low, high, POINTS)
    densities = [
        _weights(_beta(each, grid) if reward == "clicks" else _normal(each, grid)) for each in samples.values()
    ]
    reached = [np.cumsum(density) - density / 2 for density in densities]
    won = []
    for index, density in enumerate(densities):
        others = np.ones_like(grid)
        for other, distribution in enumerate(reached):
            if other != index:
                others = others * distribution
        won.append(float(np.sum(density * others)))
    whole = sum(won)
    return {arm: each / whole for arm, each in zip(samples, won, strict=True)}


def shares(chance: Mapping[str, float], least: float) -> dict[str, float]:
    """Return the shares that give each arm `least` in any case and what is left by its chance.

    >>> {arm: round(share, 3) for arm, share in shares({"a": 1.0, "b": 0.0}, 0.05).items()}
    {'a': 0.95, 'b': 0.05}
    """
    rest = 1 - least * len(chance)
    return {arm: least + rest * each for arm, each in chance.items()}


def _beta_span(sample: Sample) -> tuple[float, float]:
    a, b = sample.total + 1, sample.n - sample.total + 1
    mean, deviation = a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    return max(mean - 8 * deviation, 1e-9), min(mean + 8 * deviation, 1 - 1e-9)


def _beta(sample: Sample, grid: _Grid) -> _Grid:
    log: _Grid = sample.total * np.log(grid) + (sample.n - sample.total) * np.log1p(-grid)
    return log


def _normal_span(sample: Sample) -> tuple[float, float]:
    deviation = math.sqrt(sample.variance / sample.n)
    return sample.mean - 8 * deviation, sample.mean + 8 * deviation


def _normal(sample: Sample, grid: _Grid) -> _Grid:
    log: _Grid = -((grid - sample.mean) ** 2) / (2 * sample.variance / sample.n)
    return log


def _weights(log: _Grid) -> _Grid:
    density: _Grid = np.exp(log - log.max())
    weights: _Grid = density / density.sum()
    return weights
