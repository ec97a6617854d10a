"""XML of any vocabulary: elements become items, with their attributes, and repeated names become lists."""

import pytest

from tests.feeds.test_feed_parse import feed, parsed
from wetink.core.outbound.feed import Item
from wetink.feeds.parse import Unreadable
from wetink.feeds.parse.lists import lists

SHOP = b"""<?xml version="1.0"?><shop><updated>today</updated><goods>
<product id="7"><name lang="de">Tasse</name><price currency="EUR">9,90</price><photo>a</photo><photo>b</photo></product>
<product id="8"><name/></product></goods></shop>"""
SEVEN = {
    "@id": "7",
    "name": {"@lang": "de", "text": "Tasse"},
    "price": {"@currency": "EUR", "text": "9,90"},
    "photo": ["a", "b"],
}


@pytest.mark.parametrize(
    ("root", "body", "expected"),
    [
        ("product", SHOP, [SEVEN, {"@id": "8", "name": ""}]),
        ("", b"<a><b><c>1</c></b><b><c>2</c></b></a>", [{"c": "1"}, {"c": "2"}]),
        ("", b"<a><b>1</b></a>", [{"text": "1"}]),
        ("b", b'<x:a xmlns:x="urn:a"><x:b y="1"/></x:a>', [{"@y": "1"}]),
    ],
)
def test_elements_are_items(root: str, body: bytes, expected: list[Item]) -> None:
    items, tally = parsed(feed("xml", root=root), body)
    assert items == expected
    assert not tally.problems


def test_a_catalog_reads_attributes_through_its_fields() -> None:
    fields = {"sku": "@id", "name": "name.text", "price": "price.text", "currency": "price.@currency"}
    items, tally = parsed(feed("xml", root="product", purpose="catalog", fields=fields), SHOP)
    assert items[0] == {"sku": "7", "product_id": "7", "name": "Tasse", "price": 9.9, "currency": "EUR"}
    assert tally.left_out == 0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<a></a>", "no children"),
        (b"<a><b>", "this is not XML"),
        (b"<!DOCTYPE a><a><b/></a>", "document type"),
        (b'{"a": 1}', "this is not XML"),
    ],
)
def test_a_document_without_items_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        parsed(feed("xml"), body)


def test_places_of_items_are_found_in_json_and_xml() -> None:
    assert lists("xml", SHOP) == [("product", 2)]
    assert lists("xml", b"<a><b/><b/></a>") == []
    assert lists("json", b'{"meta": {"n": 1}, "data": {"goods": [{}, {}, {}], "tags": ["x"]}, "more": [{}]}') == [
        ("data.goods", 3),
        ("more", 1),
    ]
    assert lists("json", b"[{}, {}]") == [("", 2)]
    assert lists("csv", b"a,b") == lists("json", b"[") == []
