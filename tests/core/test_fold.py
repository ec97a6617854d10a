"""The fold: what a profile's events say of a person, at any time and in whatever order they came in."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.events.event import Entry, Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Person

NOW = 1_000_000


def event(name: str, at: int, *skus: str, **more: Any) -> Event:
    products = tuple(Product(sku=sku, quantity=more.pop("quantity", 1)) for sku in skus)
    common = {"type": "track", "name": name, "message_id": f"{name}-{at}", "source": "s"}
    fields = {**common, "products": products, **more}
    return Event(at=at, **fields)


def cart(*events: Event) -> dict[str, int]:
    return {line.product.sku: line.product.quantity for line in fold(events, NOW).cart.lines}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event("Product Added", 1, "A"), event("Product Added", 2, "B")], {"A": 1, "B": 1}),
        ([event("Product Added", 1, "A"), event("Product Added", 2, "A", quantity=2)], {"A": 3}),
        ([event("Product Added", 1, "A", quantity=3), event("Product Removed", 2, "A")], {"A": 2}),
        ([event("Product Added", 1, "A"), event("Product Removed", 2, "A")], {}),
        ([event("Product Removed", 1, "A"), event("Product Added", 2, "A")], {"A": 1}),
        ([event("Product Added", 1, "A"), event("Cart Viewed", 2, "B", "C")], {"B": 1, "C": 1}),
        ([event("Product Added", 1, "A"), event("Checkout Started", 2, "B")], {"B": 1}),
        ([event("Product Added", 1, "A"), event("Cart Viewed", 2)], {"A": 1}),
        ([event("Product Added", 1, "A"), event("Cart Viewed", 2, properties={"products": []})], {}),
        ([event("Product Added", 1, "A"), event("Product Added", 2, "B"),
          event("Order Completed", 3, "A", order=Order(order_id="O"))], {"B": 1}),
        ([event("Product Added", 1, "A"), event("Order Completed", 2, order=Order(order_id="O"), usable=False)], {}),
        ([event("Order Completed", 1, "A", order=Order(order_id="O")), event("Product Added", 2, "A")], {"A": 1}),
        ([event("Wishlist Product Added to Cart", 1, "A")], {"A": 1}),
    ],
)  # fmt: skip
def test_the_cart_is_what_was_added_removed_listed_and_ordered(events: list[Event], expected: dict[str, int]) -> None:
    assert cart(*events) == expected
    assert cart(*reversed(events)) == expected, "whatever came in first"


def test_views_are_the_newest_of_each_product_newest_first() -> None:
    person = fold([event("Product Viewed", at, sku) for at, sku in enumerate("ABAC")], NOW)
    assert [(seen.product.sku, seen.at) for seen in person.views] == [("C", 3), ("A", 2), ("B", 1)]


def test_a_product_is_the_same_by_its_sku_else_by_its_product_id() -> None:
    named = [Product(sku="S", product_id="P"), Product(product_id="P"), Product(sku="T", product_id="P")]
    events = [event("Product Viewed", at, products=(product,)) for at, product in enumerate(named)]
    assert [seen.product.key for seen in fold(events, NOW).views] == ["T", "S"]


def test_events_after_now_are_ignored() -> None:
    events = [event("Product Viewed", 5, "A"), event("Product Viewed", 9, "B")]
    person = fold(events, 7)
    assert [seen.product.sku for seen in person.views] == ["A"]
    assert (person.first_seen, person.last_seen) == (5, 5)
    assert fold(events, 4) == Person()


def test_traits_are_the_newest_word_and_null_takes_one_away() -> None:
    told = [{"plan": "free", "city": "Ulm"}, {"plan": "gold"}, {"city": None}]
    events = [Event("identify", at, f"m{at}", "s", traits=traits) for at, traits in enumerate(told)]
    assert fold(events, NOW).traits == {"plan": "gold"}
    assert fold([Event("group", 1, "g", "s", traits={"name": "Acme"})], NOW).traits == {}


def test_orders_are_one_each_updated_and_cancelled_by_their_id() -> None:
    def order(name: str, at: int, order_id: str, total: float) -> Event:
        return event(name, at, "A", order=Order(order_id=order_id, total=total))

    events = [
        order("Order Completed", 1, "O", 5),
        order("Order Completed", 2, "O", 5),
        order("Order Completed", 3, "P", 7),
    ]
    assert [purchase.order.order_id for purchase in fold(events, NOW).orders] == ["P", "O"]
    updated = fold([*events, order("Order Updated", 4, "O", 9)], NOW).orders
    assert [(purchase.order.total, purchase.at) for purchase in updated] == [(7, 3), (9, 1)]
    assert [p.order.order_id for p in fold([*events, order("Order Cancelled", 5, "O", 0)], NOW).orders] == ["P"]


def test_the_wishlist_and_searches_are_what_is_left_newest_first() -> None:
    person = fold(
        [
            event("Product Added to Wishlist", 1, "A"),
            event("Product Added to Wishlist", 2, "B"),
            event("Product Removed from Wishlist", 3, "A"),
            event("Products Searched", 4, query="mug"),
            event("Products Searched", 5, query="lamp"),
            event("Products Searched", 6, query="mug"),
        ],
        NOW,
    )
    assert [seen.product.sku for seen in person.wishlist] == ["B"]
    assert [(search.query, search.at) for search in person.searches] == [("mug", 6), ("lamp", 5)]


def test_unusable_events_are_not_counted() -> None:
    person = fold([event("Product Viewed", 1, "A", usable=False), event("Product Viewed", 2, "B")], NOW)
    assert person.done == {"Product Viewed": (2,)}


EVENTS = st.lists(
    st.builds(
        event,
        st.sampled_from(["Product Viewed", "Product Added", "Product Removed", "Cart Viewed", "Order Completed"]),
        st.integers(1, 6),
        st.sampled_from("ABC"),
    ),
    max_size=8,
    unique_by=lambda each: each.message_id,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_same_events_in_any_order_make_the_same_person(events: list[Event], chance: Any) -> None:
    mixed = list(events)
    chance.shuffle(mixed)
    assert fold(mixed, NOW) == fold(events, NOW)


def _said(at: int, level: str, **traits: object) -> Event:
    return Event("identify", at, f"{level}{at}", "s", level=level, traits=traits)  # type: ignore[arg-type]


@given(st.permutations([
    _said(1, "server", plan="gold", gone=None),
    _said(2, "browser", plan="free", gone="x", nick="Jo"),
    _said(3, "browser", plan=None, city="Rome"),
    _said(4, "verified", name="Ada"),
    _said(5, "browser", name="Call me", city=None),
]))  # fmt: skip
def test_a_trait_that_a_server_told_wins_whatever_a_page_says_and_when(events: list[Event]) -> None:
    person = fold(events, 9)
    assert person.traits == {"plan": "gold", "name": "Ada", "nick": "Jo"}
    assert person.page_traits == ("nick",)


def test_a_page_changes_nothing_of_an_order_that_a_server_told_of() -> None:
    def order(at: int, name: str, level: str, total: float) -> Event:
        return Event("track", at, f"{name}{at}", "s", name, level, order=Order("O", total=total))  # type: ignore[arg-type]

    person = fold(
        [order(1, "Order Completed", "server", 50), order(2, "Order Updated", "browser", 1),
         order(3, "Order Completed", "browser", 9), order(4, "Order Cancelled", "browser", 0)], 9)  # fmt: skip
    assert [(each.order.total, each.trusted) for each in person.orders] == [(50, True)]


@pytest.mark.parametrize("packed", [False, True])
def test_of_more_products_than_are_read_the_newest_count_and_events_are_all_done(packed: bool) -> None:
    told: list[Any] = [event("Product Added", 1, "OLD"), event("Order Completed", 2, "A", order=Order(order_id="O"))]
    told += [event("Cart Viewed", 10 + at, *(f"{at}-{each}" for each in range(500))) for at in range(10)]
    told.append(event("Product Viewed", 3, "SEEN"))
    if packed:
        told = msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=list[Entry])
    person = fold(told, NOW)
    assert [line.product.sku for line in person.cart.lines] == [f"9-{each}" for each in range(300, 500)]
    assert person.orders == (), "it is older than 5,000 products"
    assert person.done["Order Completed"] == (2,)
    assert [seen.product.sku for seen in person.views] == ["SEEN"]
    assert fold(told[:6], NOW).orders[0].order.order_id == "O"


def test_of_more_wishes_than_are_kept_the_newest_count() -> None:
    wishes = [event("Product Added to Wishlist", at, f"S{at}") for at in range(1, 252)]
    assert [seen.at for seen in fold(wishes, NOW).wishlist] == list(range(251, 51, -1))
