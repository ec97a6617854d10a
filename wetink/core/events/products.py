"""Products: the products of a track in order, with their problems, and the data that an event lacks for Signals."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from wetink.core.events.ecommerce import (
    PRODUCT_AMOUNTS,
    PRODUCT_NAMES,
    TOLD_APART,
    amount_in,
    fault_of,
    hint_of,
    product,
    product_field,
)
from wetink.core.events.event import Order, Problem, Product, placeholder, problem
from wetink.core.events.message import Message
from wetink.core.text.placeholder import USUAL, Placeholders
from wetink.core.text.url import read
from wetink.core.units.quantity import text

MOST_PRODUCTS = 500
"""Maximum products of one event."""

LONGEST_JSON, MOST_BRACKETS = 64 * 1024, 2_000
"""Limits of products sent as JSON text: characters, and objects and lists."""

LINKS = ("url", "image_url")
PROBLEMS = {
    **dict.fromkeys(LINKS, "not_a_url"),
    **dict.fromkeys(("price", "list_price", "quantity", "stock"), "not_a_number"),
    "availability": "not_an_availability",
    **dict.fromkeys(("sku", "product_id", "name"), "not_a_text"),
}
"""The problem of an unreadable value, by product field. Unreadable values of other fields are left as they are."""

_UNSAID = {name: getattr(Product(), name) for name in Product.__struct_fields__}

Page = Callable[[], str]
"""Returns the URL of a message's page; empty without one."""


class Found(msgspec.Struct, gc=False):
    """The products, the other properties, and the problems."""

    products: tuple[Product, ...]
    rest: dict[str, Any]
    problems: list[Problem]


def one(
    properties: dict[str, Any], found: Product, rest: dict[str, Any], page: Page, known: Placeholders = USUAL
) -> Found:
    """Complete a product that was read as `found` with a `rest`: links, problems, and a product inside a property.

    If the properties identify no product, one of them may contain it.
    """
    if not found.key:
        for name in ("product", "products"):
            inside = many(properties[name], name, page, known, hint_of(properties)) if name in rest else None
            if inside is not None and inside.products:
                beside = {key: value for key, value in rest.items() if key != name}
                outer, _ = _mended(found, beside, "", page, inside.problems, hint_of(properties))
                inside.products = _around(inside.products, outer)
                inside.rest = {key: value for key, value in properties.items() if key != name}
                return inside
    problems: list[Problem] = []
    found, rest = _mended(found, rest, "", page, problems, hint_of(properties))
    return Found((found,), rest, problems)


def _around(products: tuple[Product, ...], outer: Product) -> tuple[Product, ...]:
    """Complete a single product with values beside it, and several with their currency: `{product: …, quantity: 2}`."""
    beside = {name: getattr(outer, name) for name in Product.__struct_fields__ if getattr(outer, name) != _UNSAID[name]}
    if len(products) > 1:
        beside = {name: value for name, value in beside.items() if name == "currency"}
    return tuple(
        replace(each, **{name: value for name, value in beside.items() if getattr(each, name) == _UNSAID[name]})
        for each in products
    )


def many(value: Any, place: str, page: Page, known: Placeholders = USUAL, currency: str = "") -> Found | None:
    """Return the products in a list; None for any other value. `place` is the list's path.

    `currency` is that of the surrounding order.
    """
    items = listed(value)
    if items is None:
        return None
    products, problems = [], list[Problem]()
    for index, each in enumerate(items[:MOST_PRODUCTS]):
        if not isinstance(each, dict):
            problems.append(problem("not_a_product", f"{place}[{index}]"))
            continue
        found, rest = product(each, known, currency)
        if rest and not PRODUCT_NAMES.isdisjoint(rest):
            found, _ = _mended(found, rest, f"{place}[{index}].", page, problems, hint_of(each, currency))
        products.append(found)
    return Found(tuple(products), {}, problems)


