"""Payload: fields are found in other people's shapes, by name and by value."""

from typing import Any

import pytest

from wetink.core.outbound.feed import Item, reached
from wetink.core.outbound.payload import PRODUCT, STORE, Target, format_of, leaves, proposed

SHOPS: dict[str, tuple[list[Item], dict[str, str]]] = {
    "a price as an object": (
        [{"id": 7, "title": "Mug", "price": {"amount": "12.50", "currency": "EUR"}, "url": "/mug"}],
        {"product_id": "id", "name": "title", "url": "url", "price": "price.amount", "currency": "price.currency"},
    ),
    "prices in a list of objects": (
        [{"sku": "A", "name": "Mug", "prices": [{"value": 9.5, "iso": "usd"}], "link": "https://a.example/"}],
        {"sku": "sku", "name": "name", "url": "link", "price": "prices.0.value", "currency": "prices.0.iso"},
    ),
    "photos in a nested list": (
        [{"sku": "A", "title": "Mug", "media": {"images": [{"src": "https://a.example/1.jpg"}, {"src": "b"}]}}],
        {"sku": "sku", "name": "title", "image_url": "media.images.0.src"},
    ),
    "attributes of XML": (
        [{"@id": "7", "name": {"@lang": "de", "text": "Tasse"}, "price": {"@currency": "EUR", "text": "9,90"}}],
        {"product_id": "@id", "name": "name.text", "price": "price.text", "currency": "price.@currency"},
    ),
    "nothing in the first item": (
        [{"sku": "A", "title": "Mug", "cost": None}, {"sku": "B", "title": "Jug", "cost": 5}],
        {"sku": "sku", "name": "title", "price": "cost"},
    ),
    "names in capitals with spaces": (
        [{"Article Number": "A", "Product Name": "Mug", "Variant Price": "1", "In Stock": "yes"}],
        {"sku": "Article Number", "name": "Product Name", "availability": "In Stock"},
    ),
    "a photo known by its ending alone": (
        [{"sku": "A", "label": "Mug", "hero": "https://a.example/m.webp?w=1"}],
        {"sku": "sku", "name": "label", "image_url": "hero"},
    ),
}


@pytest.mark.parametrize("name", SHOPS)
def test_fields_of_a_product_are_proposed(name: str) -> None:
    items, wanted = SHOPS[name]
    assert proposed(PRODUCT, leaves(items)) == wanted


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("price", "call us"),
        ("price", {"a": 1}),
        ("price", True),
        ("currency", "coins"),
        ("url", "javascript:alert(1)"),
        ("url", 7),
        ("image_url", None),
        ("name", {}),
        ("stock", "many"),
        ("availability", "perhaps"),
    ],
)
def test_a_value_of_another_kind_is_no_proposal(target: str, value: Any) -> None:
    assert target not in proposed(PRODUCT, leaves([{target: value, "sku": "A"}]))


def test_stores_are_known_by_coordinates_within_the_earth() -> None:
    good = {"Branch": "Oslo", "lat": "59.9", "lng": 10.7, "street": "A 1", "open": "mon-fri 9:00-17:00"}
    found = proposed(STORE, leaves([good]))
    assert found == {"name": "Branch", "latitude": "lat", "longitude": "lng", "address": "street", "hours": "open"}
    assert "latitude" not in proposed(STORE, leaves([{**good, "lat": "123.4"}]))


def test_each_path_fills_one_field_and_leads_to_its_values() -> None:
    items = [each for shop, _ in SHOPS.values() for each in shop]
    for item in items:
        found = leaves([item])
        assert [leaf.values for leaf in found] == [(reached(item, leaf.path),) for leaf in found]
        chosen = list(proposed(PRODUCT, found).values())
        assert len(chosen) == len(set(chosen))


def test_a_deep_or_wide_item_is_listed_in_part() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"a": [deep]}
    wide = {f"field{number}": number for number in range(5_000)}
    assert len(leaves([{"deep": deep}, wide])) <= 120
    assert proposed([Target("a", "A", ("field7",))], leaves([wide])) == {"a": "field7"}


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"\xef\xbb\xbf[{}]", "json"),
        (b' {"items": [\n{"a": 1},\n{"b": 2}]}', "json"),
        (b'{"a": 1}\n{"a": 2}', "jsonl"),
        ("id\tname\n1\tMug".encode("utf-16"), "csv"),
        (b'<?xml version="1.0"?>\n<!-- shop --><rss version="2.0"><channel>', "rss"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom">', "atom"),
        (b'<rdf:RDF xmlns="http://purl.org/rss/1.0/">', "rss"),
        (b'<products><product id="1"/>', "xml"),
        (b"", None),
        (b"hello", None),
    ],
)
def test_a_format_is_detected_from_the_first_bytes(start: bytes, form: str | None) -> None:
    assert format_of(start) == form
