"""Traits: traits however a sender writes them, the stage, chance, the cart, and what became of products."""

from typing import Any

import pytest

from tests.core.rules.asking import ADD, DAY, HOUR, NOW, VIEW, asked, event, ordered, person, product, viewed
from wetink.core.catalog.catalog import Change
from wetink.core.events.clock import parse as parse_time
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.traits import share_position

TRAITS: dict[str, Any] = {
    "plan": "Gold ",
    "age": 42,
    "score": 4.5,
    "vip": True,
    "nothing": None,
    "empty": "",
    "town": "Ko\u0308ln",
    "zero": 0,
    "tags": ["Red", 7, {"a": 1}],
    "address": {"city": "Ulm", "geo": {"lat": 48}},
    "address.zip": "89073",
    "spent": "$1,299.00",
    "birthday": "1980-10-06",
    "leap": "2000-02-29",
    "joined": "2024-09-20T10:00:00Z",
    "renews": "2024-10-09",
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
        ("town", "k\xf6ln", True),
        ("town", "K\xd6LN", True),
        ("town", "Koln", False),
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
    somebody = Person(traits=TRAITS)
    assert asked({"trait": trait, "equals": equals}, somebody).holds is expected
    assert asked({"trait": trait, "one_of": ["something else", equals]}, somebody).holds is expected
    assert asked({"trait": trait, "not_equals": equals}, somebody).holds is not expected
    assert asked({"trait": trait, "none_of": [equals]}, somebody).holds is not expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"trait": "age", "above": 41}, True),
        ({"trait": "age", "above": 42}, False),
        ({"trait": "spent", "at_least": 1299}, True),
        ({"trait": "plan", "above": 0}, False),
        ({"trait": "vip", "above": 0}, False),
        ({"trait": "tags", "at_most": 7}, True),
        ({"trait": "age", "above": 40, "below": 42}, False),
        ({"trait": "age", "between": [42, 42]}, True),
        ({"trait": "plan", "contains": "OL"}, True),
        ({"trait": "plan", "ends_with": "gold"}, True),
        ({"trait": "tags", "contains": "e"}, True),
        ({"trait": "plan", "matches": "^G.l"}, True),
        ({"trait": "plan", "matches": "^g.l"}, False),
        ({"trait": "plan", "matches": "(?i)^g.l"}, True),
        ({"trait": "absent", "matches": ".*"}, False),
        ({"trait": "joined", "within": "15d"}, True),
        ({"trait": "joined", "within": "14d"}, False),
        ({"trait": "joined", "before": "2024-09-21"}, True),
        ({"trait": "joined", "after": "2024-09-21"}, False),
        ({"trait": "renews", "ahead": "5d"}, True),
        ({"trait": "renews", "ahead": "4d"}, False),
        ({"trait": "birthday", "anniversary": "this week"}, True),
        ({"trait": "birthday", "anniversary": "today"}, False),
        ({"trait": "birthday", "anniversary": "2d"}, True),
        ({"trait": "birthday", "anniversary": "this month"}, True),
        ({"trait": "leap", "anniversary": "this month"}, False),
        ({"trait": "plan", "anniversary": "today"}, False),
        ({"trait": "plan", "before": "2024-09-21"}, False),
    ],
)
def test_traits_are_compared_as_what_they_are(rule: dict[str, Any], expected: bool) -> None:
    """It is Friday, 4 October 2024; the week goes on until Sunday the 6th."""
    assert asked(rule, Person(traits=TRAITS)).holds is expected


def test_a_leap_day_birthday_falls_on_the_first_of_march() -> None:
    for at, expected in (("2023-03-01", True), ("2023-02-28", False), ("2024-02-29", True)):
        now = parse_time(at) or 0
        assert asked({"trait": "leap", "anniversary": "today"}, Person(traits=TRAITS), now).holds is expected


def test_this_week_is_that_of_where_the_person_is() -> None:
    """At noon in London on a Sunday it is Monday already in Kiritimati."""
    sunday = NOW + 2 * DAY
    rule = {"trait": "birthday", "anniversary": "today"}
    assert asked(rule, Person(traits=TRAITS), sunday).holds
    assert not asked(rule, Person(traits=TRAITS), moment=Moment(sunday, time_zone="Pacific/Kiritimati")).holds


@pytest.mark.parametrize(
    ("trait", "there"),
    [("plan", True), ("empty", True), ("zero", True), ("address.city", True), ("nothing", False), ("absent", False),
     ("address.street", False), ("plan.color", False)],
)  # fmt: skip
def test_a_trait_exists_when_it_has_a_value(trait: str, there: bool) -> None:
    for wanted in (True, False):
        assert asked({"trait": trait, "exists": wanted}, Person(traits=TRAITS)).holds is (there is wanted)


@pytest.mark.parametrize(
    ("trait", "why"),
    [("plan", 'trait plan is "Gold "'), ("vip", "trait vip is true"), ("absent", "trait absent is not set")],
)
def test_the_reason_shows_the_trait(trait: str, why: str) -> None:
    assert asked({"trait": trait, "exists": True}, Person(traits=TRAITS)).why == why


def test_the_reason_stays_short_however_long_the_trait() -> None:
    why = asked({"trait": "bio", "exists": True}, Person(traits={"bio": "x" * 5_000})).why
    assert len(why) < 100
    assert why.endswith("\N{HORIZONTAL ELLIPSIS}")


