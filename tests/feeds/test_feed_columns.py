"""Product feeds as they are: names of any export, sales by their dates, links that are none, bytes of any kind."""

import codecs
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_products import AVAILABLE, ENTITIES
from tests.core.urls import BARE, TABLE
from tests.feeds.test_feed_parse import feed, parsed
from wetink.core.outbound.feed import Feed, Item, Snapshot, due_at, is_due
from wetink.feeds.parse import Unreadable
from wetink.feeds.parse.product import sale_of
from wetink.feeds.parse.reader import Tally

CATALOG = feed("csv", purpose="catalog")
JSON = feed("json", purpose="catalog")
MERCHANT = feed("merchant")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


NOW = at("2026-07-15T12:00:00+00:00")


def table(header: str, row: str, now: int = NOW, what: Feed = CATALOG) -> tuple[Item, Tally]:
    items, tally = parsed(what, f"{header}\n{row}\n".encode(), now)
    assert len(items) == 1, tally.problems
    return items[0], tally


MUG = {
    "product_id": "1", "name": "Mug", "url": "https://shop.example/mug", "image_url": "https://shop.example/mug.jpg",
    "price": 15.0, "availability": "in_stock",
}  # fmt: skip
VALUES = "1,Mug,https://shop.example/mug,https://shop.example/mug.jpg,15.00,in stock"
HEADERS = (
    "id,title,link,image link,price,availability",
    "id,title,link,image_link,price,availability",
    "ID,Title,Link,Image Link,Price,Availability",
    "g:id,g:title,g:link,g:image_link,g:price,g:availability",
    "product_id,name,url,image_url,price,availability",
    "productId,name,url,imageUrl,price,availability",
    "Product ID,Product Name,Product URL,Image URL,Price,In stock?",
    "Handle,Title,Product Link,Image Src,Variant Price,Available",
    "id,title,permalink,images,regular_price,stock_status",
    "item-id,product-title,product-link,image-link,price,is_in_stock",
)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("divider", [",", ";", "\t", "|"])
def test_a_tables_columns_are_known_by_the_names_of_any_export(header: str, divider: str) -> None:
    item, tally = table(header.replace(",", divider), VALUES.replace(",", divider))
    assert item == MUG
    assert tally.problems == []


def test_exports_of_shops_and_channels_become_ours() -> None:
    shopify = "Handle,Title,Vendor,Type,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,"
    shopify += "Variant Compare At Price"
    item, _ = table(shopify, "mug,Mug,Clay,Mugs,Blue,M-1,3,9.99,12.50")
    assert item == {
        "product_id": "mug", "sku": "M-1", "name": "Mug", "brand": "Clay", "category": "Mugs", "variant": "Blue",
        "stock": 3, "price": 9.99, "list_price": 12.5,
    }  # fmt: skip
    facebook = "id,title,availability,price,sale_price,link,image_link,brand,quantity_to_sell_on_facebook,color,size"
    item, _ = table(
        facebook, "1,Mug,in stock,15.00 EUR,9.99 EUR,https://shop.example/mug,//cdn.example/a.jpg,Clay,7,Blue,L"
    )
    assert (item["price"], item["list_price"], item["stock"], item["variant"]) == (9.99, 15.0, 7, "Blue / L")
    assert item["image_url"] == "https://cdn.example/a.jpg"
    woo = "ID,Type,SKU,Name,In stock?,Sale price,Regular price,Categories"
    item, _ = table(woo, "5,simple,M-1,Mug,0,9.99,15.00,Mugs")
    assert (item["price"], item["list_price"], item["category"]) == (9.99, 15.0, "Mugs")
    assert item["availability"] == "out_of_stock"


def test_our_own_names_win_over_others() -> None:
    [item], _ = parsed(JSON, json.dumps([{"id": "X", "product_id": "1", "title": "No", "name": "Mug"}]).encode())
    assert (item["product_id"], item["name"]) == ("1", "Mug")


