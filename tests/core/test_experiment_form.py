"""An experiment is made, read back, stopped and won by a form, and everything else in the block's file stays."""

from typing import Any

import pytest

from wetink.content.content import block_of
from wetink.core.blocks.experiment import problems_of
from wetink.core.blocks.experiment_form import ExperimentForm, form_of, plan_of, posted, started, stopped, wrong_with

NAMES = ["warm", "cold", "rest"]
RAW: dict[str, Any] = {
    "title": "Hero",
    "fallback": {"link": "https://shop.example/"},
    "variants": [{"name": name, "app": "custom", "template": "a.liquid"} for name in NAMES],
    "fetches": {"prefetch": {"show": "fallback"}},
}
GOOD = ExperimentForm("Words", ("warm", "cold"), {}, "equal", "10", "rest", "20%")


@pytest.mark.parametrize(
    "form",
    [
        GOOD,
        ExperimentForm("W", ("warm", "cold"), {"warm": "70%", "cold": "30%"}, "own"),
        ExperimentForm("W", ("warm", "cold", "rest"), {}, "bandit", worth="5%"),
        ExperimentForm("W", (), {}, "equal", "12.5%"),
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
    assert (back.chosen, back.split, back.control, back.worth) == (form.chosen, form.split, form.control, form.worth)
    assert plan_of(form) is not None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (ExperimentForm("", ("warm", "cold")), "title"),
        (ExperimentForm("x" * 61, ("warm", "cold")), "title"),
        (ExperimentForm("W", ("warm",)), "variants"),
        (ExperimentForm("W"), "variants"),
        (ExperimentForm("W", ("holdout", "cold")), "variants"),
        (ExperimentForm("W", ("warm", "cold"), holdout="ten"), "holdout"),
        (ExperimentForm("W", ("warm", "cold"), holdout="100"), "holdout"),
        (ExperimentForm("W", ("warm", "cold"), worth="0"), "worth"),
        (ExperimentForm("W", ("warm", "cold"), {"warm": "70%", "cold": ""}, "own"), "share.1"),
        (ExperimentForm("W", ("warm", "cold"), {"warm": "70%", "cold": "20%"}, "own"), "split"),
        (ExperimentForm("W", (), {}, "bandit", "10%"), "split"),
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


def test_the_fields_of_a_request_become_the_form() -> None:
    fields = {"title": " Words ", "variant.0": "on", "variant.1": "on", "share.0": "7", "holdout": "10"}
    form = posted({**fields, "control": "rest", "worth": "20%", "split": "odd"}, NAMES)
    shares = {"warm": "7", "cold": "", "rest": ""}
    assert form == ExperimentForm("Words", ("warm", "cold"), shares, "equal", "10", "rest", "20%")