def _mended(
    found: Product, rest: dict[str, Any], place: str, page: Page, problems: list[Problem], currency: str
) -> tuple[Product, dict[str, Any]]:
    """Resolve relative links against the page, else the product's own URL. Add the problems of unreadable values."""
    left = dict(rest)
    for name, value in rest.items():
        field = product_field(name)
        if field in TOLD_APART and text(value):  # here only placeholders are left of these fields
            problems.append(placeholder(f"{place}{name}", value))
            del left[name]
            continue
        code = PROBLEMS.get(field)
        if code is None or (field != "quantity" and getattr(found, field) not in ("", None)):
            continue  # another property has the value
        if field in LINKS:
            written = _first(value)
            link = read(written, read(page()) or found.url)
            if link:
                found = replace(found, **{field: link})
                del left[name]
                continue
        problems.append(problem(fault_of(value, currency) if name in PRODUCT_AMOUNTS else code, f"{place}{name}"))
    return found, left


def _first(value: Any) -> Any:
    """Return the link in a list, or in an object that has one."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("url") or value.get("src") or value.get("href")
    return value


def listed(value: Any) -> list[Any] | None:
    """Return products as a list, from JSON text, one object, or objects by number; None for any other value.

    >>> listed('[{"sku": "S"}]'), listed({"sku": "S"}), listed({"0": {"sku": "S"}}), listed("x")
    ([{'sku': 'S'}], [{'sku': 'S'}], [{'sku': 'S'}], None)
    """
    items = decoded(value)
    if isinstance(items, dict):
        parts = list(items.values())
        items = parts if parts and all(isinstance(each, dict) for each in parts) else [items]
    if not isinstance(items, list):
        return None
    return [decoded(each) for each in items]


def decoded(value: Any) -> Any:
    """Return the decoded value of a text that is a JSON object or list; any other value as it is.

    >>> decoded('{"sku": "S"}'), decoded("[1"), decoded(7)
    ({'sku': 'S'}, '[1', 7)
    """
    if type(value) is not str or value.lstrip()[:1] not in ("{", "[") or len(value) > LONGEST_JSON:
        return value
    if value.count("[") + value.count("{") > MOST_BRACKETS:
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value


class Read(Protocol):
    """A track's decoded parts."""

    message: Message
    known: Placeholders
    products: tuple[Product, ...]
    order: Order | None
    query: str


def _product_and_url(track: Read) -> Sequence[Problem]:
    shown = track.products[0] if track.products else Product()
    if shown.key and shown.url:
        return ()
    lacking = []
    if not shown.key:
        lacking.append(problem("missing_property", "sku", "`sku` or `product_id`, the product's own number"))
    if not shown.url:
        lacking.append(problem("missing_property", "url", "`url`, the address of the product's page"))
    return lacking


def _query(track: Read) -> Sequence[Problem]:
    return () if track.query else (problem("missing_property", "query", "`query`, the words of the search"),)


def _total_and_products(track: Read) -> Sequence[Problem]:
    properties = track.message.properties if isinstance(track.message.properties, dict) else {}
    currency = hint_of(properties)
    lacking = []
    if track.order is None or track.order.total is None:
        lacking.append(_amount("total", properties.get("total"), "the amount that the customer paid", currency))
    listed = properties.get("products")
    if not isinstance(listed, list) or not listed:
        return [*lacking, problem("missing_property", "products", "`products`, the list of products in the order")]
    named = [bool(each.key) for each in track.products]  # in the order of `listed`, without values that are no product
    if len(named) != len(listed):
        named = [isinstance(each, dict) and bool(product(each, track.known)[0].key) for each in listed]
    for index, each in enumerate(listed):
        place = f"products[{index}]"
        bought = each if isinstance(each, dict) else {}
        if not named[index]:
            hint = f"`sku` or `product_id` in `{place}`, the product's own number"
            lacking.append(problem("missing_property", f"{place}.sku", hint))
        price = bought.get("price")
        if type(price) is not float and amount_in(bought, price, currency).value is None:
            lacking.append(_amount(f"{place}.price", bought.get("price"), "the price of one piece", currency))
    return lacking


def _amount(path: str, value: Any, what: str, currency: str) -> Problem:
    if value is None or value == "":
        return problem("missing_property", path, f"`{path}`, {what}")
    return problem(fault_of(value, currency), path)


REQUIRED: dict[str, Callable[[Read], Sequence[Problem]]] = {
    "Products Searched": _query,
    "Product Viewed": _product_and_url,
    "Product Added": _product_and_url,
    "Order Completed": _total_and_products,
}
"""The function that returns the missing data of an event, by event name."""