@pytest.mark.parametrize(
    ("first", "last", "stage"),
    [(5, 1, "new"), (29, 1, "new"), (31, 1, "active"), (200, 89, "active"), (200, 91, "lapsed"), (91, 91, "lapsed")],
)
def test_somebody_is_new_then_active_then_lapsed(first: int, last: int, stage: str) -> None:
    somebody = person(viewed(first * DAY), viewed(last * DAY))
    held = [each for each in ("new", "active", "lapsed") if asked({"lifecycle": each}, somebody).holds]
    assert held == [stage]
    assert asked({"lifecycle": "lapsed", "lapsed_after": f"{last}d"}, somebody).holds is False
    assert asked({"lifecycle": "new", "new_for": f"{first}d", "lapsed_after": "999d"}, somebody).holds


def test_a_stranger_is_in_no_stage_has_no_place_and_has_done_nothing() -> None:
    assert not any(asked({"lifecycle": each}, Person()).holds for each in ("new", "active", "lapsed"))
    assert not asked({"share": "100%"}, Person(), root=None).holds
    assert not asked({"done": VIEW}, Person()).holds
    assert asked({"not_done": VIEW, "within": "1d"}, Person()).holds
    assert asked({"trait": "plan", "exists": False}, Person()).holds


def test_a_share_selects_that_share_of_people_and_changes_with_the_seed() -> None:
    people = [Identifier("user", str(number)) for number in range(2_000)]
    chosen = {
        seed: {p for p in people if asked({"share": "20%", "seed": seed}, Person(), root=p).holds} for seed in "ab"
    }
    rest = {p for p in people if asked({"share": "80%", "from": "20%", "seed": "a"}, Person(), root=p).holds}
    assert 340 < len(chosen["a"]) < 460
    assert chosen["a"] | rest == set(people)
    assert not chosen["a"] & rest
    assert 40 < len(chosen["a"] & chosen["b"]) < 120, "what one seed chooses says nothing of another"
    assert share_position(people[0], "a") == share_position(people[0], "a")


CART = [
    event(ADD, 3 * HOUR, products=(product("a", price=40.0, category="Shoes"),)),
    event(ADD, 2 * HOUR, products=(product("b", price=15.5, quantity=2),)),
]


@pytest.mark.parametrize(
    ("cart", "expected"),
    [
        ({"value": {"above": 70}}, True),
        ({"value": 71}, True),
        ({"value": {"above": 71}}, False),
        ({"items": {"at_least": 3}}, True),
        ({"items": 0}, False),
        ({"age": {"above": "1h"}}, True),
        ({"age": {"above": "1h", "below": "2h"}}, False),
        ({"contains": {"category": "shoes"}}, True),
        ({"contains": {"category": "shoes", "price": {"below": 20}}}, False),
    ],
)
def test_what_lies_in_the_cart(cart: dict[str, Any], expected: bool) -> None:
    assert asked({"cart": cart}, person(*CART)).holds is expected


def test_an_empty_cart_has_no_age_and_is_worth_nothing() -> None:
    assert asked({"cart": {"items": 0, "value": 0}}, person()).holds
    assert not asked({"cart": {"age": {"at_least": "1s"}}}, person()).holds
    assert not asked({"cart": {"contains": {"sku": {"exists": False}}}}, person()).holds
    assert asked({"cart": {"items": 0}}, person(*CART, ordered(0, 9.0))).why == "the cart is empty"


@pytest.mark.parametrize(
    ("rule", "now", "changes", "expected"),
    [
        ({"price_fell": "10%"}, Product(sku="S", price=90.0), (), True),
        ({"price_fell": "11%"}, Product(sku="S", price=90.0), (), False),
        ({"price_fell": "10%"}, None, (), False),
        ({"low_stock": 3}, Product(sku="S", stock=3), (), True),
        ({"low_stock": 3}, Product(sku="S", stock=4), (), False),
        ({"low_stock": 3}, Product(sku="S", stock=0), (), False),
        ({"low_stock": 3}, None, (), False),
        ({"back_in_stock": True}, Product(sku="S", stock=4), (Change(NOW - HOUR, stock=0), Change(NOW, stock=4)), True),
        ({"back_in_stock": True}, Product(sku="S", stock=4), (), False),
        ({"back_in_stock": False}, Product(sku="S", stock=4), (), True),
        ({"price_fell": "10%", "within": "23h"}, Product(sku="S", price=90.0), (), False),
        ({"price_fell": "10%", "where": {"category": "tea"}}, Product(sku="S", price=90.0), (), True),
        ({"price_fell": "10%", "where": {"category": "hats"}}, Product(sku="S", price=90.0), (), False),
    ],
)
def test_what_became_of_a_product_they_viewed(
    rule: dict[str, Any], now: Product | None, changes: tuple[Change, ...], expected: bool
) -> None:
    somebody = person(viewed(DAY, "S", price=100.0, category="Tea"))
    known = {"S": now} if now is not None else {}
    for interest in ("viewed", "any"):
        found = asked({"product": interest, **rule}, somebody, products=known, changes={"S": changes})
        assert found.holds is expected
    assert not asked({"product": "wished", **rule}, somebody, products=known, changes={"S": changes}).holds
