"""Audiences that name each other: how large they are once written out, and that counting it costs little."""

from collections.abc import Mapping

import pytest

from wetink.core.errors import BadContent
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.check import problems_of
from wetink.core.rules.evaluate import Rulebook, compiled
from wetink.core.rules.parse import parse
from wetink.core.rules.tree import Rule, Subject
from wetink.core.signals.audience import Audience, rules_of, usable

VIEW = {"done": "Product Viewed"}


def chain(length: int, times: int, join: str = "all", *, first: str = "a0") -> dict[str, Audience]:
    """Audiences each of which names the one before it so many times."""
    made = {first: Audience(first, parse(VIEW))}
    for n in range(1, length):
        made[f"a{n}"] = Audience(f"a{n}", parse({join: [{"audience": f"a{n - 1}"}] * times}))
    return made


def refused(audiences: Mapping[str, Audience]) -> dict[str, str]:
    return {name: told[0] for name, told in usable(audiences)[1].items()}


@pytest.mark.parametrize("join", ["all", "any"])
@pytest.mark.parametrize(("length", "times"), [(30, 2), (60, 2), (30, 9), (12, 100), (4, 400), (500, 3)])
def test_audiences_that_multiply_are_refused_and_the_small_ones_stay(join: str, length: int, times: int) -> None:
    wrong = refused(chain(length, times, join))  # without the count it would be years
    left, nodes = 0, 1
    while left < length and nodes <= 5_000:
        left, nodes = left + 1, 1 + times * (nodes + 1)
    assert len(wrong) >= length - left - 1
    assert "a0" not in wrong
    assert any("they refer to" in told for told in wrong.values())


def test_a_long_row_of_audiences_is_refused_only_where_it_lies_too_deep() -> None:
    wrong = refused(chain(5_000, 1))
    assert {"a0", "a1", "a30", "a45"}.isdisjoint(wrong)
    assert {"a60", "a4999"} <= wrong.keys()


@pytest.mark.parametrize("length", [1, 2, 30, 200, 3_000])
def test_circles_of_any_length_are_told(length: int) -> None:
    names = [f"a{n}" for n in range(length)]
    rules = {name: parse({"all": [{"audience": names[(n + 1) % length]}] * 2}) for n, name in enumerate(names)}
    wrong = refused({name: Audience(name, rule) for name, rule in rules.items()})
    assert wrong.keys() == set(names)
    assert "circle" in wrong["a0"]


def test_a_rule_that_names_a_refused_audience_is_refused() -> None:
    audiences = {name: Audience(name, parse({"audience": f"a{n - 1}"})) for n, name in enumerate(["a0", "a1", "a2"])}
    audiences["alone"] = Audience("alone", parse(VIEW))
    left, wrong = usable(audiences)
    assert left.keys() == {"alone"}
    assert wrong.keys() == {"a0", "a1", "a2"}


def large() -> tuple[Rule, dict[str, Rule]]:
    return parse({"audience": "a29"}), rules_of(chain(30, 2))


def test_a_rule_with_a_too_large_audience_is_reported_and_never_compiled() -> None:
    rule, audiences = large()
    assert "they refer to" in next(iter(problems_of(rule, "", audiences)))
    with pytest.raises(BadContent, match="they refer to"):
        compiled(rule, audiences)
    book, nobody = Rulebook(audiences), Subject(Person(), Moment(0))
    assert not book.of(rule).holds(nobody)
    assert book.of(rule).explain(nobody).unknown
