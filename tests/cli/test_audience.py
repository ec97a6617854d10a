"""`wetink audience`: whether a rule holds for somebody, and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run import wetink

RULE = """
title: Lookers
rule:
  - {done: Product Viewed, where: {name: mug}, within: 1d}
  - any: [{trait: plan, equals: gold}, {not_done: Product Viewed}]
"""


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "lookers.yaml"
    path.write_text(RULE)
    return path


def test_each_node_says_what_it_saw(shop: Path, rule: Path) -> None:
    at = ("--at", "2026-11-20T09:00:00Z")
    text = wetink("audience", "explain", rule, "user:42", *at, "--data", shop, "--json")
    found: dict[str, Any] = json.loads(text)
    assert (found["id"], found["at"], found["node"]) == ("user:42", "2026-11-20T09:00:00.000Z", "all")
    viewed, either = found["parts"]
    assert (viewed["holds"], viewed["saw"]) == (True, 1)
    assert viewed["rule"] == {"done": "Product Viewed", "where": {"name": "mug"}, "within": "1d"}
    assert [part["holds"] for part in either["parts"]] == [False, False], "she said so later"
    later = json.loads(wetink("audience", "explain", rule, "user:42", "--data", shop, "--json"))
    assert later["parts"][1]["parts"][0]["saw"] == "gold"
    plain = wetink("audience", "explain", rule, "email:jane@shop.example", "--data", shop)
    assert '✓ trait plan is "gold"' in plain


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("done: Product Viewed\nwithin: -3d", "within: '-3d' is not a duration"),
        ("{any: [{done: x}, {done: x, where: {a: {matches: '('}}}]}", "any[1].where.a.matches"),
        ("rule: [", "line 1"),
        ("", "a rule is a mapping"),
        ("any: [{audience: absent}]", "any[0].audience: there is no audience 'absent'"),
    ],
)
def test_an_invalid_rule_is_reported_in_one_line(shop: Path, given: str, told: str) -> None:
    assert told in wetink("audience", "explain", "-", "user:42", "--data", shop, given=given, status=1)


def test_a_missing_file_is_reported(shop: Path) -> None:
    said = wetink("audience", "explain", "absent.yaml", "user:42", "--data", shop, status=1)
    assert "absent.yaml cannot be read" in said


def test_a_count_says_how_many_of_all_people_match(shop: Path, rule: Path) -> None:
    assert json.loads(wetink("audience", "count", rule, "--data", shop, "--json")) == {"matches": 0, "of": 1}
    at = ("--at", "2026-11-20T09:00:00Z")
    looked = "done: Product Viewed\nwhere: {name: mug}\nwithin: 1d"
    assert json.loads(wetink("audience", "count", "-", *at, "--data", shop, "--json", given=looked)) == {
        "matches": 1,
        "of": 1,
    }
    assert wetink("audience", "count", "-", *at, "--data", shop, given=looked) == "1 of 1\n"
    assert wetink("audience", "count", "-", *at, "--list", "--data", shop, given=looked) == "user:42\n"
    never = "not_done: Product Viewed"
    assert wetink("audience", "count", "-", "--data", shop, given=never) == "0 of 1\n"
