"""Rules: whether a condition holds for a person at a moment, and why, in words that a marketer reads."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.block import Condition
from wetink.core.errors import BadContent
from wetink.core.person import Person
from wetink.core.rule import holds

DAY = 86_400_000
NOW = 100 * DAY
VIEW = "Product Viewed"
SHOPPER = Person(done={VIEW: (NOW - 10 * DAY, NOW - 7 * DAY, NOW - DAY), "Order Completed": (NOW - 40 * DAY,)})


@pytest.mark.parametrize(
    ("condition", "expected", "why"),
    [
        (Condition(done=VIEW), True, "did Product Viewed 3 times"),
        (Condition(done=VIEW, at_least=3), True, "did Product Viewed 3 times"),
        (Condition(done=VIEW, at_least=4), False, "did Product Viewed 3 times, not 4"),
        (Condition(done="Order Completed"), True, "did Order Completed once"),
        (Condition(done="Product Shared"), False, "did not do Product Shared"),
        (Condition(done=VIEW, within="7d"), True, "did Product Viewed 2 times within 7d"),
        (Condition(done=VIEW, within="7d", at_least=3), False, "did Product Viewed 2 times within 7d, not 3"),
        (Condition(done=VIEW, within="167h"), True, "did Product Viewed once within 167h"),
        (Condition(done=VIEW, within="23h"), False, "did not do Product Viewed within 23h"),
        (Condition(not_done=VIEW), False, "did Product Viewed 3 times"),
        (Condition(not_done=VIEW, at_least=4), True, "did Product Viewed only 3 times"),
        (Condition(not_done="Order Completed", at_least=2), True, "did Order Completed only once"),
        (Condition(not_done="Order Completed", within="30d"), True, "did not do Order Completed within 30d"),
        (Condition(not_done="Order Completed", within="40d"), False, "did Order Completed once within 40d"),
        (Condition(not_done="Product Shared"), True, "did not do Product Shared"),
    ],
)
def test_what_was_done_within_a_window(condition: Condition, expected: bool, why: str) -> None:
    assert holds(condition, SHOPPER, NOW) == (expected, why)


def test_a_stranger_has_done_nothing_and_has_no_traits() -> None:
    assert holds(Condition(not_done=VIEW, within="1d"), Person(), NOW)[0]
    assert not holds(Condition(done=VIEW), Person(), NOW)[0]
    assert holds(Condition(trait="plan", equals="gold"), Person(), NOW) == (False, "trait plan is not set")
    assert holds(Condition(trait="plan", exists=False), Person(), NOW)[0]


def test_a_window_that_cannot_be_read_is_told_with_the_way_to_write_it() -> None:
    with pytest.raises(BadContent) as raised:
        holds(Condition(done=VIEW, within="a while"), SHOPPER, NOW)
    assert "a while" in str(raised.value)
    assert "7d" in raised.value.hint


TRAITS: dict[str, Any] = {
    "plan": "Gold ",
    "age": 42,
    "score": 4.5,
    "vip": True,
    "nothing": None,
    "empty": "",
    "zero": 0,
    "tags": ["Red", 7, {"a": 1}],
    "address": {"city": "Ulm", "geo": {"lat": 48}},
    "address.zip": "89073",
}


@pytest.mark.parametrize(
    ("trait", "equals", "expected"),
    [
        ("plan", "Gold ", True),
        ("plan", "gold", True),
        ("plan", "silver", False),
        ("age", 42, True),
        ("age", "42", True),
        ("age", 42.0, True),
        ("age", 43, False),
        ("score", "4.5", True),
        ("zero", 0, True),
        ("zero", "0", True),
        ("zero", False, False),
        ("vip", True, True),
        ("vip", "true", True),
        ("vip", "TRUE", True),
        ("vip", 1, False),
        ("vip", False, False),
        ("empty", "", True),
        ("nothing", "None", False),
        ("absent", "None", False),
        ("tags", "red", True),
        ("tags", "7", True),
        ("tags", "blue", False),
        ("address.city", "ulm", True),
        ("address.geo.lat", 48, True),
        ("address.geo.lat.deeper", 48, False),
        ("address.zip", 89073, True),
        ("address", "Ulm", False),
        ("tags.0", "Red", False),
    ],
)
def test_a_trait_is_one_value_however_a_sender_writes_it(trait: str, equals: Any, expected: bool) -> None:
    assert holds(Condition(trait=trait, equals=equals), Person(traits=TRAITS), NOW)[0] is expected
    several = Condition(trait=trait, one_of=("something else", equals))
    assert holds(several, Person(traits=TRAITS), NOW)[0] is expected


@pytest.mark.parametrize(("found", "equals"), [(42.0, "42"), ("42", 42.0)])
def test_a_whole_number_is_the_same_with_and_without_its_point(found: Any, equals: Any) -> None:
    assert holds(Condition(trait="age", equals=equals), Person(traits={"age": found}), NOW)[0]


@pytest.mark.parametrize(
    ("trait", "there"),
    [("plan", True), ("empty", True), ("zero", True), ("address.city", True), ("nothing", False), ("absent", False),
     ("address.street", False), ("plan.color", False)],
)  # fmt: skip
def test_a_trait_exists_when_it_has_a_value(trait: str, there: bool) -> None:
    for wanted in (True, False):
        assert holds(Condition(trait=trait, exists=wanted), Person(traits=TRAITS), NOW)[0] is (there is wanted)


@pytest.mark.parametrize(
    ("trait", "why"),
    [("plan", 'trait plan is "Gold "'), ("vip", "trait vip is true"), ("absent", "trait absent is not set")],
)
def test_the_reason_shows_the_trait(trait: str, why: str) -> None:
    assert holds(Condition(trait=trait, exists=True), Person(traits=TRAITS), NOW)[1] == why


def test_the_reason_stays_short_however_long_the_trait() -> None:
    _, why = holds(Condition(trait="bio", exists=True), Person(traits={"bio": "x" * 5_000}), NOW)
    assert len(why) < 100
    assert why.endswith("\N{HORIZONTAL ELLIPSIS}")


@given(
    st.lists(st.integers(0, NOW), max_size=9).map(lambda times: tuple(sorted(times))),
    st.integers(1, 4),
    st.sampled_from(["", "1d", "12h", "3w"]),
)
def test_done_and_not_done_never_hold_together(times: tuple[int, ...], at_least: int, within: str) -> None:
    person = Person(done={VIEW: times})
    done, _ = holds(Condition(done=VIEW, within=within, at_least=at_least), person, NOW)
    not_done, _ = holds(Condition(not_done=VIEW, within=within, at_least=at_least), person, NOW)
    assert done is not not_done
