"""Curation: an operator's word on products, above events and feeds until it is removed: corrections, pins, hidden ones.

It is content (`catalog.yaml`), so that each change has a version, and a person and a time beside it.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.errors import BadContent
from wetink.core.events.availability import availability
from wetink.core.events.event import Product
from wetink.core.text.link import host_of

CORRECTABLE = (
    *("name", "price", "list_price", "currency", "availability", "stock"),
    *("category", "brand", "url", "image_url"),
)
"""The fields of a product that an operator may correct."""
LONGEST_REASON = 200
AVAILABILITIES = ("in_stock", "out_of_stock", "preorder", "backorder")


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an operator says of one product. `at` is a date and time in ISO 8601, `hidden` the reason."""

    set: dict[str, Any] = {}
    pinned: bool = False
    hidden: str = ""
    by: str = ""
    at: str = ""

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.set or self.pinned or self.hidden)


class Curation(msgspec.Struct, frozen=True, dict=True):
    """The words on all products, by key."""

    products: Mapping[str, Word] = {}

    def corrected(self, product: Product) -> Product:
        """Return a product with the corrections of its key."""
        word = self.products.get(product.key) if self.products else None
        return replace(product, **word.set) if word is not None and word.set else product

    def why_hidden(self, key: str) -> str:
        """Return why a product may not be shown; empty if it may."""
        word = self.products.get(key) if self.products else None
        return word.hidden if word is not None else ""

    @cached_property
    def pinned(self) -> frozenset[str]:
        """The keys of the products that come first where they may be shown."""
        return frozenset(key for key, word in self.products.items() if word.pinned and not word.hidden)

    def hidden_among(self, keys: Iterable[str]) -> list[str]:
        """Return these keys' hidden products with the reasons, in words."""
        if not self.products:
            return []
        return [f"{key} is hidden ({why})" for key in keys if (why := self.why_hidden(key))]


def curation_of(raw: Any) -> Curation:
    """Return the curation of a YAML document. Raises BadContent with all problems and their places.

    >>> curation_of({"products": {"A": {"set": {"price": 5}}}}).corrected(Product(sku="A", price=9.0)).price
    5.0
    """
    if raw is None:
        return Curation()
    if not isinstance(raw, dict) or raw.keys() - {"products"} or not isinstance(raw.get("products"), dict):
        raise BadContent("catalog.yaml must be a mapping with products", hint="see docs/feeds.md")
    found: dict[str, Word] = {}
    wrong: list[str] = []
    for key, each in raw["products"].items():
        try:
            word = msgspec.convert(each, Word)
            fields = checked(word.set)
            found[str(key)] = replace(word, set=fields)
        except (msgspec.ValidationError, BadContent) as error:
            wrong.append(f"products.{key}: {error}")
    if wrong:
        raise BadContent("; ".join(wrong))
    return Curation(found)


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return corrections with the types of a product's fields. Raises BadContent, whose `where` is the field."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in CORRECTABLE:
            raise BadContent(f"{name} cannot be corrected", hint=f"use {', '.join(CORRECTABLE)}", where=name)
        try:
            found[name] = getattr(msgspec.convert({name: value}, Product, strict=False), name)
        except msgspec.ValidationError as error:
            raise BadContent(f"{name}: {str(value)[:40]!r} does not fit", where=name) from error
        if name in ("price", "list_price") and not 0 <= found[name] < 1e12:
            raise BadContent("a price is 0 or more", where=name)
        if name in ("url", "image_url") and not host_of(found[name]):
            raise BadContent(f"{str(value)[:60]!r} is not an http(s) URL", where=name)
        if name == "availability" and availability(found[name]) != found[name]:
            raise BadContent(f"{str(value)[:40]!r} is not an availability; use {', '.join(AVAILABILITIES)}", where=name)
        if name == "stock" and not 0 <= found[name] < 1e9:
            raise BadContent("items in stock are 0 or more", where=name)
    return found


def file_of(curation: Curation) -> dict[str, Any]:
    """Return the document of a curation, without products of which nothing is said."""
    return {"products": {key: msgspec.to_builtins(word) for key, word in curation.products.items() if not word.empty}}