SALES = (
    "2026-07-01/2026-08-01",
    "2026-07-01 / 2026-08-01",
    "2026-07-01 to 2026-08-01",
    "2026-07-01 - 2026-08-01",
    "2026-07-01 \u2013 2026-08-01",
    "2026-07-01 until 2026-08-01",
    "from 2026-07-01 to 2026-08-01",
    "2026-07-01,2026-08-01",
    "2026-07-01..2026-08-01",
    "2026-07-01T00:00Z/2026-08-01T00:00Z",
    "2026-07-01T00:00:00+0200/2026-08-01T23:59:59+0200",
    "2026-07-01T00:00-0800/2026-08-01T15:30-0800",
    "2026-07-01T00:00/2026-08-01T00:00",
    "2026-07-01 00:00/2026-08-01 00:00",
    "2026-07-01T00:00:00.000Z/2026-08-01T00:00:00.000Z",
    "2026-07-01 00:00:00 +0200/2026-08-01 00:00:00 +0200",
    "2026-07-01T00:00Z/",
    "2026-07-01",
    "from 2026-07-01",
    "/2026-08-01",
    "until 2026-08-01",
    "2026-07-01/",
    "",
    " ",
    "/",
)
NOT_NOW = (
    "2026-01-01 to 2026-02-01",
    "2026-01-01/2026-02-01",
    "2026-08-01/2026-09-01",
    "2026-08-01",
    "/2026-07-01",
    "until 2026-07-01",
    "2026-07-15T13:00Z/2026-08-01T00:00Z",
    "2026-07-01T00:00Z/2026-07-15T11:59Z",
    "2026-07-15T12:00-0800/2026-08-01",
    "2026-07-01/2026-07-14",
)
UNREAD = ("soon", "summer", "2026-13-01/2026-14-01", "2026-08-01/2026-07-01", "always/never", "2026-07-01/x")


@pytest.mark.parametrize(
    ("dates", "price", "told"),
    [
        *((each, 9.99, 0) for each in SALES),
        *((each, 15.0, 0) for each in NOT_NOW),
        *((each, 15.0, 1) for each in UNREAD),
    ],
)
def test_a_sale_price_counts_while_its_dates_say_so(dates: str, price: float, told: int) -> None:
    row = [{"id": "1", "price": "15.00 EUR", "sale_price": "9.99 EUR", "sale_price_effective_date": dates}]
    for what in (JSON, MERCHANT):
        if what is MERCHANT:
            fields = "".join(f"<{name}>{value}</{name}>" for name, value in row[0].items())
            body = f"<rss><item>{fields}</item></rss>".encode()
        else:
            body = json.dumps(row).encode()
        [item], tally = parsed(what, body, NOW)
        assert (item["price"], item.get("list_price")) == (price, 15.0 if price < 15 else None)
        assert len(tally.problems) == told, tally.problems
        assert tally.left_out == 0


def test_the_last_day_of_a_sale_is_part_of_it() -> None:
    sale = sale_of("2026-07-01/2026-07-15")
    assert sale is not None
    assert sale.ends == at("2026-07-16T00:00:00+00:00")


@pytest.mark.parametrize(
    ("sale", "told"),
    [("0", 1), ("0.00 EUR", 1), ("-5", 1), ("15.00 EUR", 0), ("20 EUR", 1), ("ask us", 1), ("14.99", 0)],
)
def test_a_sale_price_that_is_none_is_ignored_and_told(sale: str, told: int) -> None:
    item, tally = table("id,price,sale_price", f"1,15.00 EUR,{sale}")
    assert item["price"] == (14.99 if sale == "14.99" else 15.0)
    assert len(tally.problems) == told
    assert tally.left_out == 0


def test_a_feed_is_read_again_when_a_sale_begins_or_ends() -> None:
    tally = Tally()
    for begins, ends in (("2026-07-20", "2026-08-01"), ("2026-07-01", "2026-07-17")):
        body = f"id,price,sale_price,sale_price_effective_date\n1,15,9,{begins}T00:00Z/{ends}T00:00Z\n"
        _, tally = parsed(CATALOG, body.encode(), NOW)
        assert tally.until == at(f"{begins if begins > '2026-07-15' else ends}T00:00:00+00:00")
    yearly = feed("csv", purpose="catalog", every="365d")
    snapshot = Snapshot("shop", checked_at=NOW, until=tally.until)
    assert due_at(yearly, snapshot) == tally.until
    assert not is_due(yearly, snapshot, NOW + 3_600_000)
    assert is_due(yearly, snapshot, tally.until)


@given(st.text(alphabet="0123456789-/TZ:+ to", max_size=40))
def test_any_sale_dates_are_read_or_ignored(text: str) -> None:
    sale = sale_of(text)
    assert sale is None or sale.begins is None or sale.ends is None or sale.begins < sale.ends


