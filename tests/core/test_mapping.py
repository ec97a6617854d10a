"""Mappings: a shop's own names become the spec's, and what is no mapping is refused with its place."""

from typing import Any

import msgspec
import pytest

from wetink.core.errors import BadContent
from wetink.core.events.message import BATCH, Piece, pieces
from wetink.core.messages.mapping import Mappings, mapping_of
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record

SHOP = {
    "sources": ["shop"],
    "events": {
        "Item Seen": {
            "name": "Product Viewed",
            "properties": {"item.id": "sku", "item.title": "name", "link": "url", "cost": "price"},
        },
        "Bought": {
            "name": "Order Completed",
            "properties": {"number": "order_id", "amount": "total"},
            "products": {"at": "basket.lines", "properties": {"id": "sku", "cost": "price"}},
        },
        "Quiz Taken": {"properties": {"score": "points"}},
    },
    "traits": {"mail": "email"},
}


def piece_of(message: dict[str, Any]) -> Piece:
    return pieces(msgspec.json.encode({"batch": [message]}), BATCH)[0][0]


def come_to(message: dict[str, Any], source: str = "shop", mapping: Any = None) -> Record:
    mappings = Mappings({"a": mapping_of(mapping or SHOP)})
    piece = mappings.applied(piece_of(message), source, 5)
    return normalize(piece, source=source, level="server", received=1_763_000_000_000)


SEEN = {
    "type": "track", "event": "item_seen", "userId": "jane",
    "properties": {"item": {"id": "S-1", "title": "Mug"}, "link": "https://shop.example/mug", "cost": "9.5", "x": 1},
}  # fmt: skip


def test_an_event_becomes_the_specs() -> None:
    normal = come_to(SEEN)
    assert normal.verdict == "usable"
    assert normal.event is not None
    [product] = normal.event.products
    assert (normal.event.name, product.sku, product.name, product.price) == ("Product Viewed", "S-1", "Mug", 9.5)
    assert product.url == "https://shop.example/mug"


def test_a_list_of_products_is_found_where_the_shop_has_it() -> None:
    lines = [{"id": "S-1", "cost": 4}, {"id": "S-2", "cost": 5}, "odd"]
    bought = {"type": "track", "event": "Bought", "userId": "jane",
              "properties": {"number": 7, "amount": 9, "basket": {"lines": lines}}}  # fmt: skip
    event = come_to(bought).event
    assert event is not None
    assert event.order is not None
    assert (event.name, event.order.order_id, event.order.total) == ("Order Completed", "7", 9.0)
    assert [each.key for each in event.products] == ["S-1", "S-2"]


def test_a_trait_may_tell_who_somebody_is() -> None:
    for said in ({"traits": {"mail": "J@Shop.example"}}, {"context": {"traits": {"mail": "J@Shop.example"}}}):
        normal = come_to({"type": "identify", **said})
        assert str(normal.filed) == "email:j@shop.example"
    group = come_to({"type": "group", "groupId": "g", "userId": "jane", "traits": {"mail": "all@shop.example"}})
    assert str(group.filed) == "user:jane"


def test_a_property_with_the_specs_name_is_not_mapped() -> None:
    event = come_to({**SEEN, "properties": {**SEEN["properties"], "sku": "OWN"}}).event  # type: ignore[dict-item]
    assert event is not None
    assert event.products[0].sku == "OWN"
    assert come_to({**SEEN, "event": "Product Viewed"}).verdict == "unusable", "only the event that is named is mapped"


PATHS: list[tuple[dict[str, Any], str, str, Any]] = [
    ({"name": {"en-US": "Mug", "de": "Tasse"}}, "name.en-US", "name", "Mug"),
    ({"price": {"value": {"centAmount": 2100, "currencyCode": "EUR"}}}, "price.value", "price", 21.0),
    ({"price": {"value": 5, "list": 9}}, "price.list", "price", 9.0),
    (
        {"image_url": {"large": "https://shop.example/l.jpg"}},
        "image_url.large",
        "image_url",
        "https://shop.example/l.jpg",
    ),
    ({"items": [{"item_id": "S-9"}]}, "items.0.item_id", "sku", "S-9"),
    ({"variants": [{"prices": [{"value": 7}]}]}, "variants.0.prices.0.value", "price", 7.0),
    ({"images": []}, "images.0.src", "image_url", ""),
    ({"images": [{"src": "https://shop.example/1.jpg"}]}, "images.0.src", "image_url", "https://shop.example/1.jpg"),
    ({"images": [{"src": "https://shop.example/1.jpg"}]}, "images.1.src", "image_url", ""),
    ({"images": [1]}, "images.x", "image_url", ""),
]


