"""Scenario files: the examples hold, and a scenario that does not says what was expected and what came."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import wetink
from wetink.apps import load
from wetink.cli import main
from wetink.content.content import load as read
from wetink.content.scenario import outcomes
from wetink.content.tree import read_tree

HOME = Path(wetink.__file__).parent
APPS = load()
BLOCK = """
variants:
  - {name: hot, app: trending, settings: {least: 2}, when: [{trait: plan, equals: gold}]}
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
"""
VIEW = "{event: Product Viewed, properties: {sku: A, name: Mug, url: 'https://shop.example/a'}"


@pytest.mark.parametrize("place", ["content/starter", "demo/content"])
def test_every_scenario_of_the_examples_holds(place: str) -> None:
    tree = read_tree(HOME / place)
    found = list(outcomes(tree, read(tree, APPS), APPS))
    assert found
    assert [outcome for outcome in found if outcome.wrong] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"blocks/hero.yaml": BLOCK, "scenarios/one.yaml": ""}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path


def told(folder: Path, scenario: str) -> tuple[str, ...]:
    (folder / "scenarios" / "one.yaml").write_text(scenario)
    tree = read_tree(folder)
    [outcome] = outcomes(tree, read(tree, APPS), APPS)
    return outcome.wrong


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (f"events: [{VIEW}}}]\nexpect: {{hero: {{variant: seen, items: [A], link: 'https://shop.example/a'}}}}", ""),
        (f"events: [{VIEW}}}]\nexpect: {{hero: {{items: [B]}}}}", "expected items B, got A"),
        (f"events: [{VIEW}}}]\nexpect: {{hero: {{fallback: true}}}}", "expected the fallback, got seen"),
        (f"events: [{VIEW}, ago: 40d}}]\nexpect: {{hero: {{app: last-viewed}}}}", "expected app last-viewed, got none"),
        ("expect: {hero: {variant: seen}}", "expected variant seen, got the fallback"),
        ("expect: {hero: {why: magic}}", "expected the trace to say 'magic'"),
        ("expect: {absent: {fallback: true}}", "there is no block called absent"),
        ("expect: {}", "length >= 1"),
        ("expect: {hero: {colour: red}}", "unknown field"),
        ("at: soon\nexpect: {hero: {fallback: true}}", "'soon' is not a time"),
        ("events: [{event: Product Viewed}]\nexpect: {hero: {fallback: true}}", "events[0] is unusable"),
        ("events: [{event: X, ago: later}]\nexpect: {hero: {fallback: true}}", "not a duration"),
        ("{", "line 1: did not find"),
        (
            f"events: [{VIEW}, userId: x}}, {VIEW}, userId: y}}, {{traits: {{plan: gold}}}}]\n"
            "expect: {hero: {variant: hot, items: [A]}}",
            "",
        ),
        (
            "events: [{traits: {plan: gold}}"
            + "".join(
                f", {{event: Order Completed, userId: {who}, properties: {{order_id: {who}, total: 5, "
                "products: [{sku: A, name: Mug, url: 'https://shop.example/a', price: 5}]}}"
                for who in "xyz"
            )
            + "]\nexpect: {hero: {variant: hot, items: [A]}}",
            "",
        ),
    ],
)  # fmt: skip
def test_a_scenario_holds_or_says_what_came_instead(folder: Path, scenario: str, said: str) -> None:
    wrong = told(folder, scenario)
    assert (not wrong) if not said else any(said in each for each in wrong), wrong


def test_the_command_tells_what_failed_and_ends_with_1(folder: Path) -> None:
    (folder / "scenarios" / "one.yaml").write_text("name: Strangers see news\nexpect: {hero: {variant: news}}")
    answer = CliRunner().invoke(main, ["test", str(folder)])
    assert answer.exit_code == 1
    for fact in ("Strangers see news", "expected variant news, got the fallback", "fallback: no variant matches"):
        assert fact in answer.output
    (folder / "scenarios" / "one.yaml").write_text("expect: {hero: {fallback: true}}")
    answer = CliRunner().invoke(main, ["test", str(folder), "--json"])
    assert answer.exit_code == 0
    [outcome] = json.loads(answer.output)
    assert (outcome["block"], outcome["wrong"]) == ("hero", [])
    (folder / "scenarios" / "one.yaml").unlink()
    answer = CliRunner().invoke(main, ["test", str(folder)])
    assert answer.exit_code == 0
    assert "has no scenarios" in answer.output
