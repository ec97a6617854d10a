"""The page of rules names whatever can be asked, and its examples can be read."""

import re
from pathlib import Path

import pytest
import yaml

from wetink.core.rules.nodes import NODES
from wetink.core.rules.operators import OPERATORS
from wetink.core.rules.traits import MOMENT_FIELDS
from wetink.core.signals.audience import audience_of

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()


@pytest.mark.parametrize("kind", NODES)
def test_each_kind_of_rule_is_explained(kind: str) -> None:
    assert re.search(rf"^\| `{kind}: ", PAGE, re.M)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_each_operator_is_explained_as_the_table_has_it(operator: object) -> None:
    name, about = operator.name, operator.about  # type: ignore[attr-defined]
    assert re.search(rf"^\| `{name}` \| {re.escape(about.split(';')[0].split(', `')[0])}", PAGE, re.M)


@pytest.mark.parametrize("name", [name for name in MOMENT_FIELDS if "." not in name])
def test_each_part_of_a_moment_is_explained(name: str) -> None:
    assert re.search(rf"^\| .*`{name}`.* \|", PAGE, re.M)


def test_every_rule_on_the_page_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    assert blocks
    for block in blocks:
        assert audience_of("example", yaml.safe_load(block)).rule
