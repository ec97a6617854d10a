"""Bodies of feeds: good items come through, bad ones are left out and counted, bad documents are refused."""

import gzip
import io
import json
from typing import Any

import pytest

from wetink.core.outbound.declaration import feed_of
from wetink.core.outbound.feed import Feed, Item, product_of
from wetink.feeds.parse import Tally, Unreadable, read

NOW = 1_750_000_000_000


def feed(form: str, **more: Any) -> Feed:
    return feed_of("shop", {"url": "https://shop.example/feed", "format": form, **more})


def parsed(what: Feed, body: bytes, now: int = NOW) -> tuple[list[Item], Tally]:
    tally = Tally()
    return list(read(what, io.BytesIO(body), tally, now)), tally


ONE, TWO = {"id": 1, "name": "Mug"}, {"id": 2, "name": "Jug"}
LINES = b'{"id":1,"name":"Mug"}\n\n{"id":2,"name":"Jug"}\n'
TEXTS = [{"id": "1", "name": "Mug"}, {"id": "2", "name": "Jug"}]


@pytest.mark.parametrize(
    ("what", "body", "expected"),
    [
        (feed("json"), json.dumps([ONE, TWO]).encode(), [ONE, TWO]),
        (feed("json"), b" \n\t[]", []),
        (feed("json"), json.dumps(ONE).encode(), [ONE]),
        (feed("json", root="a.b"), json.dumps({"a": {"c": 1, "b": [ONE, TWO]}}).encode(), [ONE, TWO]),
        (feed("json", root="a.1.b"), json.dumps({"a": [0, {"b": ONE}]}).encode(), [ONE]),
        (feed("json", root="a"), json.dumps({"a": []}).encode(), []),
        (feed("json"), b"\xef\xbb\xbf" + json.dumps([ONE]).encode(), [ONE]),
        (feed("json"), json.dumps([ONE]).encode("utf-16"), [ONE]),
        (feed("json"), gzip.compress(json.dumps([ONE]).encode(), mtime=0), [ONE]),
        (feed("json"), b'[{"id":1,"id":2}]', [{"id": 2}]),
        (feed("json"), b'[{"id":123456789012345678901234567890}]', [{"id": "123456789012345678901234567890"}]),
        (feed("json", fields={"n": "a.b.0", "m": "c"}), b'[{"a":{"b":[7]}}]', [{"n": 7, "m": None}]),
        (feed("jsonl"), LINES, [ONE, TWO]),
        (feed("jsonl"), LINES.replace(b"\n", b"\r\n"), [ONE, TWO]),
        (feed("jsonl"), LINES.decode().encode("utf-16"), [ONE, TWO]),
        (feed("jsonl", encoding="latin-1"), '{"name":"Krüge"}'.encode("latin-1"), [{"name": "Krüge"}]),
        (feed("csv"), b"id,name\n1,Mug\n2,Jug\n", TEXTS),
        (feed("csv"), b"id;name\r\n1;Mug\r\n\r\n2;Jug", TEXTS),
        (feed("csv"), b"id\tname\n1\tMug\n2\tJug\n", TEXTS),
        (feed("csv"), b"id|name\n1|Mug\n2|Jug\n", TEXTS),
        (feed("csv"), b"\xef\xbb\xbfid,name\n1,Mug\n2,Jug\n", TEXTS),
        (feed("csv"), "id,name\n1,Mug\n2,Jug\n".encode("utf-16"), TEXTS),
        (feed("csv"), gzip.compress(b"id,name\n1,Mug\n2,Jug\n", mtime=0), TEXTS),
        (
            feed("csv"),
            b'id;price\n1;"12,50"\n2;"3,10"\n',
            [{"id": "1", "price": "12,50"}, {"id": "2", "price": "3,10"}],
        ),
        (feed("csv"), b'id,name\n1,"a ""b""\nc, d"\n', [{"id": "1", "name": 'a "b"\nc, d'}]),
        (feed("csv"), b"name\nMug\nJug\n", [{"name": "Mug"}, {"name": "Jug"}]),
        (feed("csv"), b"id,name,\n1,Mug,\n", [{"id": "1", "name": "Mug"}]),
        (feed("csv"), b"id,name\n1,Mug,,\n", [{"id": "1", "name": "Mug"}]),
        (feed("csv", encoding="cp1251"), "id,name\n1,Кружка\n".encode("cp1251"), [{"id": "1", "name": "Кружка"}]),
        (feed("csv", fields={"n": "Product Name"}), b"Product Name,x\nMug,1\n", [{"n": "Mug"}]),
    ],
)
def test_items_are_read_from_what_there_is(what: Feed, body: bytes, expected: list[Item]) -> None:
    items, tally = parsed(what, body)
    assert items == expected
    assert (tally.count, tally.left_out, tally.problems) == (len(expected), 0, [])


