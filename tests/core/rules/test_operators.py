"""Operators: each of them is told of, holds for something and fails for something; expressions stay quick."""

import time

import pytest

from wetink.core.errors import BadContent
from wetink.core.rules.check import problems_of
from wetink.core.rules.operators import BY_NAME, OPERATORS, passes, pattern_of
from wetink.core.rules.tree import Test, Trait, today

DAY = 86_400_000
NOW = today(20_000 * DAY)
SAID = {
    "equals": ("Gold", "gold ", "silver"), "not_equals": ("gold", None, "Gold"),
    "one_of": (("a", 7), "7", "b"), "none_of": (("a", 7), "b", 7.0), "contains": ("ol", "GOLD", "silver"),
    "starts_with": ("go", "Gold", "a gold"), "ends_with": ("ld", "gold", "golden"),
    "matches": ("^g.+d$", "gold", "Gold"),
    "above": (5, "5.1", 5), "at_least": (5, 5, 4.9), "below": (5, "-1", 5), "at_most": (5, "5", 5.1),
    "between": ((1, 2), 2, 2.1), "before": ("2024-10-04", "2024-10-03", "2024-10-04"),
    "after": ("2024-10-04", "2024-10-04", "2024-10-03"), "within": ("2d", "2024-10-03", "2024-10-05"),
    "ahead": ("2d", "2024-10-05", "2024-10-03"), "anniversary": ("today", "1999-10-04", "1999-10-05"),
    "exists": (True, 0, None),
}  # fmt: skip
"""Operator -> what it compares with, a value that passes, and one that does not."""


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_each_operator_passes_and_fails_and_is_explained(operator: object) -> None:
    name = operator.name  # type: ignore[attr-defined]
    wanted, good, bad = SAID[name]
    passing = passes([Test(name, wanted)])
    assert passing(good, NOW)
    assert not passing(bad, NOW)
    assert not list(problems_of(Trait("x", (Test(name, wanted),))))
    assert BY_NAME[name].about


@pytest.mark.parametrize("name", sorted(set(SAID) - {"not_equals", "none_of", "exists"}))
def test_nothing_passes_what_is_not_there(name: str) -> None:
    assert not passes([Test(name, SAID[name][0])])(None, NOW)
    assert not passes([Test(name, SAID[name][0])])({}, NOW)
    assert not passes([Test(name, SAID[name][0])])([], NOW)


@pytest.mark.parametrize("name", sorted(set(SAID) - {"not_equals", "none_of", "exists"}))
def test_a_list_passes_when_one_of_it_does(name: str) -> None:
    wanted, good, bad = SAID[name]
    assert passes([Test(name, wanted)])([bad, None, {"a": 1}, good], NOW)
    assert not passes([Test(name, wanted)])([bad, [bad]], NOW)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(x+x+)+y", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_an_expression_takes_no_longer_than_its_text_is_long(pattern: str) -> None:
    """With an engine that backtracks these take years; the processor's time is measured so that load does not count."""
    fits = pattern_of(pattern)
    before = time.process_time()
    fits("a" * 50_000 + "!")
    fits("x" * 50_000)
    assert time.process_time() - before < 5


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", r"(a)\1", "a{2000}", "x" * 2_000, "[z-a]"])
def test_an_invalid_regular_expression_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(BadContent) as raised:
        pattern_of(pattern)
    assert "regular expression" in str(raised.value)
