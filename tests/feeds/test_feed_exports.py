"""Exports as shop systems write them: several photos in a cell, sales in two columns, drafts, comments, encodings."""

import json

import pytest

from tests.feeds.test_feed_columns import CATALOG, JSON, MERCHANT, NOW, at, table
from tests.feeds.test_feed_parse import feed, parsed
from wetink.feeds.parse import Unreadable

PHOTO = "https://shop.example/a.jpg"


@pytest.mark.parametrize(
    "cell",
    [
        f"{PHOTO}, https://shop.example/b.jpg",
        f"{PHOTO},https://shop.example/b.jpg",
        f"{PHOTO} | https://shop.example/b.jpg",
        f"{PHOTO};//shop.example/b.jpg",
        f"{PHOTO} https://shop.example/b.jpg",
        f" {PHOTO} ",
    ],
)
def test_the_first_of_several_photos_in_a_cell_counts(cell: str) -> None:
    item, tally = table("id\tImages", f"1\t{cell}")
    assert (item["image_url"], tally.problems) == (PHOTO, [])


def test_an_address_inside_an_address_is_part_of_it() -> None:
    for inside in (
        "https://img.example/fetch/f_auto,q_auto/https://shop.example/a.jpg",
        "https://i.example/?u=https://a.example/b",
    ):
        assert table("id\timage", f"1\t{inside}")[0]["image_url"] == inside


@pytest.mark.parametrize(
    ("first", "last", "price"),
    [
        ("", "", 12.0),
        ("2026-07-01 00:00:00", "2026-07-31 23:59:59", 12.0),
        ("2026-07-01", "2026-07-15", 12.0),
        ("2026-07-01", "", 12.0),
        ("", "2026-07-31", 12.0),
        ("2026-08-01 00:00:00", "2026-08-31", 15.0),
        ("2026-08-01", "", 15.0),
        ("", "2026-07-14", 15.0),
        ("2026-06-01", "2026-06-30", 15.0),
        ("7/1/26, 12:00 AM", "7/31/26, 12:00 AM", 15.0),
    ],
)
@pytest.mark.parametrize(
    "names",
    [
        "Sale price,Date sale price starts,Date sale price ends",
        "special_price,special_price_from_date,special_price_to_date",
        "sale_price,date_on_sale_from,date_on_sale_to",
    ],
)
def test_a_sale_in_two_columns_counts_between_them(names: str, first: str, last: str, price: float) -> None:
    item, tally = table(f"id;regular price;{names.replace(',', ';')}", f"1;15.00;12.00;{first};{last}")
    assert item["price"] == price
    assert bool(tally.problems) is ("/" in first)
    if first.startswith("2026-08"):
        assert tally.until == at("2026-08-01T00:00:00+00:00") > NOW


@pytest.mark.parametrize(
    ("column", "value", "sold"),
    [
        ("Published", "1", True), ("Published", "0", False), ("Published", "-1", False), ("Published", "true", True),
        ("Published", "FALSE", False), ("published", "2026-07-01T00:00:00Z", True), ("Status", "active", True),
        ("Status", "draft", False), ("Status", "Archived", False), ("status", "publish", True),
        ("status", "private", False),
        ("Status", "new", True), ("product_online", "2", False), ("product_online", "1", True),
        ("Product Visible?", "N", False),
        ("Product Visible?", "Y", True), ("visible", "false", False), ("Is Visible", "TRUE", True),
        ("Active (0/1)", "0", False), ("Active (0/1)", "1", True), ("Visible", "No", False),
        ("purchasable", "false", False), ("visibility", "hidden", True),
    ],
)  # fmt: skip
def test_a_product_that_is_not_for_sale_cannot_be_bought(column: str, value: str, sold: bool) -> None:
    item, _ = table(f"id,{column},in stock?", f"1,{value},1")
    assert item["availability"] == ("in_stock" if sold else "out_of_stock")


def test_comments_of_a_template_are_no_products() -> None:
    body = b"# Required | A unique ID,# Required | The title\nid,title\n# for example,a mug\n#7,Mug\n8,Jug\n"
    items, tally = parsed(CATALOG, body)
    assert [(item["product_id"], item["name"]) for item in items] == [("#7", "Mug"), ("8", "Jug")]
    assert tally.problems == []


