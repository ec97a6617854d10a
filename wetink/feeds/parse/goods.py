"""Goods: what a feed says of a product, checked and made uniform."""

import re
from collections.abc import Mapping
from typing import Any

from wetink.core.amount import read
from wetink.core.currency import code_of
from wetink.core.link import host_of
from wetink.core.placeholder import USUAL
from wetink.core.quantity import text, whole

TEXTS = ("product_id", "sku", "name", "category", "brand", "variant")
LINKS = ("url", "image_url")

NONE = {"product_id": USUAL.nothing, "sku": USUAL.nothing, "variant": USUAL.no_variant}
"""Fields that tell products apart -> whether a text says nothing there."""

AVAILABLE = {
    "instock": "in_stock",
    "available": "in_stock",
    "instoreonly": "in_stock",
    "onlineonly": "in_stock",
    "limitedavailability": "in_stock",
    "outofstock": "out_of_stock",
    "soldout": "out_of_stock",
    "discontinued": "out_of_stock",
    "unavailable": "out_of_stock",
    "preorder": "preorder",
    "presale": "preorder",
    "backorder": "backorder",
}
"""Words for whether it can be had, without spaces and marks -> ours, which are Google's."""


def goods(raw: Mapping[str, Any]) -> dict[str, Any] | str:
    """Return a product's known fields by our names, or why it cannot be used: it lies, or nobody can name it."""
    item: dict[str, Any] = {name: value for name in TEXTS if (value := text(raw.get(name)))}
    for name in [name for name, none in NONE.items() if name in item and none(item[name])]:
        del item[name]  # it would be one product with all others that have none
    if "product_id" not in item and "sku" not in item:
        return "it has neither product_id nor sku"
    for name in LINKS:
        link = text(raw.get(name))
        if link and not host_of(link):
            return f"{name} {link[:100]!r} is no http(s) address"
        if link:
            item[name] = link
    wrong = _price(item, raw)
    if wrong:
        return wrong
    availability, stock = _availability(raw.get("availability")), whole(raw.get("stock"))
    if availability:
        item["availability"] = availability
    if stock is not None:
        item["stock"] = stock
    return item


def _price(item: dict[str, Any], raw: Mapping[str, Any]) -> str:
    """Add prices and their currency to an item; return why they cannot be used."""
    currency = text(raw.get("currency")) or ""
    for name in ("price", "list_price"):
        said = raw.get(name)
        if said is None or said == "" or (isinstance(said, str) and not said.strip()):
            continue
        amount = read(said, currency)
        if amount.fault == "ambiguous_number":
            return f"{name} {str(said)[:40]!r} can be read in two ways; give its currency, or a number"
        if amount.value is None or amount.value < 0:
            return f"{name} {str(said)[:40]!r} is no price"
        item[name] = amount.value
        if amount.currency:
            item.setdefault("currency", amount.currency)
    if "currency" not in item and currency:
        item["currency"] = code_of(currency)
    if item.get("list_price", 0) <= item.get("price", 0):
        item.pop("list_price", None)
    return ""


def _availability(value: Any) -> str:
    if isinstance(value, bool):
        return "in_stock" if value else "out_of_stock"
    word = re.sub(r"[^a-z]", "", (text(value) or "").lower().rpartition("/")[2])
    return AVAILABLE.get(word, "")