@pytest.mark.parametrize(("written", "meant"), [(written, meant) for written, page, meant in TABLE if page == BARE])
def test_a_photo_that_is_none_costs_a_feed_no_product(written: str, meant: str) -> None:
    row = {"id": "1", "link": "https://shop.example/mug", "image_link": written}
    items, tally = parsed(feed("json", purpose="catalog"), json.dumps([row]).encode())
    assert len(items) == 1
    assert tally.left_out == 0
    image = items[0].get("image_url", "")
    assert image == meant or image.startswith("https://shop.example/")
    assert len(tally.problems) == (0 if image or not written.strip() else 1)


@pytest.mark.parametrize("link", ["N/A", "javascript:x()", "data:x", "https://user@shop.example/"])
def test_a_link_that_is_none_costs_a_feed_no_product(link: str) -> None:
    item, tally = table("id,title,link", f"1,Mug,{link}")
    assert item == {"product_id": "1", "name": "Mug"}
    assert tally.problems == [f"line 2: url {link!r} is not an http(s) URL and is left empty"]


def test_relative_links_stand_on_the_feed_and_photos_on_their_page() -> None:
    item, _ = table("id,link,image_link", "1,/p/mug,images/a b.jpg")
    assert (item["url"], item["image_url"]) == ("https://shop.example/p/mug", "https://shop.example/p/images/a%20b.jpg")


@pytest.mark.parametrize(("value", "meant"), [each for each in AVAILABLE if each[0] == each[0]])
def test_availability_is_read_in_every_kind_of_feed(value: Any, meant: str | None) -> None:
    [item], tally = parsed(JSON, json.dumps([{"id": "1", "availability": value}]).encode())
    assert item.get("availability") == meant
    assert len(tally.problems) == (0 if meant or value in (None, "", []) else 1)
    if isinstance(value, str) and value and "," not in value:
        assert table("id,availability", f"1,{value}")[0].get("availability") == meant


@pytest.mark.parametrize(("written", "meant"), ENTITIES)
def test_names_written_for_html_are_decoded_once_in_every_feed(written: str, meant: str) -> None:
    [item], _ = parsed(JSON, json.dumps([{"id": "1", "title": written}]).encode())
    assert item["name"] == meant
    [item], _ = parsed(MERCHANT, f"<rss><item><id>1</id><title><![CDATA[{written}]]></title></item></rss>".encode())
    assert item["name"] == meant


LINE = "1;Mug;https://shop.example/mug;12,50"
HEAD = "product_id;name;url;price"


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\n', "SEP=;\r\n", "sep=;  \n", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_divider_may_be_said_in_the_first_line(first: str, encoding: str) -> None:
    items, tally = parsed(CATALOG, f"{first}{HEAD}\n{LINE}\n".encode(encoding))
    assert items == [{"product_id": "1", "name": "Mug", "url": "https://shop.example/mug", "price": 12.5}]
    assert tally.problems == []


def test_lines_are_counted_with_the_one_that_says_the_divider() -> None:
    _, tally = parsed(CATALOG, f"sep=;\n{HEAD}\n{LINE}\n;x;;\n".encode())
    assert tally.problems == ["line 4: it has neither product_id nor sku"]


WESTERN = (
    "Kr\u00fcge",
    "Caf\u00e9",
    "\u20ac 5",
    "Ni\u00f1o",
    "\u201cGood\u201d",
    "Jane\u2019s",
    "M\u00f8bel",
    "stra\u00dfe",
    "50 \u00b0C",
    "10 m\u00b2",
    "\u00bfQu\u00e9?",
    "\u00c4pfel",
    "CAF\u00c9",
    "\u00bdl Krug",
)


