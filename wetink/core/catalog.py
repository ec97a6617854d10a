"""Catalog: what trusted events have said of each product, the newest word on each field."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from wetink.core.event import Product

FIELDS = (
    "product_id", "sku", "name", "url", "image_url", "price", "currency", "category", "brand", "variant",
    "list_price", "availability", "stock",
)  # fmt: skip
"""What the catalog keeps of a product; quantity, coupon and position belong to an event."""

_values = attrgetter(*FIELDS)

SAME_WORD_MS = 3_600_000
"""A word repeated within this time does not renew its date, so that a busy product is not written with every view."""

Facts = dict[str, tuple[int, Any]]
"""Field -> (when it was last said, in Unix ms, and what)."""


def learn(facts: Facts, product: Product, at: int) -> bool:
    """Take in what an event of time `at` (Unix ms) said of a product; return whether `facts` changed.

    >>> facts: Facts = {}
    >>> learn(facts, Product(sku="S", name="New"), 200_000), learn(facts, Product(sku="S", name="Old"), 100_000)
    (True, False)
    >>> facts["name"]
    (200000, 'New')
    """
    said = zip(FIELDS, _values(product), strict=True)
    if not facts:
        facts.update({field: (at, value) for field, value in said if value is not None and value != ""})
        return bool(facts)
    changed = False
    for field, value in said:
        if value is None or value == "":
            continue
        known = facts.get(field)
        if known is not None:
            if value == known[1]:
                if at - known[0] < SAME_WORD_MS:
                    continue
            elif (at, str(value)) <= (known[0], str(known[1])):
                continue
        facts[field] = (at, value)
        changed = True
    return changed


def product(facts: Mapping[str, tuple[int, Any]]) -> Product:
    """Return the product these facts describe."""
    return Product(**{field: value for field, (_, value) in facts.items() if field in FIELDS})
