"""Required: what an event needs to be usable for Signals, and what of it a message lacks."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from wetink.core.events.ecommerce import hint_of, product
from wetink.core.events.event import Order, Product
from wetink.core.events.message import Message
from wetink.core.events.verdict import Problem, problem
from wetink.core.text.placeholder import Placeholders
from wetink.core.units.amount import number, read


class Read(Protocol):
    """What was read of a track."""

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
    return () if track.query else (problem("missing_property", "query", "`query`, what was searched for"),)


def _total_and_products(track: Read) -> Sequence[Problem]:
    properties = track.message.properties if isinstance(track.message.properties, dict) else {}
    currency = hint_of(properties)
    lacking = []
    if track.order is None or track.order.total is None:
        lacking.append(_amount("total", properties.get("total"), "what the customer paid", currency))
    listed = properties.get("products")
    if not isinstance(listed, list) or not listed:
        return [*lacking, problem("missing_property", "products", "`products`, a list of what was bought")]
    named = [bool(each.key) for each in track.products]  # in their order, but for what is no product
    if len(named) != len(listed):
        named = [isinstance(each, dict) and bool(product(each, track.known)[0].key) for each in listed]
    for index, each in enumerate(listed):
        place = f"products[{index}]"
        bought = each if isinstance(each, dict) else {}
        if not named[index]:
            hint = f"`sku` or `product_id` in `{place}`, the product's own number"
            lacking.append(problem("missing_property", f"{place}.sku", hint))
        price = bought.get("price")
        if type(price) is not float and number(price, hint_of(bought, currency)) is None:
            lacking.append(_amount(f"{place}.price", bought.get("price"), "what one of it costs", currency))
    return lacking


def _amount(path: str, value: Any, what: str, currency: str) -> Problem:
    if value is None or value == "":
        return problem("missing_property", path, f"`{path}`, {what}")
    return problem(read(value, currency).fault or "not_a_number", path)


REQUIRED: dict[str, Callable[[Read], Sequence[Problem]]] = {
    "Products Searched": _query,
    "Product Viewed": _product_and_url,
    "Product Added": _product_and_url,
    "Order Completed": _total_and_products,
}
"""Event -> what returns all that it lacks."""
