"""Merchant: Google Merchant product data, as RSS or Atom with the `g:` namespace, or as a table of the same names.

Source: Google Merchant Center, product data specification.
"""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from wetink.core.amount import number
from wetink.core.clock import parse
from wetink.core.quantity import text
from wetink.feeds.parse import table
from wetink.feeds.parse.body import Found, mark_of
from wetink.feeds.parse.syndication import NAMES, ROOTS
from wetink.feeds.parse.xml import Entries, Node

OURS = {
    "product_id": ("id",),
    "name": ("title",),
    "url": ("link",),
    "image_url": ("image_link",),
    "category": ("product_type", "google_product_category"),
    "brand": ("brand",),
    "availability": ("availability",),
    "stock": ("quantity", "stock", "inventory"),
}
"""Our name -> theirs, the first that is there."""


def items(stream: io.BufferedReader, encoding: str) -> Iterator[Found]:
    """Return the products by Google's names (`image_link`), texts; what is there several times as a list."""
    start = stream.peek(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    wide = mark_of(stream) in ("utf-16", "utf-32")
    if start[:1] == b"<" or (wide and b"<" in stream.peek(16)[:8]):
        for where, entry in Entries(NAMES, ROOTS).read(stream):
            yield where, entry if isinstance(entry, str) else _fields(entry)
    else:
        yield from table.items(stream, encoding, _named)


def product(raw: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return Google's fields by our names, not yet checked. A sale price counts while its dates say so."""
    found = {
        ours: next((value for name in theirs if (value := _one(raw.get(name)))), None) for ours, theirs in OURS.items()
    }
    price, sale = _one(raw.get("price")), _one(raw.get("sale_price"))
    if sale and number(sale) is not None and _in_force(_one(raw.get("sale_price_effective_date")), now):
        found["price"], found["list_price"] = sale, price
    else:
        found["price"] = price
    found["variant"] = " / ".join(part for name in ("color", "size") if (part := _one(raw.get(name))))
    return found


def _in_force(dates: str, now: int) -> bool:
    first, _, last = dates.partition("/")
    begins, ends = parse(first), parse(last)
    return (begins is None or begins <= now) and (ends is None or now < ends)


def _named(cell: str) -> str:
    """Return a column's name as XML has it: `Image Link`, `image_link` and `g:image_link` are the same."""
    return re.sub(r"\s+", "_", cell.strip().lower()).removeprefix("g:")


def _one(value: Any) -> str:
    return text(value[0] if isinstance(value, list) and value else value) or ""


def _fields(entry: Node) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for child in entry.children:
        value = _fields(child) if child.children else child.text or child.attributes.get("href", "")
        if child.name not in fields:
            fields[child.name] = value
        elif isinstance(fields[child.name], list):
            fields[child.name].append(value)
        else:
            fields[child.name] = [fields[child.name], value]
    return fields