@pytest.mark.parametrize(
    ("html", "image"),
    [
        ('<img src="https://t.example/p.gif" width="1" height="1"><img src="/a.jpg">', PHOTO),
        ('<img src="https://t.example/p.gif" height="0px"/><img src="/a.jpg">', PHOTO),
        ('<img src="data:image/gif;base64,AA"><img src="/a.jpg">', PHOTO),
        ('<img src="data:image/gif;base64,AA" data-src="/a.jpg"><img src="/b.jpg">', PHOTO),
        ('<img src="/blank.gif" data-lazy-src="/a.jpg">', PHOTO),
        ('<img src=""><img alt="x"><img src="/a.jpg" width="100%">', PHOTO),
        ('<img src="/a.jpg" width="1200" height="2">', ""),
    ],
)
def test_a_pixel_and_a_stand_in_are_no_pictures_of_an_entry(html: str, image: str) -> None:
    inside = (
        f"<item><title>A</title><link>https://shop.example/x</link><description><![CDATA[{html}]]></description></item>"
    )
    [item], _ = parsed(feed("rss"), f"<rss><channel>{inside}</channel></rss>".encode())
    assert item["image"] == image


def test_a_podcasts_picture_is_its_entrys() -> None:
    space = 'xmlns:i="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    inside = f'<item><title>A</title><link>https://shop.example/x</link><i:image href="{PHOTO}"/></item>'
    [item], _ = parsed(feed("rss"), f"<rss {space}><channel>{inside}</channel></rss>".encode())
    assert item["image"] == PHOTO


@pytest.mark.parametrize(
    ("column", "value", "category"),
    [
        ("google_product_category", "500", None),
        ("google_product_category", "Home > Mugs", "Home > Mugs"),
        ("Type", "simple, virtual", None),
        ("Type", "Mugs", "Mugs"),
        ("product_type", "configurable", None),
        ("Product Type [Non Editable]", "PHYSICAL", None),
        ("product_type", "Home > Mugs", "Home > Mugs"),
    ],
)
def test_a_code_is_no_category(column: str, value: str, category: str | None) -> None:
    assert table(f"id;{column}", f"1;{value}")[0].get("category") == category


@pytest.mark.parametrize("body", ["Service Unavailable", "OK\n", "PK\x03\x04", "\ufeffError 7: no such export\n\n"])
def test_a_line_of_words_is_no_table(body: str) -> None:
    for what in (CATALOG, feed("csv")):
        with pytest.raises(Unreadable, match="this is not a table"):
            parsed(what, body.encode())


@pytest.mark.parametrize(
    ("row", "price", "told"),
    [
        ("15.00 EUR,12.00 EUR,", 12.0, 0),
        ("15.00 EUR,12.00 USD,", 15.0, 1),
        ("15.00 EUR,12.00,", 12.0, 0),
        ("15.00,12.00 EUR,EUR", 12.0, 0),
        ("15.00 EUR,,USD", None, 1),
        ("15.00 EUR,,€", 15.0, 0),
        ("15.00 USD,,$", 15.0, 0),
        ("15.00 USD,,Dollars", 15.0, 0),
    ],
)
def test_prices_in_two_currencies_are_not_one(row: str, price: float | None, told: int) -> None:
    items, tally = parsed(CATALOG, f"id,price,sale price,currency\n1,{row}\n".encode())
    assert [item["price"] for item in items] == ([] if price is None else [price])
    assert len(tally.problems) == told


@pytest.mark.parametrize(
    ("price", "read"),
    [
        ({"value": "12.99", "currency": "USD"}, 12.99),
        ({"amountMicros": "12990000", "currencyCode": "USD"}, 12.99),
        ({"centAmount": 1299, "currencyCode": "USD", "fractionDigits": 2}, 12.99),
        ({"amount": 1299, "currency_minor_unit": 2}, None),
    ],
)
def test_a_price_may_be_an_object_that_says_its_scale(price: object, read: float | None) -> None:
    items, tally = parsed(JSON, json.dumps([{"id": 1, "price": price}]).encode())
    assert [item["price"] for item in items] == ([] if read is None else [read])
    assert tally.left_out == (read is None)


BRANDS = {
    "Shift_JIS": "マグ", "EUC-JP": "マグ", "GBK": "杯子", "GB18030": "杯子", "Big5": "杯子",
    "EUC-KR": "머그", "KOI8-R": "Мир",
    "windows-1250": "Łódź", "windows-1251": "Мир", "windows-1252": "“Müller”", "ISO-8859-1": "Müller",
    "ISO-8859-2": "Łódź", "UTF-16": "Мир", "UTF-8": "Мир",
}  # fmt: skip


def merchant(brand: str, declared: str, encoding: str = "") -> bytes:
    head = f'<?xml version="1.0" encoding="{declared}"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item>'
    body = f"{head}<g:id>1</g:id><g:brand>{brand}</g:brand></item></channel></rss>"
    return body.encode(encoding or declared)


