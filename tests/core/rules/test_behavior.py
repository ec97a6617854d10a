"""Behavior: how often and when somebody did something, with what, in which order; and figures over it."""

from typing import Any

import pytest

from tests.core.rules.asking import (
    ADD,
    DAY,
    HOUR,
    NOW,
    ORDER,
    VIEW,
    asked,
    event,
    holds,
    ordered,
    person,
    product,
    viewed,
)
from wetink.core.events.event import Event
from wetink.core.profile.person import Person

SHOPPER = Person(done={VIEW: (NOW - 10 * DAY, NOW - 7 * DAY, NOW - DAY), ORDER: (NOW - 40 * DAY,)})


@pytest.mark.parametrize(
    ("rule", "expected", "why"),
    [
        ({"done": VIEW}, True, "did Product Viewed 3 times"),
        ({"done": VIEW, "at_least": 3}, True, "did Product Viewed 3 times"),
        ({"done": VIEW, "at_least": 4}, False, "did Product Viewed 3 times, not 4"),
        ({"done": ORDER}, True, "did Order Completed once"),
        ({"done": "Product Shared"}, False, "did not do Product Shared"),
        ({"done": VIEW, "within": "7d"}, True, "did Product Viewed 2 times within 7d"),
        ({"done": VIEW, "within": "7d", "at_least": 3}, False, "did Product Viewed 2 times within 7d, not 3"),
        ({"done": VIEW, "within": "167h"}, True, "did Product Viewed once within 167h"),
        ({"done": VIEW, "within": "23h"}, False, "did not do Product Viewed within 23h"),
        ({"done": VIEW, "exactly": 3}, True, "did Product Viewed 3 times"),
        ({"done": VIEW, "exactly": 2}, False, "did Product Viewed 3 times, more than 2"),
        ({"done": VIEW, "at_most": 3}, True, "did Product Viewed 3 times"),
        ({"done": "Product Shared", "at_most": 3}, True, "did not do Product Shared"),
        ({"done": "Product Shared", "exactly": 0}, True, "did not do Product Shared"),
        ({"done": VIEW, "at_least": 2, "at_most": 2}, False, "did Product Viewed 3 times, more than 2"),
        ({"not_done": VIEW}, False, "did Product Viewed 3 times"),
        ({"not_done": VIEW, "at_least": 4}, True, "did Product Viewed only 3 times"),
        ({"not_done": ORDER, "at_least": 2}, True, "did Order Completed only once"),
        ({"not_done": ORDER, "within": "30d"}, True, "did not do Order Completed within 30d"),
        ({"not_done": ORDER, "within": "40d"}, False, "did Order Completed once within 40d"),
        ({"not_done": "Product Shared"}, True, "did not do Product Shared"),
    ],
)
def test_a_rule_counts_how_often_something_was_done_in_a_window(rule: Any, expected: bool, why: str) -> None:
    found = asked(rule, SHOPPER)
    assert (found.holds, found.why) == (expected, why)


def test_an_event_is_meant_by_any_of_its_names() -> None:
    assert asked({"done": "Viewed Product"}, SHOPPER).holds
    assert asked({"done": "identify"}, person(Event("identify", NOW, "m", "s"))).holds


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"between": ["2024-10-01", "2024-10-02"]}, 2),
        ({"between": ["2024-10-01", "2024-10-01"]}, 1),
        ({"between": ["2024-10-01T12:00:01Z", "2024-10-02T11:59:59Z"]}, 0),
        ({"between": ["2024-10-01T12:00:00Z", "2024-10-02T12:00:00Z"]}, 2),
        ({"since": "last order"}, 1),
        ({"since": "last Product Added"}, 4),
        ({"in": "this visit"}, 1),
        ({"within": "1d"}, 1),
    ],
)
def test_a_window_counts_the_events_inside_it_alone(window: dict[str, Any], expected: int) -> None:
    """Noon of 4 October 2024 is now; there is a view each noon of the first three days, and one minutes ago."""
    days = [viewed(n * DAY) for n in (3, 2)]
    events = [*days, viewed(DAY + HOUR), ordered(DAY), viewed(10 * 60_000), event("Scrolled", 30 * 60_000)]
    assert asked({"done": VIEW, **window, "exactly": expected}, person(*events)).saw == expected


def test_a_visit_goes_back_as_far_as_no_gap_is_longer_than_half_an_hour() -> None:
    minutes = [20, 49, 79, 110]
    seen = [viewed(each * 60_000) for each in minutes]
    assert asked({"done": VIEW, "in": "this visit"}, person(*seen)).saw == 3
    assert asked({"done": VIEW, "in": "this visit"}, person(*seen[2:])).saw == 0
    assert asked({"done": VIEW, "in": "this visit"}, person(viewed(0))).saw == 1
    assert asked({"done": VIEW, "in": "this visit"}, person()).saw == 0


