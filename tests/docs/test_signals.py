"""docs/signals.md is true: its examples load, and it names every model."""

import re
from pathlib import Path

import msgspec
import yaml

from wetink.core.blocks.experiment import Experiment, problems_of
from wetink.core.signals.goal import MODELS, signals_of
from wetink.core.signals.reporting import reporting_of

TEXT = (Path(__file__).parents[2] / "docs" / "signals.md").read_text()
SIGNALS, BLOCK, REPORTING = (yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", TEXT, re.S))


def test_the_example_of_signals_is_one() -> None:
    signals = signals_of(SIGNALS)
    assert set(signals.all_goals) == {"order", "quiz"}
    assert signals.rate("USD") == ("EUR", 0.92)


def test_the_example_of_an_experiment_is_one() -> None:
    experiment = msgspec.convert(BLOCK["experiment"], Experiment)
    names = tuple(variant["name"] for variant in BLOCK["variants"])
    assert list(problems_of(experiment, names)) == []
    assert BLOCK["control"] in names


def test_every_model_is_named() -> None:
    assert all(f"| `{model}` |" in TEXT for model in MODELS)


def test_the_views_and_the_summary_of_the_page_can_be_used() -> None:
    found = reporting_of(REPORTING)
    assert [view.title for view in found.views] == ["Rate by campaign"]
    assert found.summary.on
