"""Trends: who is counted, what a surge does, what goes together, and that memory is bounded."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.catalog import trends as module
from wetink.core.catalog.trends import DAY, HOUR, KEPT_HOURS, Trends
from wetink.core.events.event import Event, Product

NOW = 1_800_000_000_000


def did(name: str, ago: int, *skus: str, who: str = "u", category: str = "Home", **properties: Any) -> Event:
    products = tuple(Product(sku=sku, category=category) for sku in skus)
    return Event("track", NOW - ago, f"{who}{ago}", "s", name, user=who, products=products, properties=properties)


def order_of(trends: Trends, measure: Any = "viewed", window: int = DAY, **more: Any) -> list[str]:
    return [ranked.key for ranked in trends.popular(measure, window, NOW, **more)]


def test_people_are_counted_not_their_clicks() -> None:
    many = [did("Product Viewed", 10_000 + n, "A", who="one") for n in range(50)]
    trends = Trends([*many, *(did("Product Viewed", 20_000, "B", who=f"u{n}") for n in range(3))])
    assert [(each.key, each.people) for each in trends.popular("viewed", DAY, NOW)] == [("B", 3), ("A", 1)]
    assert order_of(trends, least=2) == ["B"]


def test_a_surge_shows_while_it_happens() -> None:
    steady = [
        did("Product Viewed", hours * HOUR, "steady", who=f"s{hours}-{n}") for hours in range(24) for n in range(2)
    ]
    surge = [did("Product Viewed", 0, "surge", who=f"r{n}") for n in range(20)]
    assert order_of(Trends([*steady, *surge])) == ["surge", "steady"]
    assert len(steady) > len(surge)


@pytest.mark.parametrize(
    ("more", "expected"),
    [({}, ["A", "B"]), ({"category": "lamps"}, ["B"]), ({"region": "DE"}, ["A"]), ({"region": "fr"}, [])],
)
def test_a_category_or_a_region_narrows_trends(more: dict[str, str], expected: list[str]) -> None:
    events = [did("Product Viewed", 0, "A", who=who, country="de") for who in "xy"]
    assert order_of(Trends([*events, did("Product Viewed", 0, "B", category="Lamps")]), **more) == expected


def test_a_window_ends_and_the_future_has_not_happened() -> None:
    trends = Trends([did("Product Viewed", 30 * HOUR, "old"), did("Product Viewed", HOUR, "new")])
    assert order_of(trends) == ["new"]
    assert order_of(trends, window=2 * DAY) == ["new", "old"]


def test_what_is_unusable_or_no_track_of_products_counts_for_nothing() -> None:
    viewed = did("Product Viewed", 0, "A")
    unusable = Event("track", NOW, "m", "s", "Product Viewed", usable=False, products=viewed.products)
    assert order_of(Trends([unusable, did("Cart Viewed", 0, "A"), Event("page", NOW, "m", "s")])) == []


def test_what_is_seen_in_one_visit_and_bought_in_one_order_goes_together() -> None:
    trends = Trends(
        [
            did("Product Viewed", 50 * 60_000, "A"),
            did("Product Viewed", 40 * 60_000, "B"),
            did("Product Viewed", 1_000, "C"),
            did("Order Completed", 0, "A", "D"),
        ]
    )
    assert list(trends.together("A", "viewed")) == ["B"]
    assert list(trends.together("C", "viewed")) == []
    assert list(trends.together("D", "bought")) == ["A"]


def test_people_who_bought_a_product_are_counted_since_a_time() -> None:
    trends = Trends([did("Order Completed", hours * HOUR, "A", who=f"u{hours}") for hours in (0, 1, 5, 30)])
    assert trends.people("A", "bought", NOW - 6 * HOUR, NOW + 1) == 3
    trends.forget(NOW + 3 * DAY)
    assert trends.people("A", "bought", NOW - 6 * HOUR, NOW + 1) == 3, "numbers outlive names"
    trends.forget(NOW + (KEPT_HOURS + 48) * HOUR)
    assert trends.people("A", "bought", NOW - 6 * HOUR, NOW + 1) == 0


def test_arrivals_are_the_newest_of_their_category() -> None:
    trends = Trends([did("Product Viewed", ago * DAY, sku) for sku, ago in (("A", 9), ("B", 2), ("C", 1), ("A", 1))])
    assert list(trends.arrivals("home", NOW - 5 * DAY)) == ["C", "B"]


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 40), st.sampled_from("xyz")), max_size=25), st.randoms()
)
def test_the_order_of_arrival_changes_no_count(what: list[tuple[str, int, str]], chance: random.Random) -> None:
    events = [did("Product Viewed", hours * HOUR, sku, who=who) for sku, hours, who in what]
    shuffled = list(events)
    chance.shuffle(shuffled)
    one, other = Trends(events), Trends(shuffled)
    assert one.popular("viewed", 2 * DAY, NOW) == other.popular("viewed", 2 * DAY, NOW)


def test_trends_keep_a_bounded_number_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECENT_PEOPLE", 50)
    monkeypatch.setattr(module, "BUYERS", 50)
    trends = Trends()
    for number in range(2_000):
        trends.observe(did("Product Viewed", number, f"P{number % 500}", who=f"u{number}"))
        trends.observe(did("Order Completed", number, *(f"P{(number + n) % 500}" for n in range(20)), who=f"u{number}"))
    assert max(len(beside) for beside in trends._together["bought"].values()) <= 2 * module.TOGETHER
    assert len(trends._recent) <= 50
    assert len(trends._bought) <= 50


def test_a_flood_of_people_forgets_who_it_was_and_keeps_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMED", 100)
    trends = Trends()
    for number in range(1_000):
        trends.observe(did("Product Viewed", number * HOUR // 100, "P", who=f"u{number}"))
    named = [found for there in trends._hours["viewed"].values() for found in there.values() if isinstance(found, set)]
    assert sum(map(len, named)) <= 100
    assert trends.people("P", "viewed", NOW - 11 * HOUR, NOW + HOUR) == 1_000
