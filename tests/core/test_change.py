"""Changes: their intervals miss the truth about as often as they say, and odd figures break nothing."""

import math
import random

import pytest

from wetink.core.signals.change import of_counts, of_rates, of_revenue
from wetink.core.signals.figures import FIGURES, change, matched
from wetink.core.signals.report import Line

RUNS = 1_500
ODD = Line({}, unique_opens=5, unique_clicks=9, orders=0.5, revenue={"EUR": -3.0})


def poisson(rng: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


@pytest.mark.parametrize("mean", [12, 60])
def test_intervals_of_counts_rates_and_revenue_miss_the_truth_in_about_one_of_twenty(mean: int) -> None:
    rng = random.Random(mean)
    missed = {"counts": 0, "rates": 0, "revenue": 0}
    for _ in range(RUNS):
        now, before = poisson(rng, mean), poisson(rng, mean)
        found = of_counts(now, before)
        missed["counts"] += found.low is not None and not (found.low <= 0 <= (found.high or 0))
        parts = [sum(rng.random() < 0.2 for _ in range(mean)) for _ in range(2)]
        rate = of_rates((parts[0], mean), (parts[1], mean))
        assert rate is not None
        assert rate.low is not None
        missed["rates"] += rate.direction != "same"
        orders = [[rng.lognormvariate(3, 0.5) for _ in range(poisson(rng, mean))] for _ in range(2)]
        sums = [(sum(each), sum(value * value for value in each), len(each)) for each in orders]
        missed["revenue"] += of_revenue(*sums).direction != "same"
    assert all(misses / RUNS < 0.085 for misses in missed.values()), missed


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    "now", [Line({}), Line({}, unique_opens=5, unique_clicks=9, orders=0.5, revenue={"EUR": -3.0})]
)
@pytest.mark.parametrize("before", [None, Line({}), Line({}, unique_opens=1, orders=2, revenue={"EUR": 0.0})])
def test_figures_without_a_past_or_below_zero_have_a_change_without_bounds(
    name: str, now: Line, before: Line | None
) -> None:
    found = change(now, before, name, "EUR")
    assert found is None or found.relative is None or found.low is None or found.low <= found.relative


def test_lines_match_those_with_the_same_key_and_days_those_at_their_place() -> None:
    lines = [Line({"day": "2026-11-02", "block": "a"}), Line({"day": "2026-11-03", "block": "b"})]
    others = [Line({"day": "2026-11-01", "block": "b"}, opens=7), Line({"day": "2026-10-31", "block": "b"}, opens=1)]
    found = matched(lines, others, ["2026-11-02", "2026-11-03"], ["2026-10-31", "2026-11-01"])
    assert [each and each.opens for each in found] == [None, 7]
