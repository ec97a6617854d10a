"""Products of events in whatever shape they are sent: read as meant, or told at their path."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_normalize import normal
from tests.core.urls import PAGE, TABLE
from wetink.core.events.availability import availability
from wetink.core.events.ecommerce import product
from wetink.core.events.event import Event, Product
from wetink.core.messages.record import Record
from wetink.core.profile.fold import fold
from wetink.core.text.characters import unescaped

MUG = {"sku": "S-1", "name": "Mug", "url": "https://shop.example/mug"}
JUG = {"sku": "S-2", "name": "Jug", "url": "https://shop.example/jug"}
AT = 1_790_000_000_000


def told(event: str, properties: dict[str, Any], page: str = "") -> Record:
    context = {"page": {"url": page}} if page else {}
    return normal({"type": "track", "userId": "u", "event": event, "properties": properties, "context": context})


def seen(found: Record) -> Event:
    assert found.event is not None
    return found.event


def problems(found: Record) -> list[tuple[str, str]]:
    return [(each.code, each.property) for each in found.problems]


@pytest.mark.parametrize(("written", "page", "meant"), [each for each in TABLE if each[0].strip()])
def test_a_links_reading_reaches_the_event_and_what_cannot_be_one_is_told(written: str, page: str, meant: str) -> None:
    for name in ("url", "image_url"):
        found = told("Product Added", {"sku": "S", name: written}, page)
        assert getattr(seen(found).products[0], name) == meant
        assert (("not_a_url", name) in problems(found)) is not bool(meant)


def test_a_relative_photo_stands_on_the_products_own_page_when_no_other_is_told() -> None:
    found = told("Product Viewed", {**MUG, "image_url": "/a b.jpg"})
    assert seen(found).products[0].image_url == "https://shop.example/a%20b.jpg"
    assert found.problems == ()


def test_links_in_a_list_are_read_by_the_page_and_told_by_their_place() -> None:
    listed = [{**MUG, "image_url": "//cdn.example/a.jpg"}, {"sku": "S-2", "url": "/jug", "imageUrl": "N/A"}]
    found = told("Cart Viewed", {"products": listed}, PAGE)
    first, second = seen(found).products
    assert (first.image_url, second.url) == ("https://cdn.example/a.jpg", "https://shop.example/jug")
    assert problems(found) == [("not_a_url", "products[1].imageUrl")]


@pytest.mark.parametrize("image", [["//cdn.example/a.jpg", "b"], {"src": "//cdn.example/a.jpg"}, [{"url": "/a.jpg"}]])
def test_the_first_of_several_photos_counts(image: Any) -> None:
    assert seen(told("Product Viewed", {**MUG, "image": image}, PAGE)).products[0].image_url.endswith("/a.jpg")


@pytest.mark.parametrize("page", [7, None, [], {}, {"url": 7}, {"url": None}, {"url": "x"}])
def test_a_page_of_any_kind_takes_nothing_with_it(page: Any) -> None:
    message = {"type": "track", "userId": "u", "event": "Product Viewed", "context": {"page": page}}
    found = normal({**message, "properties": {**MUG, "image_url": "/a.jpg"}})
    assert seen(found).products[0].image_url == "https://shop.example/a.jpg"


LISTS = (
    [MUG, JUG],
    json.dumps([MUG, JUG]),
    json.dumps([MUG, JUG], indent=2),
    f" {json.dumps([MUG, JUG])}\n",
    [json.dumps(MUG), json.dumps(JUG)],
    [MUG, json.dumps(JUG)],
    json.dumps([json.dumps(MUG), JUG]),
    {"0": MUG, "1": JUG},
    json.dumps({"0": MUG, "1": JUG}),
)
SINGLES = (MUG, json.dumps(MUG), [json.dumps(MUG)], json.dumps([MUG]))
MANY = ("Cart Viewed", "Checkout Started", "Order Completed", "Order Updated", "Order Refunded", "Order Cancelled",
        "Product List Viewed", "Product List Filtered", "Cart Shared")  # fmt: skip


@pytest.mark.parametrize("event", MANY)
@pytest.mark.parametrize("products", LISTS)
def test_products_are_read_however_they_are_listed(event: str, products: Any) -> None:
    found = told(event, {"total": 5, "products": products})
    assert [each.sku for each in seen(found).products] == ["S-1", "S-2"]
    assert "products" not in seen(found).properties
    assert not [each for each in found.problems if not each.property.endswith(".price")]


@pytest.mark.parametrize("event", MANY)
@pytest.mark.parametrize("products", SINGLES)
def test_one_product_is_a_list_of_one(event: str, products: Any) -> None:
    assert [each.sku for each in seen(told(event, {"products": products})).products] == ["S-1"]


@pytest.mark.parametrize("name", ["product", "products"])
@pytest.mark.parametrize("event", ["Product Viewed", "Product Added", "Product Removed", "Product Added to Wishlist"])
@pytest.mark.parametrize("product", SINGLES)
def test_a_product_inside_of_its_event_is_found(event: str, name: str, product: Any) -> None:
    found = told(event, {name: product, "color": "red"})
    assert (found.verdict, [each.name for each in seen(found).products]) == ("usable", ["Mug"])
    assert seen(found).properties == {"color": "red"}


BESIDE: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"sku": "S-1"}, {"quantity": 2, "url": "https://shop.example/mug"}, {"quantity": 2, "url": MUG["url"]}),
    ({"sku": "S-1", "price": 9}, {"currency": "EUR"}, {"price": 9.0, "currency": "EUR"}),
    ({"sku": "S-1", "currency": "USD"}, {"currency": "EUR"}, {"currency": "USD"}),
    ({"sku": "S-1", "quantity": 3}, {"quantity": 2}, {"quantity": 3}),
    ({"sku": "S-1"}, {"url": "/mug", "image_url": "a.jpg"}, {"image_url": "https://shop.example/list/a.jpg"}),
    ({"sku": "S-1"}, {"category": "Mugs", "position": 4}, {"category": "Mugs", "position": 4}),
]


@pytest.mark.parametrize("name", ["product", "products"])
@pytest.mark.parametrize(("product", "beside", "meant"), BESIDE)
def test_a_product_inside_is_completed_by_what_stands_beside_it(
    name: str, product: dict[str, Any], beside: dict[str, Any], meant: dict[str, Any]
) -> None:
    inside: Any = [product] if name == "products" else product
    found = told("Product Added", {name: inside, **beside}, "https://shop.example/list/")
    assert {field: getattr(seen(found).products[0], field) for field in meant} == meant


def test_several_products_share_the_currency_beside_them_alone() -> None:
    inside = [{"sku": "S-1", "price": 9}, {"sku": "S-2", "currency": "USD"}]
    event = seen(told("Product Added", {"products": inside, "currency": "EUR", "quantity": 2, "name": "x"}))
    assert [(each.currency, each.quantity, each.name) for each in event.products] == [("EUR", 1, ""), ("USD", 1, "")]


def test_what_cannot_be_read_beside_a_product_is_told() -> None:
    found = told("Product Added", {"product": {"sku": "S-1"}, "quantity": "some", "url": "javascript:x"})
    assert sorted(problems(found)) == [("not_a_number", "quantity"), ("not_a_url", "url")]


@pytest.mark.parametrize(
    "products", ["none", "[", '[{"sku": "S"', "7", 7, True, "S-1,S-2", '"[]"', "[" * 5_000, "[" * 900 + "]" * 900]
)
def test_a_list_that_cannot_be_read_is_told(products: Any) -> None:
    found = told("Cart Viewed", {"products": products})
    assert seen(found).products == ()
    assert problems(found)[0][1].partition("[")[0] == "products"


@pytest.mark.parametrize("thing", [7, "S-1", None, [], True])
def test_what_is_no_product_in_a_list_is_told_and_spoils_no_other(thing: Any) -> None:
    found = told("Cart Viewed", {"products": [MUG, thing, JUG]})
    assert [each.sku for each in seen(found).products] == ["S-1", "S-2"]
    assert problems(found) == [("not_a_product", "products[1]")]


# fmt: off
ENTITIES = (
    ("Tom &amp; Jerry &#8211; Mug", "Tom & Jerry \u2013 Mug"), ("&amp;lt;", "&lt;"), ("&amp;amp;", "&amp;"),
    ("&lt;b&gt;", "<b>"), ("caf&eacute;", "caf\u00e9"), ("5&nbsp;cm", "5\u00a0cm"), ("&#39;s", "'s"), ("&#x27;s", "'s"),
    ("&quot;A&quot;", '"A"'), ("&apos;A&apos;", "'A'"), ("&#128512;", "\U0001f600"), ("&#x1F600;", "\U0001f600"),
    ("&euro;5", "\u20ac5"), ("&trade;", "\u2122"), ("&hellip;", "\u2026"), ("&Auml;pfel", "\u00c4pfel"),
    ("AT&T", "AT&T"), ("R&D", "R&D"), ("Salt & Pepper", "Salt & Pepper"), ("a&copy", "a&copy"), ("&nope;", "&nope;"),
    ("B&notes; x", "B&notes; x"), ("R&AMPLIFY;", "R&AMPLIFY;"), ("&copycat;", "&copycat;"), ("&frac12;", "\u00bd"),
    ("&", "&"), ("&;", "&;"), ("&#;", "&#;"), ("&#x;", "&#x;"), ("M&M's", "M&M's"), ("&#0;x", "\ufffdx"),
    ("&#xD800;x", "\ufffdx"), ("&#99999999;", "&#99999999;"), ("&amp;", "&"), ("&nbsp;Mug&nbsp;", "Mug"),
)
# fmt: on


@pytest.mark.parametrize(("written", "meant"), ENTITIES)
@pytest.mark.parametrize("field", ["name", "category", "brand", "variant"])
def test_entities_in_words_are_decoded_once(written: str, meant: str, field: str) -> None:
    assert getattr(product({"sku": "S", field: written})[0], field) == meant
    assert unescaped(written) == meant


@given(st.text(alphabet="&;#xam1ltp\u00e9 ", max_size=30))
def test_no_text_whatever_breaks_decoding_and_plain_ones_stay(text: str) -> None:
    found = unescaped(text)
    assert isinstance(found, str)
    if "&" not in text:
        assert found == text


GIVEN = {
    "in_stock": (True, 1, 5, 0.5, "true", "TRUE", "yes", "1", "12", "in stock", "In Stock", "in_stock", "in-stock",
                 "InStock", "https://schema.org/InStock", "http://schema.org/InStock/", "schema:InStock", "available",
                 "available for order", "LimitedAvailability", "http://schema.org/OnlineOnly", "InStoreOnly",
                 "auf Lager", "lieferbar", "verf\u00fcgbar", "en stock", "Disponible", "op voorraad", "i lager"),
    "out_of_stock": (False, 0, 0.0, -1, -0.5, "false", "False", "no", "0", "0.0", "-3", "out of stock", "Out Of Stock",
                     "out_of_stock", "out-of-stock", "OutOfStock", "https://schema.org/OutOfStock", "sold out",
                     "SoldOut", "http://schema.org/SoldOut", "discontinued", "https://schema.org/Discontinued",
                     "not available", "not in stock", "unavailable", "mark_as_sold", "ausverkauft", "nicht auf Lager",
                     "rupture de stock", "\u00e9puis\u00e9", "agotado", "esaurito", "uitverkocht", "sold"),
    "preorder": ("preorder", "pre-order", "Pre Order", "PreOrder", "https://schema.org/PreOrder", "PreSale"),
    "backorder": ("backorder", "back-order", "BackOrder", "https://schema.org/BackOrder", "on backorder"),
    None: (None, "", "?", "maybe", "ask us", [], {}, float("nan"), "x" * 500, "soon", "https://schema.org/Nothing"),
}  # fmt: skip
AVAILABLE = [(value, meant) for meant, values in GIVEN.items() for value in values]


@pytest.mark.parametrize(("value", "meant"), AVAILABLE)
def test_whether_it_can_be_had_is_read_in_every_way_it_is_said(value: Any, meant: str | None) -> None:
    assert availability(value) == meant
    if value != value:
        return
    found = told("Product Viewed", {**MUG, "availability": value})
    assert seen(found).products[0].availability == (meant or "")
    silent = value is None or value == ""
    assert problems(found) == ([] if meant or silent else [("not_an_availability", "availability")])


QUANTITIES = (
    (2, 2), ("2", 2), (2.0, 2), (1.5, 1.5), ("1.5", 1.5), ("1,5 kg", 1.5), (0, 0), (-1, -1), ("-1", -1), (-0.5, -0.5),
    ("3 pcs", 3), (0.333, 0.333),
)  # fmt: skip


@pytest.mark.parametrize(("value", "meant"), QUANTITIES)
def test_a_quantity_is_read_as_it_is(value: Any, meant: float) -> None:
    found = product({"sku": "S", "quantity": value})[0].quantity
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("value", ["some", "a few", [], {}, True, float("inf")])
def test_a_quantity_that_is_none_counts_as_one_and_is_told(value: Any) -> None:
    if value == float("inf"):
        assert product({"sku": "S", "quantity": value})[0].quantity == 1
        return
    found = told("Product Added", {**MUG, "quantity": value})
    assert seen(found).products[0].quantity == 1
    assert problems(found) == [("not_a_number", "quantity")]


@pytest.mark.parametrize(("value", "meant"), [(7, 7), ("7", 7), (0, 0), (-3, 0), ("-3", 0), (2.5, 2), ("12 left", 12)])
def test_stock_is_whole_and_never_less_than_none(value: Any, meant: int) -> None:
    assert product({"sku": "S", "inventory_quantity": value})[0].stock == meant


def cart(*deeds: tuple[str, float]) -> dict[str, float]:
    events = [
        Event("track", AT + at, f"m{at}", "s", name, products=(Product(sku="S-1", quantity=quantity),))
        for at, (name, quantity) in enumerate(deeds)
    ]
    return {line.product.sku: line.product.quantity for line in fold(events, AT + 1_000).cart.lines}


ADD, REMOVE, VIEW = "Product Added", "Product Removed", "Cart Viewed"


@pytest.mark.parametrize(
    ("deeds", "left"),
    [
        ([(ADD, 2), (ADD, -1)], {"S-1": 1}),
        ([(ADD, 2), (ADD, -2)], {}),
        ([(ADD, 2), (ADD, -5)], {}),
        ([(ADD, -1)], {}),
        ([(ADD, 0)], {}),
        ([(ADD, 2), (ADD, 0)], {"S-1": 2}),
        ([(ADD, 1.5), (ADD, 0.25)], {"S-1": 1.75}),
        ([(ADD, 0.1), (ADD, 0.2)], {"S-1": 0.3}),
        ([(ADD, 0.5), (ADD, 0.5)], {"S-1": 1}),
        ([(ADD, 3), (REMOVE, 1)], {"S-1": 2}),
        ([(ADD, 3), (REMOVE, -1)], {"S-1": 2}),
        ([(ADD, 3), (REMOVE, 0)], {}),
        ([(ADD, 1.5), (REMOVE, 0.5)], {"S-1": 1}),
        ([(REMOVE, 1)], {}),
        ([(VIEW, 2.5)], {"S-1": 2.5}),
        ([(VIEW, 0)], {}),
        ([(VIEW, -1)], {}),
        ([(ADD, 2), (VIEW, 0)], {}),
    ],
)
def test_what_is_signed_or_weighed_adds_up(deeds: list[tuple[str, float]], left: dict[str, float]) -> None:
    assert cart(*deeds) == left


PIECES = st.one_of(st.integers(-5, 5), st.floats(-5, 5))


@given(st.lists(st.tuples(st.sampled_from([ADD, REMOVE, VIEW]), PIECES), max_size=12))
def test_nothing_less_than_none_ever_lies_in_a_cart(deeds: list[tuple[str, float]]) -> None:
    assert all(quantity > 0 for quantity in cart(*deeds).values())


@pytest.mark.parametrize(
    ("total", "beside", "read", "code"),
    [
        ("€12", "USD", None, "other_currency"),
        ({"amount": "12", "currency": "EUR"}, "USD", None, "other_currency"),
        ({"amount": "12", "currency": "EUR"}, "EUR", 12, ""),
        ("$12", "CAD", 12, ""),
        ("12 points", "USD", 12, ""),
        ("12 EUR", "gems", 12, ""),
    ],
)
def test_an_amount_in_another_currency_than_its_orders_is_told_and_not_counted(
    total: object, beside: str, read: float | None, code: str
) -> None:
    bought = {"sku": "S", "price": total, "currency": beside}
    said = {"order_id": "7", "total": total, "currency": beside, "products": [bought]}
    normal = told("Order Completed", said)
    assert normal.event is not None
    assert normal.event.order is not None
    assert (normal.event.order.total, normal.event.products[0].price) == (read, read)
    assert set(problems(normal)) == ({(code, "total"), (code, "products[0].price")} if code else set())


@pytest.mark.parametrize("value", [["A"], {"id": 1}, True, {}, "x" * 5_000])
def test_an_id_or_name_that_is_no_text_is_told(value: object) -> None:
    said = {"order_id": value, "total": 5, "products": [{"sku": value, "product_id": "P", "name": value, "price": 5}]}
    normal = told("Order Completed", said)
    assert problems(normal) == [("not_a_text", each) for each in ("products[0].sku", "products[0].name", "order_id")]
    assert (seen(normal).products[0].key, normal.verdict) == ("P", "usable")
    alone = told("Product Viewed", {"sku": value, "name": "Mug", "url": "https://shop.example/mug"})
    assert ("not_a_text", "sku") in problems(alone)


def test_a_product_may_have_another_currency_than_its_order() -> None:
    said = {"order_id": "7", "total": 12, "currency": "EUR", "products": [{"sku": "S", "price": "13 USD"}]}
    normal = told("Order Completed", said)
    assert normal.event is not None
    assert (normal.event.products[0].price, normal.event.products[0].currency, normal.problems) == (13, "USD", ())
