"""Mismatch: the alarm that arms are not divided as they should be, right however often one looks."""

import math

import numpy as np
import pytest

from wetink.core.signals.experiment_result import ALARM, log_bayes_factor, mismatch

SHARES = {"a": 0.4, "b": 0.4, "c": 0.2}
FLAT = {"a": 1.0, "b": 1.0, "c": 1.0}


@pytest.mark.parametrize(
    ("counts", "by_prior", "by_shares"),
    [
        ((1, 0, 0), -1.0986122886681096, -0.916290731874155),
        ((2, 1, 0), -3.401197381662155, -2.748872195622465),
        ((2, 2, 1), -6.4457198193855785, -5.27460083993072),
        ((20, 17, 9), -7.028201432058012, -4.0776406466061985),
        ((60, 63, 32), -19.96484521090386, -15.781031228536165),
    ],
)
def test_the_bayes_factor_is_that_of_the_authors_own_examples(
    counts: tuple[int, int, int], by_prior: float, by_shares: float
) -> None:
    """The worked values of the paper's companion package, Optimizely's `ssrm-test`, with a flat prior."""
    found = log_bayes_factor(dict(zip(SHARES, counts, strict=True)), SHARES, FLAT)
    assert found == pytest.approx(by_prior - by_shares)


def test_a_few_percent_too_many_raise_the_alarm_and_chance_does_not() -> None:
    assert mismatch([{"a": 5_300, "b": 4_700}], {"a": 0.5, "b": 0.5}).alarm
    assert not mismatch([{"a": 5_050, "b": 4_950}], {"a": 0.5, "b": 0.5}).alarm
    assert mismatch([], {"a": 0.5, "b": 0.5}).p == 1


def test_an_alarm_stays_when_later_days_even_it_out() -> None:
    days = [{"a": 600, "b": 400}, {"a": 20_000, "b": 20_200}]
    assert mismatch(days, {"a": 0.5, "b": 0.5}).alarm
    assert not mismatch([{"a": 20_600, "b": 20_600}], {"a": 0.5, "b": 0.5}).alarm


def test_daily_checks_of_2000_sound_experiments_alarm_at_most_one_percent() -> None:
    chance = np.random.default_rng(7)
    days = chance.multinomial(300, list(SHARES.values()), (2_000, 30))
    alarms = sum(mismatch([dict(zip(SHARES, map(int, day), strict=True)) for day in run], SHARES).alarm for run in days)
    assert alarms / 2_000 <= ALARM


def test_the_p_value_is_the_inverse_bayes_factor() -> None:
    counts = {"a": 5_300, "b": 4_700}
    expected = math.exp(-log_bayes_factor(counts, {"a": 0.5, "b": 0.5}))
    assert mismatch([counts], {"a": 0.5, "b": 0.5}).p == pytest.approx(expected)
