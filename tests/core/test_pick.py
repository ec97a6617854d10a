"""Filters: which products they let through; and picking: filtered first, then cut off, none twice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.app.app import Shop
from wetink.core.app.product_grid import Filter, known, pick
from wetink.core.events.event import Order, Product
from wetink.core.profile.person import Person, Purchase, Seen

MUG = Product(sku="M", name="Mug", url="https://s.example/m", price=10.0, category="Home > Table", brand="Tide")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"categories": ("Home",)}, True),
        ({"categories": ("home > table",)}, True),
        ({"categories": ("home/table",)}, True),
        ({"categories": ("Table",)}, False),
        ({"not_categories": ("Home",)}, False),
        ({"brands": ("TIDE", "Other")}, True),
        ({"brands": ("Other",)}, False),
        ({"price_from": 10, "price_to": 10}, True),
        ({"price_from": 10.01}, False),
        ({"price_to": 9.99}, False),
        ({"skip": ("M",)}, False),
    ],
)
def test_a_filter_passes_products_within_its_bounds(fields: dict[str, Any], expected: bool) -> None:
    assert Filter(**fields).lets(MUG) is expected


def test_a_product_without_a_price_passes_no_filter_on_prices() -> None:
    assert not Filter(price_to=5).lets(Product(sku="A"))
    assert not Filter(price_from=0).lets(Product(sku="A"))


@pytest.mark.parametrize("fields", [{"availability": "out_of_stock"}, {"stock": 0}])
def test_what_cannot_be_bought_is_let_through_only_when_asked_for(fields: dict[str, Any]) -> None:
    gone = Product(sku="A", **fields)
    assert not Filter().lets(gone)
    assert Filter(buyable=False).lets(gone)


skus = st.sampled_from("ABCDEFGH")


def made(sku: str) -> Product:
    return Product(sku=sku, name=sku, url=f"https://s.example/{sku}", price=float(ord(sku)))


@given(
    st.lists(st.lists(skus, max_size=6), max_size=4),
    st.integers(1, 6),
    st.sets(skus, max_size=4),
    st.sets(skus, max_size=4),
)
def test_places_stay_empty_only_when_nothing_more_fits(
    sources: list[list[str]], count: int, skipped: set[str], taken: set[str]
) -> None:
    only, there = Filter(skip=tuple(skipped)), Shop(taken=frozenset(taken))
    seen = [[Seen(made(sku), 0) for sku in source] for source in sources]
    picked = [each.product.sku for each in pick(count, seen, only, Person(), there)]
    fits = list(dict.fromkeys(sku for source in sources for sku in source if sku not in skipped | taken))
    assert picked == fits[:count]


def test_what_was_bought_is_left_out_when_told_so_and_the_newest_facts_are_shown() -> None:
    bought = Person(orders=(Purchase(Order("o"), (made("A"),), 0),))
    sources = [[Seen(made("A"), 0), Seen(made("B"), 0)]]
    newest = Shop(products={"B": Product(sku="B", name="Bee", price=1.0)})
    (one,) = pick(3, sources, Filter(bought=False), bought, newest)
    assert (one.product.name, one.product.price, one.product.url) == ("Bee", 1.0, "https://s.example/B")


def test_known_leaves_out_products_that_the_catalog_lacks() -> None:
    assert [each.product.sku for each in known(["A", "B"], Shop(products={"B": made("B")}))] == ["B"]


def test_nothing_without_a_name_or_an_address_is_picked() -> None:
    bare = [Seen(Product(sku="A", name="A"), 0), Seen(Product(sku="B", url="https://s.example/b"), 0)]
    assert pick(3, [bare], Filter(), Person(), Shop()) == ()
