"""XML: a document of any vocabulary. Each element of a given name is an item, with its attributes as `@name`.

An element without children and attributes is its text. One with attributes is an object, its text under `text`. A
repeated name has a list.
"""

import io
from collections.abc import Iterator
from typing import Any

from wetink.feeds.parse.body import Found, Unreadable
from wetink.feeds.parse.syndication import Entries, Node

TEXT = "text"
"""The name of an element's own text beside its attributes or children."""


def items(stream: io.BufferedReader, root: str) -> Iterator[Found]:
    """Return the elements called `root`; without it, the children of the document's element.

    Raises Unreadable if there is none.
    """
    count = 0
    for where, entry in Entries(frozenset({root} if root else ()), frozenset()).read(stream):
        count += 1
        if isinstance(entry, str):
            yield where, entry
            continue
        value = _value(entry)
        yield where, value if isinstance(value, dict) else {TEXT: value}
    if not count:
        raise Unreadable(f"root: there is no element {root}" if root else "its document element has no children")


def _value(node: Node) -> Any:
    fields: dict[str, Any] = {f"@{name}": value for name, value in node.attributes.items()}
    for child in node.children:
        value = _value(child)
        if child.name not in fields:
            fields[child.name] = value
        elif isinstance(fields[child.name], list):
            fields[child.name].append(value)
        else:
            fields[child.name] = [fields[child.name], value]
    if not fields:
        return node.text
    return {**fields, TEXT: node.text} if node.text else fields
