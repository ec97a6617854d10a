"""Form: a rule as a form shows it, sends it back, and changes it button by button."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.rules.rules import odd, rules
from tests.examples import examples
from wetink.core.rules.form import BLANKS, draft_of, edited, listing, nested, parts, rooted, scalar, shown, spelling_of
from wetink.core.rules.format import spell
from wetink.core.rules.parse import Unreadable, parse

MANY = settings(max_examples=examples(150), deadline=None)


def fields(draft: Any, name: str = "rule") -> Iterator[tuple[str, str]]:
    """Yield the fields a form has for a draft, as a browser sends them."""
    if isinstance(draft, dict):
        for key, value in draft.items():
            yield from fields(value, f"{name}.{key}")
    elif isinstance(draft, list):
        for index, value in enumerate(draft):
            yield from fields(value, f"{name}.{index}")
    else:
        assert isinstance(draft, str)
        yield name, draft


@MANY
@given(rules)
def test_a_rule_that_a_form_shows_and_sends_back_is_the_same(spelled: Any) -> None:
    tree = parse(spelled)
    sent = nested(dict(fields(draft_of(spell(tree)))), "rule")
    assert parse(spelling_of(sent)) == tree


@MANY
@given(st.dictionaries(st.from_regex(r"rule(\.(of|where|0|1|kind|event|value)){1,4}", fullmatch=True), st.text()))
def test_any_form_submission_is_a_rule_or_reports_errors(form: dict[str, str]) -> None:
    for action in ("add of", "remove of.0", "group of.0", "add of.0.where", "remove", "x"):
        draft = edited(rooted(nested(form, "rule")), action)
        try:
            parse(spelling_of(draft))
        except Unreadable as error:
            assert error.problems  # noqa: PT017


@MANY
@given(odd)
def test_any_rule_file_can_be_shown_as_a_form(spelled: Any) -> None:
    assert dict(fields(draft_of(spelled)))


@MANY
@given(st.one_of(st.text(), st.booleans(), st.integers(-(10**15), 10**15)))
def test_a_value_is_read_as_it_is_shown(value: Any) -> None:
    again = scalar(shown(value))
    assert again == value
    assert type(again) is type(value)


@MANY
@given(st.lists(st.one_of(st.text(alphabet='ab,"\\ 7', min_size=1), st.integers(0, 99)), min_size=1))
def test_a_list_is_read_as_it_is_shown(values: list[Any]) -> None:
    assert parts(listing(values)) == values


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("add of", [{"kind": "cart"}, {"kind": "any", "of": []}, {"kind": "done", "event": ""}]),
        ("add of.1.of", [{"kind": "cart"}, {"kind": "any", "of": [{"kind": "done", "event": ""}]}]),
        (
            "add of.0.contains",
            [{"kind": "cart", "contains": [dict(BLANKS["contains"])]}, {"kind": "any", "of": []}],
        ),
        ("remove of.0", [{"kind": "any", "of": []}]),
        (
            "group of.0",
            [{"kind": "any", "of": [{"kind": "cart"}, {"kind": "done", "event": ""}]}, {"kind": "any", "of": []}],
        ),
        ("remove of.7", [{"kind": "cart"}, {"kind": "any", "of": []}]),
        ("add of.9.of", [{"kind": "cart"}, {"kind": "any", "of": []}]),
        ("sweep of.0", [{"kind": "cart"}, {"kind": "any", "of": []}]),
    ],
)
def test_each_button_edits_the_rule(action: str, after: list[Any]) -> None:
    draft = {"kind": "all", "of": [{"kind": "cart"}, {"kind": "any", "of": []}]}
    assert edited(draft, action) == {"kind": "all", "of": after}
