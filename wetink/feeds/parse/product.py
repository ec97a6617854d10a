"""Goods: what a feed says of a product, checked and made uniform."""

from collections.abc import Mapping
from typing import Any

from wetink.core.events.availability import availability
from wetink.core.text.characters import unescaped
from wetink.core.text.placeholder import USUAL
from wetink.core.text.url import read
from wetink.core.units.currency import code_of
from wetink.core.units.money import read as amount_of
from wetink.core.units.quantity import stock, text

TEXTS = ("product_id", "sku", "name", "category", "brand", "variant")
LINKS = ("url", "image_url")

NONE = {"product_id": USUAL.nothing, "sku": USUAL.nothing, "variant": USUAL.no_variant}
"""Fields that tell products apart -> whether a text says nothing there."""


def goods(raw: Mapping[str, Any], base: str, told: list[str]) -> dict[str, Any] | str:
    """Return a product's known fields by our names, or why it cannot be used: it lies, or nobody can name it.

    Relative links stand on the product's own page, else on `base`. What is left empty is `told`.
    """
    item: dict[str, Any] = {name: unescaped(value) for name in TEXTS if (value := text(raw.get(name)))}
    for name in [name for name, none in NONE.items() if name in item and none(item[name])]:
        del item[name]  # it would be one product with all others that have none
    if "product_id" not in item and "sku" not in item:
        return "it has neither product_id nor sku"
    for name in LINKS:
        said = text(raw.get(name))
        if not said:
            continue
        link = read(said, item.get("url") or base)
        if link:
            item[name] = link
        else:
            told.append(f"{name} {said[:100]!r} is not an http(s) URL and is left empty")
    wrong = _price(item, raw)
    if wrong:
        return wrong
    given, left = raw.get("availability"), stock(raw.get("stock"))
    word = availability(given)
    if word:
        item["availability"] = word
    elif given is not None and given != "":
        told.append(f"availability {str(given)[:40]!r} is not known and is left empty")
    if left is not None:
        item["stock"] = left
    return item


def _price(item: dict[str, Any], raw: Mapping[str, Any]) -> str:
    """Add prices and their currency to an item; return why they cannot be used."""
    currency = text(raw.get("currency")) or ""
    for name in ("price", "list_price"):
        said = raw.get(name)
        if said is None or said == "" or (isinstance(said, str) and not said.strip()):
            continue
        amount = amount_of(said, currency)
        if amount.fault == "ambiguous_number":
            return f"{name} {str(said)[:40]!r} can be read in two ways; give its currency, or a number"
        if amount.value is None or amount.value < 0:
            return f"{name} {str(said)[:40]!r} is not a price"
        item[name] = amount.value
        if amount.currency:
            item.setdefault("currency", amount.currency)
    if "currency" not in item and currency:
        item["currency"] = code_of(currency)
    if item.get("list_price", 0) <= item.get("price", 0):
        item.pop("list_price", None)
    return ""
