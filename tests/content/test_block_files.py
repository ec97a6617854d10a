"""Block files: a block is renamed or deleted with all that names it, and its comments stay."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from wetink import apps
from wetink.content.block_files import deleted, dependents, renamed, with_fields
from wetink.content.content import Content, load
from wetink.content.strict_yaml import parse_yaml
from wetink.core.errors import BadContent, NotFound
from wetink.core.text.naming import free_slug

APPS = apps.load()
TEXT = b"""\
# the hero of every email
title: Hero
email: weekly
variants:
  - {name: seen, app: last-viewed}  # first
experiment:
  holdout: 10%
aliases:
- older
fallback: {title: New in, link: "https://shop.example/new"}
"""
MATE = b"email: weekly\nfallback: {link: 'https://shop.example/'}\n"
SCENARIOS = b"""\
name: New people
expect: {hero: {fallback: true}}
---
name: Both
expect: {older: {fallback: true}, mate: {fallback: true}}
"""
TREE = {
    "blocks/hero.yaml": TEXT,
    "blocks/mate.yml": MATE,
    "scenarios/a.yaml": SCENARIOS,
    "scenarios/b.yaml": b"expect: {hero: {fallback: true}}",
}


def loaded(tree: dict[str, bytes], changes: dict[str, bytes | None]) -> Content:
    return load({path: body for path, body in {**tree, **changes}.items() if body is not None}, APPS)


def test_a_renamed_block_answers_to_its_old_names_and_keeps_its_experiment_and_comments() -> None:
    changes = renamed(TREE, "hero", "summer", "Summer")
    assert changes["blocks/hero.yaml"] is None
    body = changes["blocks/summer.yaml"]
    assert body is not None
    assert b"# the hero of every email" in body
    assert b"# first" in body
    content = loaded(TREE, changes)
    assert content.problems == ()
    block = content.blocks["summer"]
    assert (block.title, block.aliases, block.first_name) == ("Summer", ("older", "hero"), "older")
    assert block.experiment is not None
    assert (block.experiment.name, block.experiment.holdout) == ("hero", "10%")
    assert {content.aliases["hero"], content.aliases["older"]} == {"summer"}


def test_a_block_may_get_an_earlier_name_back() -> None:
    once = {**TREE, **renamed(TREE, "hero", "summer", "Summer")}
    tree = {path: body for path, body in once.items() if body is not None}
    changes = renamed(tree, "summer", "hero", "Hero")
    assert loaded(tree, changes).blocks["hero"].aliases == ("older", "summer")


def test_another_title_alone_changes_one_line() -> None:
    assert renamed(TREE, "hero", "hero", "Hero") == {}
    assert renamed(TREE, "mate", "mate", "Mate") == {"blocks/mate.yml": MATE + b"title: Mate\n"}
    assert renamed(TREE, "hero", "hero", "")["blocks/hero.yaml"] == TEXT.replace(b"title: Hero\n", b"")


@pytest.mark.parametrize("name", ["mate", "Hero", "new", "a b", "", "../x", "a" * 65, "ä"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(BadContent, match=r"is not a name|already a block called mate"):
        renamed(TREE, "hero", name, "")
    with pytest.raises(NotFound):
        renamed(TREE, "absent", "free", "")


def test_deleting_a_block_takes_along_what_scenarios_expect_of_it() -> None:
    content = load(TREE, APPS)
    assert [(each.kind, each.title) for each in dependents(TREE, content, "hero")] == [
        ("Scenario", "New people"),
        ("Scenario", "Both"),
        ("Scenario", "scenarios/b.yaml"),
        ("Block", "mate"),
        ("Experiment", "hero"),
    ]
    changes = deleted(TREE, content, "hero")
    assert {path for path, body in changes.items() if body is None} == {"blocks/hero.yaml", "scenarios/b.yaml"}
    rest = changes["scenarios/a.yaml"]
    assert rest is not None
    assert parse_yaml(rest.decode()) == {"name": "Both", "expect": {"mate": {"fallback": True}}}
    assert loaded(TREE, changes).problems == ()
    assert dependents(TREE, content, "mate")[-1].effect.endswith("in the email weekly")


NAMES = st.sampled_from(["title", "paused", "aliases", "schedule", "alt"])
VALUES = (
    st.none() | st.booleans() | st.text("ab :#'\"\n-é", max_size=12) | st.lists(st.text("ab", min_size=1), max_size=3)
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=5)


@given(FIELDS, FIELDS, st.booleans())
def test_any_field_is_set_or_removed_and_the_rest_stays(
    there: dict[str, Any], fields: dict[str, Any], flow: bool
) -> None:
    body = yaml.safe_dump({"fallback": {"link": "x"}, **there}, default_flow_style=flow, allow_unicode=True).encode()
    wanted = {"fallback": {"link": "x"}, **there, **fields}
    wanted = {name: value for name, value in wanted.items() if value is not None or name not in fields}
    assert parse_yaml(with_fields(body, fields).decode()) == wanted


def test_a_name_is_made_from_a_title() -> None:
    taken = {"sale", "sale-2"}
    assert [free_slug(each, taken) for each in ("Sale", "Sale!", "  ", "\u00c9t\u00e9 2026", "x" * 99)] == [
        "sale-3", "sale-3", "block", "ete-2026", "x" * 50,
    ]  # fmt: skip