@pytest.mark.parametrize("name", WESTERN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_western_names_come_through_in_any_usual_encoding(name: str, encoding: str) -> None:
    items, tally = parsed(CATALOG, f"sku,name\nA,Mug\nB,{name}\n".encode(encoding))
    assert [item["name"] for item in items] == ["Mug", name]
    told = "line 3: it is not encoded in UTF-8 and is read as windows-1252; name another encoding"
    assert tally.problems == ([told] if encoding == "cp1252" else [])


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("\u041a\u0440\u0443\u0436\u043a\u0430", "cp1251"),
        ("\u30de\u30b0\u30ab\u30c3\u30d7", "shift-jis"),
        ("\u0141\u00f3d\u017a", "cp1250"),
        ("Ksi\u0105\u017cka", "cp1250"),
        ("\u017b\u00f3\u0142ta", "cp1250"),
    ],
)
def test_words_of_another_code_page_are_not_guessed_but_read_when_it_is_named(name: str, encoding: str) -> None:
    body = f"sku,name\nA,Mug\nB,{name}\n".encode(encoding)
    items, tally = parsed(CATALOG, body)
    assert [item["name"] for item in items] == ["Mug"]
    assert tally.problems == ["line 3: it is not encoded in UTF-8"]
    items, _ = parsed(feed("csv", purpose="catalog", encoding=encoding), body)
    assert items[1]["name"] == name


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("<rss><channel></rss>", "line 1, column 17: this is not XML: mismatched tag"),
        ("<rss>\n<channel>\n <item><title>A & B</title></item></channel></rss>", "line 3, column 18: this is not XML"),
        ("<rss>\n <item><title>&nbsp;</title></item></rss>", "line 2, column 15: this is not XML: undefined entity"),
        ("<rss><item a=b></item></rss>", "line 1, column 14: this is not XML"),
        ("<rss><item>\x01</item></rss>", "line 1, column 12: this is not XML"),
        ("<rss>", "line 1, column 6: this is not XML: no element found"),
        ("<rss></rss>\n<rss></rss>", "line 2, column 1: this is not XML: junk after document element"),
        ("<?xml version='1.0'?>\n<rss>\n<item>\n<a></b>", "line 4, column 6: this is not XML: mismatched tag"),
    ],
)
@pytest.mark.parametrize("form", ["rss", "merchant"])
def test_xml_that_is_none_is_told_with_its_line_and_column(body: str, where: str, form: str) -> None:
    with pytest.raises(Unreadable) as raised:
        parsed(feed(form), body.encode())
    assert where in str(raised.value)


def entry(inside: str) -> tuple[Item, Tally]:
    items, tally = parsed(feed("rss"), f"<rss><channel><item><title>G</title>{inside}</item></channel></rss>".encode())
    return items[0], tally


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        ('<guid isPermaLink="true">https://shop.example/g</guid>', "https://shop.example/g"),
        ("<guid>https://shop.example/g</guid>", "https://shop.example/g"),
        ('<guid isPermaLink="false">https://shop.example/g</guid>', ""),
        ('<guid isPermaLink="true">tag:x,1</guid>', ""),
        ("<guid>g-1</guid>", ""),
        ("<guid>https://shop.example/g</guid><link>https://shop.example/l</link>", "https://shop.example/l"),
        ("<link>/l m</link>", "https://shop.example/l%20m"),
        ("<link> https://shop.example/l?a=1&amp;b=2 </link>", "https://shop.example/l?a=1&b=2"),
        ("<link>N/A</link>", ""),
    ],
)
def test_an_entry_leads_to_its_link_or_permanent_guid(inside: str, link: str) -> None:
    item, tally = entry(inside)
    assert item["link"] == link
    assert tally.problems == (
        ["line 1: its link 'N/A' is not an http(s) URL and is left empty"] if "N/A" in inside else []
    )


@pytest.mark.parametrize(
    ("inside", "image"),
    [
        ('<enclosure url="https://shop.example/a.jpg"/>', "https://shop.example/a.jpg"),
        ('<enclosure url="https://shop.example/a.PNG?w=1"/>', "https://shop.example/a.PNG?w=1"),
        ('<enclosure url="https://shop.example/a.mp3"/>', ""),
        ('<enclosure url="https://shop.example/a"/>', ""),
        ('<enclosure url="https://shop.example/a" type="image/jpeg"/>', "https://shop.example/a"),
        ('<enclosure url="https://shop.example/a.jpg" type="audio/mpeg"/>', ""),
        ('<enclosure url="//cdn.example/a b.webp"/>', "https://cdn.example/a%20b.webp"),
        ('<enclosure url="/a.jpg"/>', "https://shop.example/a.jpg"),
        ('<description>&lt;img src="/x.jpg"&gt;</description>', "https://shop.example/x.jpg"),
    ],
)
def test_an_entrys_picture_is_known_by_its_type_or_its_name(inside: str, image: str) -> None:
    assert entry(inside)[0]["image"] == image


def test_marks_of_byte_order_are_none_of_the_data() -> None:
    for mark in (codecs.BOM_UTF8,):
        items, _ = parsed(CATALOG, mark + b"sku,name\nA,Mug\n")
        assert items == [{"sku": "A", "name": "Mug"}]
