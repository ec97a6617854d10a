"""An entry of the log says what its event says."""

import msgspec
import pytest

from wetink.core.events.event import Entry, Event, Order, Product
from wetink.core.profile.fold import fold

PRODUCT = Product(sku="A", name="Mug", price=12.0, quantity=2)
EVENTS = [
    Event("track", 5, "m1", "s", "Product Viewed", products=(PRODUCT,), user="u"),
    Event("track", 6, "m2", "s", "Product Added", "browser", products=(PRODUCT,), properties={"cart_id": 7}),
    Event("track", 7, "m3", "s", "Order Completed", products=(PRODUCT,), order=Order("o", total=24.0)),
    Event("identify", 8, "m4", "s", traits={"firstName": "Ada", "plan": None}),
    Event("track", 9, "m5", "s", "Products Searched", query="mug", usable=False),
    Event("page", 10, "m6", "s", "Home"),
]


def entry_of(event: Event) -> Entry:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Entry)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.label)
def test_an_entry_says_what_its_event_says(event: Event) -> None:
    entry = entry_of(event)
    for field in ("at", "message_id", "source", "type", "name", "level", "usable", "query", "products", "order"):
        assert getattr(entry, field) == getattr(event, field)
    assert (entry.traits or {}, entry.properties) == (event.traits, event.properties)


def test_entries_fold_to_the_person_their_events_fold_to() -> None:
    assert fold([entry_of(event) for event in EVENTS], 100) == fold(EVENTS, 100)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 500, 70_000])
def test_an_entry_tells_how_many_products_it_names_without_reading_them(count: int) -> None:
    event = Event("track", 5, "m1", "s", "Cart Viewed", products=(Product(sku="A"),) * count)
    assert (entry_of(event).product_count, event.product_count) == (count, count)