@pytest.mark.parametrize(("properties", "theirs", "ours", "meant"), PATHS)
def test_a_path_leads_into_lists_and_into_the_specs_own_name(
    properties: dict[str, Any], theirs: str, ours: str, meant: Any
) -> None:
    mapping = {"events": {"Seen": {"name": "Product Viewed", "properties": {theirs: ours}}}}
    event = come_to(
        {"type": "track", "event": "Seen", "userId": "jane", "properties": properties}, mapping=mapping
    ).event
    assert event is not None
    assert getattr(event.products[0], ours) == meant


def test_other_sources_keep_their_names() -> None:
    event = come_to(SEEN, source="other").event
    assert event is not None
    assert event.name == "item_seen"
    assert come_to(SEEN, source="other", mapping={**SHOP, "sources": []}).verdict == "usable"


@pytest.mark.parametrize(
    "message",
    [SEEN, {**SEEN, "messageId": "m1"}, {**SEEN, "messageId": 7}, {**SEEN, "messageId": " ", "timestamp": 5},
     {**SEEN, "timestamp": "2026-11-20T09:00:00Z"}],
)  # fmt: skip
def test_a_message_is_told_from_others_by_what_it_was_told_by_without_a_mapping(message: dict[str, Any]) -> None:
    mappings = Mappings({"a": mapping_of(SHOP)})
    received = 1_763_000_000_000
    ids = {
        normalize(piece, source="shop", level="server", received=received).message_id
        for piece in (piece_of(message), mappings.applied(piece_of(message), "shop", received))
    }
    assert len(ids) == 1


@pytest.mark.parametrize("odd", [{"properties": 7}, {"properties": {"item": 7}}, {"event": 7}, {"traits": []}, {}])
def test_odd_messages_pass_through_a_mapping(odd: dict[str, Any]) -> None:
    come_to({"type": "track", "event": "Bought", "userId": "jane", **odd})


def test_the_first_file_by_name_counts_and_traits_add_up() -> None:
    mappings = Mappings(
        {
            "b": mapping_of({"events": {"X": {"name": "Order Completed"}}, "traits": {"a": "one", "b": "two"}}),
            "a": mapping_of({"events": {"x": {"name": "Product Viewed"}}, "traits": {"a": "first"}}),
        }
    )
    found = mappings.of("any")
    assert found is not None
    assert found.events["x"].name == "Product Viewed"
    assert found.traits == {"a": "first", "b": "two"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (None, "a mapping must have names"),
        ({}, "add events or traits"),
        ({"event": {}}, "unknown field `event`"),
        ({"events": {"A": {"name": 7}}}, "$.events"),
        ({"events": {"A": {}}}, "events.A: it is empty"),
        ({"events": {" ": {"name": "B"}}}, "not a name for an event"),
        ({"events": {"A B": {"name": "B"}, "a_b": {"name": "C"}}}, "are names of the same event"),
        ({"events": {"A": {"properties": {"x": ""}}}}, "events.A.properties: a name is empty"),
        ({"events": {"A": {"properties": {"x": "item.id"}}}}, "events.A.properties.x: 'item.id' is a path"),
        ({"events": {"A": {"products": {"properties": {"x": "a.b"}}}}}, "events.A.products.properties.x"),
        ({"traits": {"": "email"}}, "traits: a name is empty"),
    ],
)
def test_an_invalid_mapping_is_refused_with_its_place(raw: Any, said: str) -> None:
    with pytest.raises(BadContent) as caught:
        mapping_of(raw)
    assert said in str(caught.value)
