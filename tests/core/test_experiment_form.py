"""An experiment is made, read back, stopped and won by a form, and everything else in the block's file stays."""

from typing import Any

import pytest

from wetink.content.content import block_of
from wetink.core.blocks.experiment import problems_of
from wetink.core.blocks.experiment_form import (
    ExperimentForm,
    Group,
    form_of,
    plan_of,
    posted,
    started,
    stopped,
    wrong_with,
)

NAMES = ["warm", "cold", "rest"]
RAW: dict[str, Any] = {
    "title": "Hero",
    "fallback": {"link": "https://shop.example/"},
    "variants": [{"name": name, "app": "custom", "template": "a.liquid"} for name in NAMES],
    "fetches": {"prefetch": {"show": "fallback"}},
}


def alone(*names: str, shares: tuple[str, ...] = ()) -> tuple[Group, ...]:
    """Return a group for each variant."""
    given = shares or ("",) * len(names)
    return tuple(Group(at, name, (name,), given[at - 1]) for at, name in enumerate(names, 1))


PAIR = alone("warm", "cold")
GOOD = ExperimentForm("Words", PAIR, "equal", "10", "rest", "20%")
TOGETHER = (Group(1, "Words", ("warm", "cold")), Group(2, "rest", ("rest",)))


@pytest.mark.parametrize(
    "form",
    [
        GOOD,
        ExperimentForm("W", alone("warm", "cold", shares=("70%", "30%")), "own"),
        ExperimentForm("W", alone("warm", "cold", "rest"), "bandit", worth="5%"),
        ExperimentForm("W", TOGETHER, "equal"),
        ExperimentForm("W", (), "equal", "12.5%"),
    ],
)
def test_a_form_makes_a_valid_experiment_and_is_read_back(form: ExperimentForm) -> None:
    assert wrong_with(form, NAMES) == {}
    raw = started(RAW, form, "words")
    block, wrong = block_of("hero", raw)
    assert wrong == []
    assert block.experiment is not None
    assert [*problems_of(block.experiment, tuple(NAMES))] == []
    assert {key: raw[key] for key in RAW} == RAW
    back = form_of(raw, "Hero")
    assert (back.groups, back.split, back.control, back.worth) == (form.groups, form.split, form.control, form.worth)
    assert back.complete
    assert plan_of(form) is not None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (ExperimentForm("", PAIR), "title"),
        (ExperimentForm("x" * 61, PAIR), "title"),
        (ExperimentForm("W", PAIR[:1]), "groups"),
        (ExperimentForm("W"), "groups"),
        (ExperimentForm("W", (Group(1, "holdout", ("warm",)), PAIR[1])), "name.1"),
        (ExperimentForm("W", (PAIR[0], Group(2, "y" * 61, ("cold",)))), "name.2"),
        (ExperimentForm("W", PAIR, holdout="ten"), "holdout"),
        (ExperimentForm("W", PAIR, holdout="100"), "holdout"),
        (ExperimentForm("W", PAIR, worth="0"), "worth"),
        (ExperimentForm("W", alone("warm", "cold", shares=("70%", "")), "own"), "share.2"),
        (ExperimentForm("W", alone("warm", "cold", shares=("70%", "20%")), "own"), "split"),
        (ExperimentForm("W", (), "bandit", "10%"), "split"),
    ],
)
def test_a_wrong_form_says_so_at_the_field(form: ExperimentForm, field: str) -> None:
    assert list(wrong_with(form, NAMES)) == [field]


@pytest.mark.parametrize(
    ("winner", "left"),
    [("", NAMES), ("warm", ["warm", "rest"]), ("cold", ["cold", "rest"]), ("holdout", ["rest"])],
)
def test_a_stopped_experiment_leaves_the_winner(winner: str, left: list[str]) -> None:
    raw = stopped(started(RAW, GOOD, "words"), winner)
    assert [each["name"] for each in raw["variants"]] == left
    assert "experiment" not in raw
    assert raw["fetches"] == RAW["fetches"]
    assert block_of("hero", raw)[1] == []


def test_two_groups_of_one_name_say_so_at_both() -> None:
    form = ExperimentForm("W", (Group(1, "same", ("warm",)), Group(3, "same", ("cold",))))
    assert wrong_with(form, NAMES) == dict.fromkeys(("name.1", "name.3"), "another group has this name")


def test_a_group_of_several_variants_wins_with_all_of_them() -> None:
    raw = stopped(started(RAW, ExperimentForm("W", TOGETHER), "words"), "Words")
    assert [each["name"] for each in raw["variants"]] == ["warm", "cold"]


@pytest.mark.parametrize("variants", [["warm", "cold"], ["absent"]])
def test_an_experiment_that_the_form_cannot_show_is_not_complete(variants: list[str]) -> None:
    arms = [{"name": "a", "variants": ["warm"]}, {"name": "b", "variants": variants}]
    assert not form_of({**RAW, "experiment": {"arms": arms}}, "Hero").complete


def test_the_fields_of_a_request_become_the_form() -> None:
    fields = {"title": " Words ", "group.0": "1", "group.1": "3", "group.2": "1", "share.1": "7", "holdout": "10"}
    form = posted({**fields, "name.3": " Cold ones ", "control": "rest", "worth": "20%", "split": "odd"}, NAMES)
    groups = (Group(1, "warm + rest", ("warm", "rest"), "7"), Group(3, "Cold ones", ("cold",)))
    assert form == ExperimentForm("Words", groups, "equal", "10", "rest", "20%")
    assert [form.number_of(name) for name in NAMES] == [1, 3, 1]
