"""How long an experiment will take is said before it starts, and agrees with what is said while it runs."""

import pytest

from wetink.core.signals.forecast import Traffic, forecast
from wetink.core.signals.lift import counted, lift

HALVES = {"a": 0.5, "b": 0.5}


def test_a_forecast_agrees_with_the_result_of_a_running_experiment() -> None:
    found = forecast(HALVES, Traffic(1_000, 0.05), 0.1)
    running = lift("b", counted(2_000, 100), "a", counted(2_000, 100), worth=0.1)
    assert running.needed is not None
    assert found.people == pytest.approx(running.needed, rel=0.05)
    assert found.days == pytest.approx(running.needed / 1_000, rel=0.05)


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3, 0.9])
def test_a_forecast_grows_with_arms_and_with_smaller_differences(rate: float) -> None:
    traffic = Traffic(500, rate)
    base, fine = (forecast(HALVES, traffic, worth).people or 10**12 for worth in (0.2, 0.05))
    three = forecast({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, traffic, 0.2).people or 10**12
    uneven = forecast({"holdout": 0.1, "personalized": 0.9}, traffic, 0.2).people or 10**12
    assert base < fine
    assert base < three
    assert base < uneven
    assert forecast(HALVES, Traffic(1_000, rate), 0.2).days == pytest.approx((base / 1_000), rel=0.01)


@pytest.mark.parametrize(
    ("shares", "traffic", "worth", "words"),
    [
        (HALVES, Traffic(0, 0), 0.1, "Nobody has opened this block"),
        (HALVES, Traffic(40, 0), 0.1, "no clicks so far"),
        (HALVES, Traffic(40, 1.0), 0.1, "no clicks so far"),
        (HALVES, Traffic(3, 0.01), 0.05, "More than a year at 3 recipients a day"),
        (HALVES, Traffic(900_000, 0.4), 0.5, "About a day"),
        ({"a": 1.0}, Traffic(40, 0.1), 0.1, "cannot be estimated"),
    ],
)
def test_a_forecast_is_said_in_words(shares: dict[str, float], traffic: Traffic, worth: float, words: str) -> None:
    assert words in forecast(shares, traffic, worth).words
