"""Shop: Tidewick, an invented brand, and everything it sells."""

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

BRAND = "Tidewick"
CLAIM = "Quiet things for home and weather"
CURRENCY = "USD"


class Item(msgspec.Struct, frozen=True):
    """A product; `price` is in dollars. A search finds it by its `kind`, even if its name does not mention it."""

    sku: str
    name: str
    price: float
    category: str
    kind: str
    text: str

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/demo/shop/products/{self.sku}"

    @property
    def photo(self) -> str:
        """The path of its picture."""
        return f"/demo/photos/{self.sku}.jpg"


CATEGORIES: Mapping[str, str] = {
    "table": "Table",
    "light": "Light",
    "rest": "Rest",
    "cloth": "Cloth",
    "green": "Green",
    "trail": "Trail",
}
"""Categories by the word in their address, in the order of the shop's menu."""

with (Path(__file__).parent / "items.csv").open(encoding="utf-8", newline="") as _rows:
    ITEMS = tuple(msgspec.convert(row, Item, strict=False) for row in csv.DictReader(_rows))
BY_SKU: Mapping[str, Item] = {item.sku: item for item in ITEMS}


def product(item: Item, base_url: str, quantity: int = 1) -> dict[str, Any]:
    """Return the product object of the Segment ecommerce spec for an item of the shop at `base_url`."""
    return {
        "product_id": item.sku,
        "sku": item.sku,
        "name": item.name,
        "brand": BRAND,
        "category": CATEGORIES[item.category],
        "price": item.price,
        "currency": CURRENCY,
        "quantity": quantity,
        "url": base_url + item.path,
        "image_url": base_url + item.photo,
    }


def found(query: str) -> list[Item]:
    """Return the items that have every word of `query` in their name, text, category or kind.

    >>> [item.name for item in found("black teapot")]
    ['Kiln Teapot']
    """
    words = query.lower().split()
    return [
        item
        for item in ITEMS
        if all(word in f"{item.name} {item.text} {CATEGORIES[item.category]} {item.kind}".lower() for word in words)
    ]


def account(address: str) -> str:
    """Return the user id in the shop's customer records for an address: the same address, the same account.

    >>> account("Jane@Mercer.example") == account("jane@mercer.example")
    True
    """
    return "tw-" + hashlib.blake2b(address.strip().lower().encode(), digest_size=5).hexdigest()