def test_the_first_time_must_lie_in_the_window() -> None:
    first = {"done": ORDER, "first_time": True, "within": "7d"}
    assert holds(first, ordered(DAY))
    assert not holds(first, ordered(DAY), ordered(8 * DAY))
    assert not holds(first, ordered(8 * DAY))
    large = {**first, "where": {"total": {"above": 100}}}
    assert holds(large, ordered(DAY, 150), ordered(8 * DAY, 50))
    assert not holds(large, ordered(DAY, 150), ordered(8 * DAY, 101))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"category": "shoes"}, True),
        ({"category": ["Hats", "Shoes"]}, True),
        ({"category": {"not_equals": "Shoes"}}, True),
        ({"category": "Shoes", "price": {"above": 50}}, False),
        ({"category": "Hats", "price": {"above": 50}}, True),
        ({"products.category": "Hats"}, True),
        ({"total": {"between": [100, 110]}}, True),
        ({"total": 105, "category": "Shoes"}, True),
        ({"total": 104, "category": "Shoes"}, False),
        ({"coupon": {"exists": True}}, False),
        ({"gift.wrap": "red"}, True),
        ({"gift.wrap": {"exists": False}}, False),
        ({"channel": {"starts_with": "AF"}}, True),
        ({"channel": {"matches": "^aff.*[0-9]$"}}, True),
        ({"channel": {"matches": "^FF"}}, False),
        ({"stars": {"at_least": 4}}, True),
        ({"stars": {"below": 4}}, False),
        ({"no": {"not_equals": "such"}}, True),
    ],
)
def test_an_event_counts_when_its_properties_pass(where: dict[str, Any], expected: bool) -> None:
    """What is asked of products must be true of one and the same product."""
    bought = (product("a", category="Shoes", price=40.0), product("b", category="Hats", price=65.0))
    more = {"gift": {"wrap": "Red"}, "channel": "affiliate 7", "stars": "4.5"}
    assert holds({"done": ORDER, "where": where}, ordered(DAY, 105.0, *bought, properties=more)) is expected


def test_what_was_searched_for_and_which_page_it_was_can_be_asked() -> None:
    search = event("Products Searched", query="Red Tent")
    page = Event("page", NOW, "p", "test", "Pricing", properties={"path": "/pricing"})
    assert holds({"done": "Products Searched", "where": {"query": {"contains": "tent"}}}, search)
    assert holds({"done": "page", "where": {"name": "pricing", "path": {"ends_with": "ing"}}}, page)


def test_events_that_are_not_usable_do_not_count() -> None:
    broken = event(VIEW, usable=False)
    assert not holds({"done": VIEW}, broken)
    assert holds({"done": VIEW, "where": {"sku": "S"}, "exactly": 1}, broken, viewed(DAY))


A, B, C = "Product Added", "Order Completed", "Product Removed"


@pytest.mark.parametrize(
    ("events", "more", "expected"),
    [
        ("A5 B3", {}, True),
        ("B5 A3", {}, False),
        ("A5 A3 B3", {}, True),
        ("A9 B3", {"within": "1d"}, False),
        ("A3 B2", {"within": "1d"}, True),
        ("A9 A3 B2", {"within": "1d"}, True),
        ("A5 C4 B3", {"without": {"done": C}}, False),
        ("A5 C4 A4 B3", {"without": {"done": C}}, True),
        ("C6 A5 B3 C2", {"without": {"done": C}}, True),
        ("A5 B3", {"completed": {"within": "2d"}}, False),
        ("A5 B3 B1", {"completed": {"within": "2d"}}, True),
        ("A5", {}, False),
        ("", {}, False),
    ],
)
def test_a_sequence_is_one_thing_after_another(events: str, more: dict[str, Any], expected: bool) -> None:
    """Letters are events, numbers how many days ago; those of one day come in the order in which they stand."""
    names = {"A": A, "B": B, "C": C}
    told = [event(names[each[0]], int(each[1:]) * DAY, n) for n, each in enumerate(events.split())]
    assert holds({"sequence": [{"done": A}, {"done": B}], **more}, *told) is expected


def test_a_sequence_of_three_needs_each_step_by_an_event_of_its_own() -> None:
    three = {"sequence": [{"done": A}, {"done": A, "where": {"sku": "x"}}, {"done": B}], "within": "3d"}
    added = [event(A, ago * DAY, products=(product(sku),)) for ago, sku in ((5, "x"), (4, "x"))]
    assert not holds(three, added[0], event(B, 3 * DAY))
    assert holds(three, *added, event(B, 3 * DAY))
    assert not holds(three, *added, event(B, DAY))


ORDERS = [
    ordered(100 * DAY, 500.0), ordered(30 * DAY, 0.1, product("a", price=5.0, category="Tea")),
    ordered(20 * DAY, 0.2, product("b", price=7.0, category="Tea"), product("c", price=90.0, category="Hats")),
    ordered(10 * DAY, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked_", "saw"),
    [
        ({"sum": "total", "within": "90d", "equals": 0.3}, 0.3),
        ({"sum": "total", "above": 500}, 500.3),
        ({"average": "total", "within": "90d", "equals": 0.15}, 0.15),
        ({"maximum": "total", "at_least": 500}, 500.0),
        ({"minimum": "total", "below": 0.2}, 0.1),
        ({"distinct": "category", "equals": 2}, 2),
        ({"distinct": "sku", "at_least": 3}, 3),
        ({"sum": "price", "where": {"category": "tea"}, "equals": 12}, 12.0),
        ({"sum": "nothing", "equals": 0}, 0.0),
        ({"sum": "total", "within": "90d", "is": {"between": [0.2, 0.4]}}, 0.3),
    ],
)
def test_a_rule_compares_sums_averages_and_extremes_of_event_values(asked_: dict[str, Any], saw: float) -> None:
    found = asked({"of": ORDER, **asked_}, person(*ORDERS))
    assert (found.holds, found.saw) == (True, saw)


def test_an_average_without_values_never_holds() -> None:
    found = asked({"average": "total", "of": ORDER, "below": 10}, person())
    assert (found.holds, found.saw) == (False, None)
    assert asked({"average": "total", "of": ORDER, "exists": False}, person()).holds


def test_a_rule_on_an_added_product_needs_no_order() -> None:
    assert holds({"done": ADD, "where": {"sku": "S"}}, event(ADD, products=(product("S"),)))
