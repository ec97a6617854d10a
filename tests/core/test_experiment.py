"""Experiments: lots that are sticky, independent and fair, arms that share variants, and what is refused."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.blocks.block import Block, Fallback, Variant
from wetink.core.blocks.experiment import (
    HOLDOUT,
    PERSONALIZED,
    Arm,
    Bandit,
    Experiment,
    Exposure,
    cut,
    drawn,
    everywhere,
    inherited,
    planned,
    problems_of,
)
from wetink.core.units.bucketing import bucket

PEOPLE = [f"user:{number}" for number in range(20_000)]
AB = Experiment("test", arms=(Arm("a", ("x",), "60%"), Arm("b", ("y", "z"), "40%")), holdout="10%")


def test_shares_are_met_and_the_holdout_comes_first() -> None:
    plan = planned(AB, "hero")
    found = [drawn(plan, person) for person in PEOPLE]
    for arm, share in {HOLDOUT: 0.1, "a": 0.54, "b": 0.36}.items():
        off = abs(found.count(arm) - share * len(PEOPLE)) / sqrt(len(PEOPLE) * share * (1 - share))
        assert off < 4, arm
    assert plan.expected() == pytest.approx({HOLDOUT: 0.1, "a": 0.54, "b": 0.36})


def test_the_same_person_draws_the_same_for_ever_and_anew_with_another_seed() -> None:
    plan, other = planned(AB, "hero"), planned(Experiment("test", "2", AB.arms, AB.holdout), "hero")
    assert [drawn(plan, person) for person in PEOPLE[:5]] == ["a", "b", "a", "b", "b"], "for all versions of wetink"
    assert [drawn(plan, person) for person in PEOPLE] != [drawn(other, person) for person in PEOPLE]


@pytest.mark.parametrize("second", [planned(AB, "picks"), everywhere("10%", "everywhere")])
def test_experiments_are_independent_of_each_other(second: object) -> None:
    first = planned(Experiment(arms=(Arm("a", ("x",)), Arm("b", ("y",)))), "hero")
    tables: dict[tuple[str, str], int] = {}
    for person in PEOPLE:
        key = drawn(first, person), drawn(second, person)  # type: ignore[arg-type]
        tables[key] = tables.get(key, 0) + 1
    for (one, two), count in tables.items():
        rows = sum(each for (a, _), each in tables.items() if a == one)
        columns = sum(each for (_, b), each in tables.items() if b == two)
        expected = rows * columns / len(PEOPLE)
        assert abs(count - expected) < 4 * sqrt(expected)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_lot_is_a_number_between_nothing_and_one(seed: str, person: str) -> None:
    assert 0 <= bucket(seed, person) < 1
    assert bucket(seed, person) == bucket(seed, person)


BLOCK = Block(
    "hero", Fallback("https://shop.example/"), tuple(Variant(name, "last-viewed") for name in ("x", "common", "y", "z"))
)


@pytest.mark.parametrize(
    ("arm", "control", "shown"),
    [
        ("a", "", ["x", "common"]),
        ("b", "", ["common", "y", "z"]),
        (HOLDOUT, "", []),
        (HOLDOUT, "common", ["common"]),
    ],
)
def test_an_arm_shows_its_own_variants_and_those_that_are_nobodys_in_their_order(
    arm: str, control: str, shown: list[str]
) -> None:
    block = Block(BLOCK.name, BLOCK.fallback, BLOCK.variants, control=control)
    assert [variant.name for variant in cut(block, planned(AB, "hero"), arm).variants] == shown


def test_without_arms_everybody_but_the_holdout_sees_the_block_as_it_is() -> None:
    plan = planned(Experiment(holdout="50%"), "hero")
    assert {drawn(plan, person) for person in PEOPLE[:100]} == {HOLDOUT, PERSONALIZED}
    assert cut(BLOCK, plan, PERSONALIZED) == BLOCK


def test_the_first_exposure_of_all_names_of_a_person_is_theirs() -> None:
    late = Exposure("test", "user:1", "a", 20)
    early = Exposure("test", "email:a@b.c", "b", 10)
    assert inherited({"user:1": late, "email:a@b.c": early}) == early
    assert inherited({}) is None


def test_a_bandits_shares_decide_within_its_epoch() -> None:
    plan = planned(Experiment(arms=(Arm("a", ("x",)), Arm("b", ("y",))), bandit=Bandit()), "hero")
    found = [drawn(plan, person, {"a": 0.95, "b": 0.05}, 7) for person in PEOPLE]
    assert found.count("a") / len(found) == pytest.approx(0.95, abs=0.01)
    assert found != [drawn(plan, person, {"a": 0.95, "b": 0.05}, 8) for person in PEOPLE]


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (AB, ""),
        (Experiment(holdout="10%"), ""),
        (Experiment(arms=(Arm("a", ("x",), "1/3"), Arm("b", ("y",), "2/3"))), ""),
        (Experiment(arms=(Arm("a", ("x",), "50%"), Arm("b", ("y",), "40%"))), "the shares are 90% in all, not 100%"),
        (Experiment(arms=(Arm("a", ("x",), "50%"), Arm("b", ("y",)))), "either all arms need a share, or none"),
        (
            Experiment(arms=(Arm("a", ("x",), "half"), Arm("b", ("y",), "1/2"))),
            "'half' is not a share; write 50% or 1/3",
        ),
        (Experiment(arms=(Arm("a", ()), Arm("b", ("y",)))), "arms[0].variants: an arm needs a variant"),
        (Experiment(arms=(Arm("a", ("q",)), Arm("b", ("y",)))), "arms[0].variants: there is no variant called q"),
        (Experiment(arms=(Arm("a", ("x",)), Arm("a", ("y",)))), "there are several arms called a"),
        (Experiment(arms=(Arm("holdout", ("x",)), Arm("a", ("y",)))), "arms[0].name: an arm needs its own name"),
        (Experiment(arms=(Arm("a", ("x",)),)), "nothing to compare"),
        (Experiment(), "nothing to compare"),
        (Experiment(holdout="100%"), "experiment.holdout: more than 0 % and less than 100 %"),
        (Experiment(holdout="120%"), "more than 100%"),
        (Experiment(holdout="10%", worth="0%"), "experiment.worth: more than 0%"),
        (Experiment(holdout="10%", bandit=Bandit()), "bandit: it needs at least two arms"),
        (Experiment(arms=AB.arms, bandit=Bandit()), "a bandit sets the shares"),
        (Experiment(arms=(Arm("a", ("x",)), Arm("b", ("y",))), bandit=Bandit("love")), "there is no 'love'"),
        (Experiment(arms=(Arm("a", ("x",)), Arm("b", ("y",))), bandit=Bandit(every="now")), "bandit.every: 'now'"),
        (Experiment(arms=(Arm("a", ("x",)), Arm("b", ("y",))), bandit=Bandit(least="50%")), "add up to 100% or more"),
    ],
)
def test_an_experiment_that_means_nothing_is_refused_with_its_place(experiment: Experiment, said: str) -> None:
    found = list(problems_of(experiment, ("x", "y", "z")))
    if not said:
        assert found == []
    else:
        assert any(said in each for each in found), found
        assert all(each.startswith("experiment") for each in found)
