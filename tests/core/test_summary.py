"""A summary is the fold it was made of, to the byte."""

import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wetink.core.events.event import Entry, Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.history import History
from wetink.core.profile.person import Moment, Person, Views, plain
from wetink.core.profile.summary import NEWEST, Summary, person_of, summarize
from wetink.core.rules.evaluate import compiled
from wetink.core.rules.parse import parse
from wetink.core.rules.tree import Subject

NAMES = (
    "Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Product Removed", "Cart Viewed",
    "Order Completed", "Order Updated", "Products Searched", "Product Added to Wishlist", "Something of their own",
)  # fmt: skip
PRODUCTS = st.builds(
    Product,
    sku=st.sampled_from(["", "A", "B", "C"]),
    product_id=st.sampled_from(["", "1", "2"]),
    name=st.sampled_from(["", "Mug"]),
    price=st.none() | st.floats(0, 100),
    stock=st.none() | st.integers(0, 3),
    quantity=st.integers(1, 3),
)
TRAITS = st.none() | st.text(max_size=3) | st.integers(-(1 << 63), (1 << 63) - 1)
EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from(["track", "track", "track", "identify", "page"]),
        st.integers(1, 40),
        st.uuids().map(str),
        st.sampled_from(["shop", "app"]),
        st.sampled_from(NAMES),
        st.sampled_from(["server", "browser"]),
        st.booleans(),
        products=st.lists(PRODUCTS, max_size=3).map(tuple),
        order=st.none() | st.builds(Order, order_id=st.sampled_from(["O", "P"]), total=st.floats(0, 9)),
        query=st.sampled_from(["", "mug", "lamp"]),
        traits=st.dictionaries(st.sampled_from(["plan", "city"]), TRAITS),
        properties=st.dictionaries(st.sampled_from(["products", "x"]), st.just([])),
    ),
    max_size=40,
)


def entries_of(events: list[Event]) -> list[Entry]:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(events), type=list[Entry])


def shown(person: Person) -> bytes:
    """Return all that a person says, in bytes."""
    return msgspec.json.encode(plain(person), order="deterministic")


@given(EVENTS)
def test_a_summary_gives_the_person_that_folding_the_events_gives(events: list[Event]) -> None:
    folded, read = fold(entries_of(events), 1_000), person_of(summarize(entries_of(events)))
    assert shown(read) == shown(folded)
    assert read == replace(folded, history=History())
    assert read.views[:2] == folded.views[:2]
    assert getattr(read.views, "trusted", None) == getattr(folded.views, "trusted", None)


@given(EVENTS)
def test_a_summary_knows_the_products_and_orders_of_each_event(events: list[Event]) -> None:
    whole, read = fold(entries_of(events), 1_000), person_of(summarize(entries_of(events)))
    for name in whole.done:
        assert read.history.products(name) == whole.history.products(name)
        assert read.history.orders(name) == whole.history.orders(name)
        for room, field in (("product", "price"), ("product", "sku"), ("order", "total")):
            assert read.history.fields(name, room, field) == whole.history.fields(name, room, field)


@pytest.mark.parametrize(
    "said",
    [
        {"done": "Product Viewed", "where": {"price": {"above": 20}}, "at_least": 2},
        {"done": "Product Viewed", "where": {"name": {"contains": "mug"}, "price": {"below": 50}}, "first_time": True},
        {"done": "Order Completed", "where": {"sku": {"one_of": ["A", "B"]}, "total": {"above": 4}}},
        {"sum": "total", "of": "Order Completed", "above": 5},
        {"distinct": "sku", "of": "Product Added", "where": {"quantity": {"above": 1}}, "above": 1},
    ],
)
@given(events=EVENTS)
def test_a_rule_finds_in_a_summary_what_it_finds_in_the_events(said: dict[str, Any], events: list[Event]) -> None:
    rule = compiled(parse(said))
    whole, read = fold(entries_of(events), 1_000), person_of(summarize(entries_of(events)))
    assert rule.needs.events == frozenset()
    assert rule.explain(Subject(read, Moment(1_000))) == rule.explain(Subject(whole, Moment(1_000)))


@given(EVENTS)
def test_reading_the_first_view_alone_gives_the_first_of_all(events: list[Event]) -> None:
    read, whole = person_of(summarize(entries_of(events))), fold(events, 1_000)
    assert next(iter(read.views), None) == next(iter(whole.views), None)
    assert len(read.views) == len(whole.views)


@given(st.lists(st.integers(0, 30), max_size=40))
def test_a_summary_without_its_history_has_the_newest_views_and_says_that_there_are_more(skus: list[int]) -> None:
    viewed = [
        Event("track", at, str(at), "shop", "Product Viewed", products=(Product(sku=str(sku)),))
        for at, sku in enumerate(skus, 1)
    ]
    summary = summarize(entries_of(viewed))
    whole, brief = person_of(summary), person_of(Summary(summary.person))
    assert isinstance(brief.views, Views)
    assert brief.views[:NEWEST] == whole.views[:NEWEST]
    assert not brief.views.cut
    assert tuple(brief.views) == whole.views[:NEWEST]
    assert brief.views.cut is (len(whole.views) > NEWEST)
    assert replace(brief, views=whole.views, history=whole.history) == whole


@pytest.mark.parametrize(
    ("said", "history"),
    [
        ({"done": "Product Viewed", "within": "1d", "at_least": 2}, False),
        ({"not_done": "Order Completed"}, False),
        ({"cart": {"value": {"above": 5}, "contains": {"sku": "A"}}}, False),
        ({"trait": "plan", "exists": True}, False),
        ({"done": "Product Viewed", "where": {"price": {"above": 20}}}, True),
        ({"any": [{"trait": "plan", "exists": True}, {"sum": "total", "of": "Order Completed", "above": 5}]}, True),
        ({"product": "viewed", "price_fell": "10%"}, True),
    ],
)
@given(events=EVENTS)
def test_a_rule_that_needs_no_history_finds_the_same_without_it(
    said: dict[str, Any], history: bool, events: list[Event]
) -> None:
    rule, summary = compiled(parse(said)), summarize(entries_of(events))
    whole, brief = person_of(summary), person_of(Summary(summary.person))
    assert rule.needs.history is history
    if not history:
        assert rule.explain(Subject(brief, Moment(1_000))) == rule.explain(Subject(whole, Moment(1_000)))


def test_an_empty_profile_has_a_summary() -> None:
    assert person_of(summarize([])) == Person()


def test_reading_a_summary_leaves_nothing_behind() -> None:
    """The collector looks at none of it (`gc=False`), so nothing of a person may lead back to them."""
    views = [
        Event("track", at, str(at), "shop", "Product Viewed", products=(Product(sku=str(at)),)) for at in range(1, 20)
    ]
    summary = summarize(entries_of(views))
    tracemalloc.start()
    try:
        for _ in range(2):
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(200):
                assert person_of(summary).views[0].product.sku == "19"
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()
