"""Merchant: Google Merchant product data, as RSS or Atom with the `g:` namespace, or as a table of the same names.

Source: Google Merchant Center, product data specification.
"""

import io
from collections.abc import Iterator
from typing import Any

from wetink.feeds.parse import table
from wetink.feeds.parse.body import Found, mark_of
from wetink.feeds.parse.syndication import NAMES, ROOTS
from wetink.feeds.parse.xml import Entries, Node


def items(stream: io.BufferedReader, encoding: str) -> Iterator[Found]:
    """Return the products by Google's names (`image_link`), texts; what is there several times as a list."""
    start = stream.peek(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    wide = mark_of(stream) in ("utf-16", "utf-32")
    if start[:1] == b"<" or (wide and b"<" in stream.peek(16)[:8]):
        for where, entry in Entries(NAMES, ROOTS).read(stream):
            yield where, entry if isinstance(entry, str) else _fields(entry)
    else:
        yield from table.items(stream, encoding)


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