@pytest.mark.parametrize(
    ("what", "body", "count", "problem"),
    [
        (feed("json"), b'[{"id":1},7,{"id":2}]', 2, "item 2: it is not an object"),
        (feed("json"), b'[{"id":1},{"id":"\xff"}]', 1, "item 2: it is not encoded in UTF-8"),
        (feed("json", key="id"), b'[{"id":1},{"id":1},{"id":2}]', 2, "item 2: '1' is a duplicate"),
        (feed("json", key="id"), b'[{"id":1},{"x":1}]', 1, "item 2: it has no id"),
        (feed("json"), rb'[{"id":1},{"id":2,"a":["b\u0000"]}]', 1, "item 2: a[0]: a NUL character"),
        (feed("jsonl"), LINES + rb'{"id\u0000":3}', 2, "line 4: a name: 'id\\x00': a NUL character"),
        (feed("jsonl"), rb'{"id":"\\u0000"}' + b"\noops\n" + LINES, 3, "line 2: JSON is malformed"),
        (feed("jsonl"), LINES + b'{"id":3', 2, "line 4: Input data was truncated"),
        (feed("jsonl"), b"oops\n" + LINES, 2, "line 1: JSON is malformed"),
        (feed("jsonl"), b'{"id":"\xe9"}\n' + LINES, 2, "line 1: it is not encoded in UTF-8"),
        (
            feed("jsonl"),
            b'{"id":"' + b"x" * 2_500_000 + b'"}\n' + LINES,
            2,
            "line 1: it holds a NUL or more than 1048576",
        ),
        (feed("jsonl"), b"[" * 90_000 + b"\n" + LINES, 2, "line 1: it is nested too deeply"),
        (feed("csv"), b"id,name\n1,Mug,3\n2,Jug\n", 1, "line 2: it has 3 cells, the header 2"),
        (feed("csv"), b"id,name\n1\n2,Jug\n", 1, "line 2: it has 1 cells, the header 2"),
        (feed("csv"), b"id,name\n1,\xca\xf0\xf3\xe6\n2,Jug\n", 1, "line 2: it is not encoded in UTF-8"),
        (feed("csv"), b"id,name\n1,M\0g\n2,Jug\n", 1, "line 2: it holds a NUL"),
        (feed("csv"), b"id,name\n1," + b"x" * 200_000 + b"\n2,Jug\n", 1, "line 2: field larger than field limit"),
        (feed("csv", limit={"items": 1}), b"id,name\n1,Mug\n2,Jug\n", 1, "line 3: more than 1 items"),
        (feed("csv"), b"id,id\n1,9\n", 1, "the header: 'id' appears 2 times: the first column counts"),
        (feed("csv", purpose="catalog"), b"sku,price\nA,free\nB,2\n", 1, "line 2: price 'free' is not a price"),
        (feed("csv", purpose="catalog"), b"sku,price\nA,-1\nB,2\n", 1, "line 2: price '-1' is not a price"),
        (feed("csv", purpose="catalog"), b"sku,name\nA,a\nA,b\n", 1, "line 3: 'A' is a duplicate"),
        (feed("csv", purpose="catalog"), b"sku,name\n,a\nB,b\n", 1, "line 2: it has neither product_id nor sku"),
        (
            feed("csv", purpose="catalog"),
            b"sku,url\nA,javascript:x()\nB,\n",
            2,
            "url 'javascript:x()' is not an http(s)",
        ),
    ],
)
def test_a_bad_item_is_left_out_and_does_not_spoil_the_rest(what: Feed, body: bytes, count: int, problem: str) -> None:
    items, tally = parsed(what, body)
    assert len(items) == tally.count == count
    assert len(tally.problems) == 1
    assert problem in tally.problems[0]


BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>'
PAGE = b"\n <!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.mark.parametrize(
    ("what", "body", "said"),
    [
        *((feed(form), b"", "it is empty") for form in ("json", "jsonl", "csv", "rss", "atom", "merchant")),
        *((feed(form), b"\xef\xbb\xbf \n", "it is empty") for form in ("json", "csv", "rss")),
        *((feed(form), PAGE, "a web page") for form in ("json", "jsonl", "csv", "rss", "atom", "merchant")),
        (feed("rss"), b"<HTML><head>", "a web page"),
        *((feed(form), BOMB, "document type declaration") for form in ("rss", "atom", "merchant")),
        (feed("rss"), OUTSIDE, "document type declaration"),
        (feed("rss"), BOMB.decode().encode("utf-16"), "document type declaration"),
        (
            feed("rss"),
            b"<rss><channel><item>&lol;</item></channel></rss>",
            "line 1, column 21: this is not XML: undefined",
        ),
        (feed("rss"), b"<rss><channel>\n<item></rss>", "line 2, column 9: this is not XML: mismatched tag"),
        (feed("rss"), b"<rss><channel>", "no element found"),
        (feed("rss"), b'{"a": 1}', "this is not XML"),
        (feed("rss"), b"<sitemap/>", "it starts with <sitemap>: this is neither RSS nor Atom"),
        (feed("rss"), b'<?xml version="1.0" encoding="klingon"?><rss/>', "unknown"),
        (feed("rss"), b"<rss><channel><item>\xff</item></channel></rss>", "not well-formed"),
        (feed("rss"), b"<rss>" + b"<a>" * 70, "more than 64 levels"),
        (feed("rss"), b'<rss a="' + b"x" * 2_000_000, "a tag of more than 1048576 bytes"),
        (feed("json"), b"<rss/>", "JSON is malformed"),
        (feed("json"), b"7", "neither a list nor an object"),
        (feed("json"), b'[{"id": 1}', "truncated"),
        (feed("json"), b"[" * 100_000, "nested too deeply"),
        (feed("json", root="a.b"), b'{"a": {"c": 1, "d": 2}}', "root: there is no b; there is c, d"),
        (feed("json", root="a.b"), b'{"a": 0}', "root: there is no b, for there is no object"),
        (feed("json", root="a.3"), b'{"a": [1]}', "root: the list has no item 3"),
        (feed("json", root="a"), b'{"a": "x"}', "a is neither a list nor an object"),
        (feed("json"), b"\xff\xfe[\x00\x01", "not encoded in utf-16"),
        (feed("csv"), b"\n\n1,2\n", "the header: it is empty"),
        (feed("csv"), b"a\xff,b\n1,2\n", "the header: it is not encoded in UTF-8"),
        (feed("csv"), b'"' + b"a" * 200_000, "the header: field larger than field limit"),
        (feed("csv", limit={"bytes": 20}), b"a,b\n" + b"1,2\n" * 10, "more than 20 bytes"),
        (feed("csv", limit={"bytes": 2000}), gzip.compress(b"1,2\n" * 100_000, mtime=0), "more than 2000 bytes"),
        (feed("csv"), gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-20], "it cannot be unpacked"),
        (feed("csv"), b"\x1f\x8bnonsense", "it cannot be unpacked"),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_refused_in_words(what: Feed, body: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parsed(what, body)
    assert said in str(caught.value)


def test_all_bad_items_are_counted_and_the_first_are_reported() -> None:
    items, tally = parsed(feed("jsonl"), b"oops\n" * 50 + LINES)
    assert (len(items), tally.left_out, len(tally.problems)) == (2, 50, 20)


RSS = """<?xml version="1.0" encoding="windows-1252"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>The blog</title><link>https://blog.example/</link>
<item><title>Caf\u00e9 &amp; cake</title><media:title>Not this</media:title>
<atom:link href="https://evil.example/" rel="self"/>
<link>https://blog.example/1</link><guid isPermaLink="false">n-1</guid><dc:creator>Ann</dc:creator>
<description>&lt;p&gt;Fish &amp;amp; &lt;b&gt;chips&lt;/b&gt;&lt;/p&gt;</description>
<content:encoded><![CDATA[<p>All of it</p><img src="https://blog.example/in.jpg">]]></content:encoded>
<category>Food</category><category/><category>News</category>
<pubDate>Mon, 02 Jun 2025 10:00:00 +0200</pubDate>
<media:group><media:content url="https://blog.example/v.mp4" type="video/mp4"/>
<media:thumbnail url="https://blog.example/t.jpg"/></media:group></item>
<item><title>Two</title><enclosure url="https://blog.example/e.png" type="image/png" length="1"/>
<pubDate>yesterday</pubDate></item>
<item><link>https://blog.example/3</link></item>
<item><title>Four</title><link>javascript:alert(1)</link></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title>
<entry><title type="html">A &lt;i&gt;b&lt;/i&gt;</title><link rel="self" href="https://blog.example/self"/><link href="https://blog.example/a"/>
<link rel="enclosure" type="image/jpeg" href="https://blog.example/a.jpg"/>
<id>urn:1</id><updated>2025-06-02T08:00:00Z</updated><author><name>Bo</name></author><category term="Food"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Hello <b>there</b></div></content></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/><item><title>Old</title><link>https://blog.example/o</link>
<dc:date>2025-06-02T08:00:00Z</dc:date></item></rdf:RDF>"""
JUNE = 1_748_851_200_000


def test_rss_is_read_in_the_words_of_a_template() -> None:
    items, tally = parsed(feed("rss"), RSS.encode("cp1252"))
    assert items == [
        {
            "id": "n-1", "title": "Café & cake", "link": "https://blog.example/1", "summary": "Fish & chips",
            "content": "All of it", "author": "Ann", "image": "https://blog.example/t.jpg",
            "categories": ["Food", "News"], "published": JUNE,
        },
        {
            "id": "", "title": "Two", "link": "", "summary": "", "content": "", "author": "",
            "image": "https://blog.example/e.png", "categories": [], "published": None,
        },
        {
            "id": "", "title": "Four", "link": "", "summary": "", "content": "", "author": "", "image": "",
            "categories": [], "published": None,
        },
    ]  # fmt: skip
    assert tally.problems == [
        "line 16: it has no title and no text",
        "line 17: its link 'javascript:alert(1)' is not an http(s) URL and is left empty",
    ]


def test_atom_and_the_oldest_rss_are_read_in_the_same_words() -> None:
    [entry], _ = parsed(feed("atom"), ATOM.encode())
    assert entry == {
        "id": "urn:1", "title": "A b", "link": "https://blog.example/a", "summary": "Hello there",
        "content": "Hello there", "author": "Bo", "image": "https://blog.example/a.jpg", "categories": ["Food"],
        "published": JUNE,
    }  # fmt: skip
    [old], _ = parsed(feed("rss"), RDF.encode("utf-16"))
    assert (old["title"], old["link"], old["published"]) == ("Old", "https://blog.example/o", JUNE)


def test_an_entry_that_is_too_large_is_left_out() -> None:
    large = "<item><title>Big</title><description>" + "word " * 200_000 + "</description></item>"
    many = "<item><title>Many</title>" + "<a/>" * 20_000 + "</item>"
    body = f"<rss><channel>{large}{many}<item><title>Good</title></item></channel></rss>"
    items, tally = parsed(feed("rss"), body.encode())
    assert [item["title"] for item in items] == ["Good"]
    assert tally.problems == ["line 1: it is too large"] * 2


GOOGLE = """<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel><title>Shop</title>
<item><g:id>A1</g:id><g:title>Mug &amp; saucer</g:title><link>https://shop.example/a1</link>
<g:image_link>https://shop.example/a1.jpg</g:image_link><g:additional_image_link>https://shop.example/x.jpg</g:additional_image_link>
<g:additional_image_link>https://shop.example/y.jpg</g:additional_image_link>
<g:price>12.50 EUR</g:price><g:sale_price>9.99 EUR</g:sale_price>
<g:sale_price_effective_date>2025-06-01T00:00+0200/2025-07-01T00:00+0200</g:sale_price_effective_date>
<g:availability>in stock</g:availability><g:quantity>3</g:quantity><g:mpn>MPN-1</g:mpn>
<g:google_product_category>674</g:google_product_category><g:product_type>Home &gt; Mugs</g:product_type>
<g:brand>Clay</g:brand><g:color>Blue</g:color><g:size>L</g:size><g:item_group_id>A</g:item_group_id>
<g:shipping><g:country>DE</g:country><g:price>4 EUR</g:price></g:shipping></item>
<item><g:id>A2</g:id><g:title>Jug</g:title><g:price>EUR 1,299.00</g:price>
<g:availability>out_of_stock</g:availability></item>
<item><g:title>No id</g:title></item>
<item><g:id>A4</g:id><g:price>ask us</g:price></item>
</channel></rss>"""
MUG = {
    "product_id": "A1", "name": "Mug & saucer", "category": "Home > Mugs", "brand": "Clay", "variant": "Blue / L",
    "url": "https://shop.example/a1", "image_url": "https://shop.example/a1.jpg", "price": 9.99, "list_price": 12.5,
    "currency": "EUR", "availability": "in_stock", "stock": 3,
}  # fmt: skip
JUG = {"product_id": "A2", "name": "Jug", "price": 1299.0, "currency": "EUR", "availability": "out_of_stock"}


def test_google_merchant_products_become_ours() -> None:
    items, tally = parsed(feed("merchant"), GOOGLE.encode())
    assert items == [MUG, JUG]
    assert tally.problems == ["line 13: it has neither product_id nor sku", "line 14: price 'ask us' is not a price"]
    product = product_of(items[0])
    assert product is not None
    assert (product.key, product.name, product.price, product.currency) == ("A1", "Mug & saucer", 9.99, "EUR")


def test_a_sale_price_counts_while_its_dates_say_so() -> None:
    (mug, _), _ = parsed(feed("merchant"), GOOGLE.encode(), NOW + 30 * 86_400_000)
    assert mug["price"] == 12.5
    assert "list_price" not in mug


def test_merchant_data_names_further_fields() -> None:
    (mug, jug), _ = parsed(
        feed("merchant", fields={"sku": "mpn", "category": "google_product_category"}), GOOGLE.encode()
    )
    assert (mug["sku"], mug["category"]) == ("MPN-1", "674")
    assert "sku" not in jug


@pytest.mark.parametrize(
    "header", ["id\ttitle\tprice\timage link", "ID\tTitle\tPrice\tImage_Link", "g:id\tg:title\tg:price\tg:image_link"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_merchant_tables_are_the_same_data(header: str, encoding: str) -> None:
    body = f"{header}\nA1\tMug\t12,50 EUR\thttps://shop.example/a.jpg\n".encode(encoding)
    assert parsed(feed("merchant"), body)[0] == [
        {"product_id": "A1", "name": "Mug", "price": 12.5, "currency": "EUR", "image_url": "https://shop.example/a.jpg"}
    ]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("in stock", "in_stock"), ("In_Stock", "in_stock"), ("https://schema.org/InStock", "in_stock"),
        ("sold out", "out_of_stock"), ("https://schema.org/PreOrder", "preorder"), ("backorder", "backorder"),
        (True, "in_stock"), (False, "out_of_stock"), ("perhaps", None), (None, None), ([], None),
    ],
)  # fmt: skip
def test_whether_it_can_be_had_is_said_in_four_words(said: Any, known: str | None) -> None:
    body = json.dumps([{"sku": "A", "availability": said}]).encode()
    [item], _ = parsed(feed("json", purpose="catalog"), body)
    assert item.get("availability") == known