@pytest.mark.parametrize("declared", BRANDS)
@pytest.mark.parametrize("before", ["", "\n", "  \r\n\n"])
def test_xml_is_read_in_the_encoding_that_it_declares(declared: str, before: str) -> None:
    body = merchant(BRANDS[declared], declared)
    items, _ = parsed(MERCHANT, body if declared == "UTF-16" else before.encode() + body)
    assert [item["brand"] for item in items] == [BRANDS[declared]]


def test_letters_across_the_parts_of_a_document_stay_whole() -> None:
    for shift in range(3):
        brand = "x" * shift + "マグ" * 40_000
        [item], _ = parsed(MERCHANT, merchant(f"<!--{brand}-->マグ", "Shift_JIS"))
        assert item["brand"] == "マグ"


def test_xml_that_is_utf_8_and_says_otherwise_is_read_as_utf_8() -> None:
    [item], _ = parsed(MERCHANT, merchant("Müller", "ISO-8859-1", "UTF-8"))
    assert item["brand"] == "Müller"


@pytest.mark.parametrize(
    ("declared", "encoding", "why"),
    [("x-klingon", "UTF-8", "its encoding is unknown"), ("Shift_JIS", "ISO-8859-1", "it is not encoded in Shift_JIS")],
)
def test_xml_in_no_encoding_is_refused_in_words(declared: str, encoding: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        parsed(MERCHANT, merchant("Müller é" if encoding == "ISO-8859-1" else "M", declared, encoding))


EXPORTS: list[tuple[str, str, dict[str, object]]] = [
    (  # Adobe Commerce
        "sku;product_type;categories;name;price;special_price;special_price_from_date;base_image;qty;is_in_stock",
        f"A-1;simple;Default/Mugs;Mug;34.0000;30.0000;2025-11-01;{PHOTO};100.0000;1",
        {"sku": "A-1", "category": "Default/Mugs", "price": 30.0, "list_price": 34.0, "stock": 100, "image_url": PHOTO},
    ),
    (  # BigCommerce
        "ID;Name;Type;SKU;Current Stock;Price;Sale Price;Categories;Is Visible;Image URL (Import)",
        f"77;Mug;physical;B-1;25;49;45;Mugs;TRUE;{PHOTO}",
        {"sku": "B-1", "category": "Mugs", "price": 45.0, "stock": 25, "image_url": PHOTO},
    ),
    (  # PrestaShop
        "Product ID;Active (0/1);Name *;Price tax included;Reference #;Quantity;Image URLs (x,y,z...)",
        f"1;1;Mug;66,05;demo_1;300;{PHOTO},https://shop.example/b.jpg",
        {"product_id": "1", "sku": "demo_1", "name": "Mug", "price": 66.05, "stock": 300, "image_url": PHOTO},
    ),
    (  # Wix
        "handleId;name;productImageUrl;collection;sku;price;visible;inventory",
        f"p_1;Mug;{PHOTO};Mugs;W-1;12;true;OutOfStock",
        {"sku": "W-1", "category": "Mugs", "availability": "out_of_stock", "image_url": PHOTO, "stock": None},
    ),
    (  # Squarespace
        "Product ID [Non Editable];Title;SKU;Price;Sale Price;On Sale;Stock;Categories;Visible;Hosted Image URLs",
        f"5d;Mug;Q-1;18.00;15.00;No;Unlimited;/mugs;Yes;{PHOTO} https://shop.example/b.jpg",
        {"product_id": "5d", "price": 18.0, "list_price": None, "availability": None, "image_url": PHOTO},
    ),
    (  # Squarespace, in a sale
        "SKU;Price;Sale Price;On Sale;Stock",
        "Q-1;18.00;15.00;Yes;4",
        {"price": 15.0, "list_price": 18.0, "stock": 4, "availability": None},
    ),
    (  # Shopware
        "product_number;active;stock;name;price_gross;cover_media_url",
        f"SW1;1;7;Mug;19.99;{PHOTO}",
        {"sku": "SW1", "price": 19.99, "stock": 7, "image_url": PHOTO},
    ),
    (  # Ecwid
        "product_sku;product_name;product_price;product_quantity;product_media_main_image_url",
        f"E1;Mug;9.5;3;{PHOTO}",
        {"sku": "E1", "name": "Mug", "price": 9.5, "stock": 3, "image_url": PHOTO},
    ),
]


@pytest.mark.parametrize(("names", "cells", "meant"), EXPORTS)
def test_more_shop_systems_exports_become_ours(names: str, cells: str, meant: dict[str, object]) -> None:
    item, _ = table(names, cells)
    assert {name: item.get(name) for name in meant} == meant
