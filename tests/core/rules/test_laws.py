"""Laws: what holds of every rule there can be."""

from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.rules.asking import JANE, NOW
from tests.core.rules.rules import histories, odd, rules
from tests.examples import examples
from wetink.core.events.event import Event
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Moment
from wetink.core.rules.check import problems_of
from wetink.core.rules.evaluate import Finding, compiled
from wetink.core.rules.format import spell, words
from wetink.core.rules.nodes import NODES
from wetink.core.rules.parse import Unreadable, parse
from wetink.core.rules.tree import Rule, Subject

MANY = settings(max_examples=examples(300), deadline=None)


@MANY
@given(rules)
def test_a_rule_that_is_written_and_read_again_is_the_same(said: Any) -> None:
    tree = parse(said)
    assert parse(spell(tree)) == tree
    assert not list(problems_of(tree))
    assert words(tree)


def test_the_table_has_every_node_of_the_tree() -> None:
    assert {node.struct for node in NODES.values()} == set(get_args(Rule))


@MANY
@given(rules, histories())
def test_explain_and_holds_agree(said: Any, events: list[Event]) -> None:
    made = compiled(parse(said))
    subject = Subject(fold(events, NOW), Moment(NOW), root=JANE)
    found = made.explain(subject)
    assert found.holds is made.holds(subject)
    _agrees(found)


def _agrees(found: Finding) -> None:
    """A node holds by what its parts do, and each says why."""
    assert found.why
    held = [part.holds for part in found.parts]
    if found.parts:
        assert found.holds == {"all": all(held), "any": any(held), "not": not held[0]}[found.node]
    for part in found.parts:
        _agrees(part)


@MANY
@given(rules, histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_events_came_in_does_not_matter(said: Any, events: list[Event], random: Any) -> None:
    rule = compiled(parse(said))
    shuffled = random.sample(events, len(events))
    one, other = (Subject(fold(each, NOW), Moment(NOW), root=JANE) for each in (events, shuffled))
    assert rule.explain(one) == rule.explain(other)


@MANY
@given(odd)
def test_anything_that_is_no_rule_raises_only_unreadable(said: Any) -> None:
    try:
        tree = parse(said)
    except Unreadable as error:
        assert error.problems  # noqa: PT017
    else:
        assert list(problems_of(tree)) is not None
