"""Results: people by their first exposure, orders after it only, the plain words, and what is told apart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.blocks.experiment import HOLDOUT, Arm, Bandit, Experiment, planned
from wetink.core.signals.experiment_result import DailyExposures, ExperimentOrder, briefly, result, sentence
from wetink.core.signals.lift import Sample, counted, lift
from wetink.core.signals.report import DAY_MS

PLAN = planned(Experiment("test", arms=(Arm("new", ("x",)), Arm("old", ("y",))), holdout="20%"), "hero")
NOW = 20 * DAY_MS


def people(arm: str, count: int, clicked: int = 0, day: int = 10, *, seen: bool = True) -> DailyExposures:
    return DailyExposures(day * DAY_MS, arm, seen, count, clicked)


def test_people_count_in_their_arm_and_whom_only_machines_fetched_for_apart() -> None:
    days = [people("new", 400, 40), people("new", 90, seen=False), people(HOLDOUT, 200, 10), people("gone", 7)]
    orders = [
        ExperimentOrder("new", "a", 12 * DAY_MS, 30),
        ExperimentOrder("new", "a", 13 * DAY_MS, 20),
        ExperimentOrder("new", "b", 13 * DAY_MS, 5),
        ExperimentOrder("new", "c", 13 * DAY_MS, 99, seen=False),
    ]
    found = result(PLAN, "hero", days, orders, "EUR", NOW)
    new = next(each for each in found.arms if each.arm == "new")
    assert (new.people, new.unseen, new.clicked, new.ordered, new.revenue) == (400, 90, 40, 2, 55)
    revenue = new.samples["revenue"]
    assert (revenue.n, revenue.total, revenue.squares, revenue.conversions) == (400, 55, 50**2 + 5**2, 2)
    assert (found.control, found.people) == (HOLDOUT, 600)
    assert [each.arm for each in found.lifts["orders"]] == ["new", "old"]


def test_too_little_is_said_plainly_with_how_much_more_is_needed_and_when() -> None:
    days = [people(arm, 40 if arm == HOLDOUT else 80, 4, day) for arm in PLAN.arms for day in range(13, 20)]
    found = result(PLAN, "hero", days, [], "", NOW)
    assert found.per_day == pytest.approx(200, rel=0.01)
    words = found.words["clicks"][0]
    assert "new: no clear difference from holdout yet" in words or "not enough data yet" in words
    assert "more recipients are needed, about" in words
    assert "days at the current pace" in words
    assert found.words["orders"][0].startswith("new: not enough data yet, 840 recipients.")
    assert "25 conversions" in found.words["orders"][0]


def test_a_winner_is_named_with_its_bounds() -> None:
    days = [people("new", 20_000, 2_000), people("old", 20_000, 1_500), people(HOLDOUT, 10_000, 700)]
    found = result(PLAN, "hero", days, [], "", NOW)
    assert found.words["clicks"][0].startswith("new: more recipients click than with holdout: +43%, somewhere between")
    assert found.words["clicks"][0].endswith("however often you look.")
    assert found.alarm == ""


def test_arms_that_are_not_divided_as_meant_raise_the_alarm_with_the_numbers() -> None:
    found = result(PLAN, "hero", [people("new", 5_000), people("old", 4_000), people(HOLDOUT, 2_250)], [], "", NOW)
    assert "old has 4,000 and should have about 4,500" in found.alarm
    assert "Do not trust any comparison" in found.alarm


def test_a_bandits_sample_ratio_checks_only_the_holdout() -> None:
    arms = (Arm("new", ("x",)), Arm("old", ("y",)))
    days = [people("new", 8_000), people("old", 500), people(HOLDOUT, 2_100)]
    plan = planned(Experiment("test", arms=arms, holdout="20%", bandit=Bandit()), "hero")
    assert result(plan, "hero", days, [], "", NOW).alarm == ""
    alone = planned(Experiment("test", arms=arms, bandit=Bandit()), "hero")
    assert result(alone, "hero", days, [], "", NOW).mismatch is None


def test_the_course_ends_where_the_comparison_stands() -> None:
    days = [people(arm, 300, 30, day) for arm in PLAN.arms for day in range(10, 20)]
    found = result(PLAN, "hero", days, [], "", NOW)
    assert [point.day // DAY_MS for point in found.course["clicks"]] == list(range(10, 20))
    assert found.course["clicks"][-1].lift == found.lifts["clicks"][0]


def test_an_experiment_nobody_has_been_exposed_to_says_so_without_a_number() -> None:
    found = result(PLAN, "hero", [], [], "", NOW)
    assert (found.people, found.since, found.per_day) == (0, None, 0)
    assert all("not enough data yet, 0 recipients" in words for words in found.words["clicks"])


@pytest.mark.parametrize(
    ("rate", "per_day", "said"),
    [
        (0.5, 1_000.0, r"about [\d,]+ more recipients are needed, about \d+ days at the current pace\.$"),
        (0.5, 1e9, r", about a day at the current pace\.$"),
        (0.05, 1.0, r", more than a year at the current pace: too little traffic for such a small difference\.$"),
        (0.05, 1e-9, r", more than a year at the current pace: too little traffic for such a small difference\.$"),
        (0.05, 0.0, r"about [\d,]+ more recipients are needed\.$"),
    ],
)
def test_a_wait_is_said_in_days_or_as_more_than_a_year(rate: float, per_day: float, said: str) -> None:
    few = lift("b", counted(1_000, round(1_000 * rate)), "a", counted(1_000, round(1_000 * rate)), worth=0.1)
    assert re.search(said, sentence(few, "orders", 0.1, per_day))


SAMPLES = st.tuples(st.integers(1, 10**6), st.floats(0, 1), st.floats(0, 1e4))


@given(SAMPLES, SAMPLES, st.booleans(), st.floats(0.001, 1), st.floats(0, 1e6))
def test_no_interval_goes_below_minus_100_percent_and_no_wait_is_told_in_years(
    treatment: tuple[int, float, float], control: tuple[int, float, float], adaptive: bool, worth: float, pace: float
) -> None:
    def arm(n: int, part: float, value: float) -> Sample:
        did = round(n * part)
        return Sample(n, did * value, did * value * value, did)

    found = lift("b", arm(*treatment), "a", arm(*control), worth=worth, adaptive=adaptive)
    relative = found.relative
    if relative is not None:
        assert -1 <= relative[1] <= relative[0] <= relative[2]
    said = sentence(found, "revenue", worth, pace)
    assert "year" not in said or "more than a year" in said
    assert not re.search(r"-\d{4,}%|-[2-9]\d\d%|-1(?:0[1-9]|[1-9]\d)%", said + briefly(found))
    assert all(int(each.replace(",", "")) <= 10**9 for each in re.findall(r"\d[\d,]*(?= (?:more|days))", said))
