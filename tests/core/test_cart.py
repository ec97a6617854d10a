"""Cart lines: a product and its variant, through everything that happens to a cart."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.catalog.trust import refreshed
from wetink.core.events.event import Event, Order, Product
from wetink.core.profile.fold import fold, left_of, line_of, named
from wetink.core.profile.person import Seen

NOW = 10_000


def tee(variant: str = "", quantity: int = 1, **more: Any) -> Product:
    return Product(**{"sku": "TEE", "variant": variant, "quantity": quantity, **more})


def happened(*steps: tuple[str, Product] | tuple[str, list[Product]]) -> list[Event]:
    made = []
    for at, (name, what) in enumerate(steps, 1):
        products = tuple(what) if isinstance(what, list) else (what,)
        order = Order(order_id=f"O-{at}", total=1.0) if name == "Order Completed" else None
        made.append(Event("track", at, f"m{at}", "s", name, products=products, order=order))
    return made


def lines(events: list[Event]) -> list[tuple[str, int | float]]:
    return sorted((line.product.variant, line.product.quantity) for line in fold(events, NOW).cart.lines)


ADD, REMOVE, VIEW, ORDER = "Product Added", "Product Removed", "Cart Viewed", "Order Completed"
BOTH = [(ADD, tee("Small", 2)), (ADD, tee("Large", 1))]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], [("Large", 1), ("Small", 2)]),
        ([(ADD, tee("Small"))], [("Large", 1), ("Small", 3)]),
        ([(ADD, tee(" small "))], [(" small ", 3), ("Large", 1)]),
        ([(ADD, tee())], [("Large", 2), ("Small", 2)]),
        ([(ADD, tee("Medium", 4))], [("Large", 1), ("Medium", 4), ("Small", 2)]),
        ([(REMOVE, tee("Small"))], [("Large", 1), ("Small", 1)]),
        ([(REMOVE, tee("Small", 2))], [("Large", 1)]),
        ([(REMOVE, tee("Small", 9))], [("Large", 1)]),
        ([(REMOVE, tee("SMALL", 0))], [("Large", 1)]),
        ([(REMOVE, tee("Medium"))], [("Large", 1), ("Small", 2)]),
        ([(REMOVE, tee())], [("Small", 2)]),
        ([(REMOVE, tee("", 2))], [("Small", 1)]),
        ([(REMOVE, tee("", 3))], []),
        ([(REMOVE, tee("", 9))], []),
        ([(REMOVE, tee("", 0))], []),
        ([(ADD, tee("Small", -1))], [("Large", 1), ("Small", 1)]),
        ([(VIEW, [tee("Small", 1), tee("Large", 1)])], [("Large", 1), ("Small", 1)]),
        ([(VIEW, [tee("Large", 5)])], [("Large", 5)]),
        ([(VIEW, [tee("", 3)])], [("", 3)]),
        ([(ORDER, [tee("Small", 2)])], [("Large", 1)]),
        ([(ORDER, [tee("small", 1)])], [("Large", 1)]),
        ([(ORDER, [tee("Small"), tee("Large")])], []),
        ([(ORDER, [tee()])], []),
        ([(ORDER, [tee("S / Blue")])], []),
        ([(ORDER, [Product(sku="MUG")])], [("Large", 1), ("Small", 2)]),
        ([(ORDER, [])], []),
        ([(REMOVE, tee("Small", 2)), (ADD, tee("Small"))], [("Large", 1), ("Small", 1)]),
    ],
)
def test_what_happens_to_a_cart_with_two_variants(steps: list[Any], expected: list[Any]) -> None:
    events = happened(*BOTH, *steps)
    assert lines(events) == expected
    assert lines(list(reversed(events))) == expected, "whatever came in first"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(ADD, tee("", 2)), (ADD, tee("", 1))], [("", 3)]),
        ([(ADD, tee("", 2)), (ADD, tee("Small", 1))], [("Small", 3)]),
        ([(ADD, tee("Small", 2)), (ADD, tee("", 1))], [("Small", 3)]),
        ([(ADD, tee("", 2)), (REMOVE, tee("Small", 1))], [("", 1)]),
        ([(ADD, tee("", 2)), (ORDER, [tee("Small", 1)])], []),
        ([(ADD, tee("Small", 2, sku="", product_id="P")), (ADD, tee("Large", 1, product_id="P"))],
         [("Large", 1), ("Small", 2)]),
        ([(ADD, tee("Small", 2, product_id="P")), (REMOVE, tee("Small", 2, sku="", product_id="P"))], []),
    ],
)  # fmt: skip
def test_a_variant_that_is_not_said_may_be_any(steps: list[Any], expected: list[Any]) -> None:
    assert lines(happened(*steps)) == expected


@given(st.lists(st.tuples(st.sampled_from([ADD, REMOVE]), st.sampled_from("SML"), st.integers(1, 5)), max_size=12))
def test_each_variant_is_a_cart_of_its_own(steps: list[tuple[str, str, int]]) -> None:
    events = happened(*[(name, tee(variant, quantity)) for name, variant, quantity in steps])
    alone = [each for variant in "SML" for each in lines([e for e in events if e.products[0].variant == variant])]
    assert lines(events) == sorted(alone)


@given(st.permutations(range(4)))
def test_the_order_of_arrival_makes_no_difference(order: list[int]) -> None:
    events = happened(*BOTH, (REMOVE, tee("", 1)), (ADD, tee("Medium", 2)))
    assert lines([events[index] for index in order]) == [("Medium", 2), ("Small", 2)]


def test_the_catalog_does_not_make_one_variant_another() -> None:
    small = tee("Small", 2, name="Tee S", price=20.0)
    newest = tee("Large", name="Tee L", price=25.0, brand="Loom", image_url="https://shop.example/l.jpg")
    shown = refreshed(small, newest)
    assert (shown.variant, shown.name, shown.price, shown.quantity) == ("Small", "Tee S", 20.0, 2)
    assert (shown.brand, shown.image_url) == ("Loom", "https://shop.example/l.jpg"), "what is missing is filled in"
    for words in (tee("small", price=18.0), tee(price=18.0)):
        assert refreshed(small, words).price == 18.0, "what is said of it, or of all variants, is news"


def test_every_way_to_name_no_variant_leads_to_a_line() -> None:
    for first, second in itertools.product(["", "Small"], repeat=2):
        assert sum(quantity for _, quantity in lines(happened((ADD, tee(first, 2)), (ADD, tee(second, 1))))) == 3


THINGS = st.lists(
    st.builds(
        Product,
        sku=st.sampled_from(["", "A", "B"]),
        product_id=st.sampled_from(["", "1", "2"]),
        variant=st.sampled_from(["", "S", " s", "M"]),
    ),
    max_size=6,
)


@given(THINGS, THINGS)
def test_what_an_order_leaves_is_told_by_comparing_each_line_with_all_others(
    cart: list[Product], bought: list[Product]
) -> None:
    in_cart = [Seen(product, at) for at, product in enumerate(cart)]
    left = []
    for line in in_cart:
        same = {named(each) for each in bought if each.same(line.product)}
        there = {named(each) for each in cart if each.same(line.product)}
        if not same or ("" not in same and line.product.variant and named(line.product) not in same and same & there):
            left.append(line)
    assert left_of(in_cart, bought) == left


@given(THINGS, THINGS)
def test_a_line_is_of_the_same_product(cart: list[Product], wanted: list[Product]) -> None:
    for product in wanted:
        place = line_of([Seen(each, 0) for each in cart], product)
        assert place is None or cart[place].same(product)
        if not product.variant:
            assert (place is None) is not any(each.same(product) for each in cart)
