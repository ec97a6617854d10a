"""Lists: the places in a document where its items may be."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.parsers import expat

import msgspec

from wetink.feeds.parse.body import Unreadable
from wetink.feeds.parse.encoding import parts

DEEPEST, MOST = 4, 12
"""Levels of a JSON document that are searched, and places to return."""


def lists(form: str, body: bytes) -> list[tuple[str, int]]:
    """Return the places of lists of objects with their numbers of items, the longest first.

    JSON: dotted paths, the document itself as "". XML: names of repeated elements; empty if its items are already the
    children of the document's element. Other formats have none.
    """
    if body.startswith(b"\x1f\x8b"):
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return []
    if form == "json":
        found = sorted(_in_json(body.lstrip(b"\xef\xbb\xbf \t\r\n"), "", 0), key=lambda each: -each[1])
    elif form == "xml":
        found = _in_xml(body)
    else:
        found = []
    return found[:MOST]


def _in_json(node: Any, path: str, depth: int) -> Iterator[tuple[str, int]]:
    start = memoryview(node)[:1].tobytes()
    try:
        if start == b"[":
            parts = msgspec.json.decode(node, type=list[msgspec.Raw])
            if parts and memoryview(parts[0])[:1].tobytes() == b"{":
                yield path, len(parts)
        elif start == b"{" and depth < DEEPEST:
            for name, inner in msgspec.json.decode(node, type=dict[str, msgspec.Raw]).items():
                if name and not set(name) & {".", " "}:
                    yield from _in_json(inner, f"{path}.{name}" if path else name, depth + 1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return


def _in_xml(body: bytes) -> list[tuple[str, int]]:
    """Count the elements by level and name, and return those that are repeated nearest to the document's element."""
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    level: list[str] = []
    counts: Counter[tuple[int, str]] = Counter()

    def start(name: str, _: object) -> None:
        level.append(name.rpartition(" ")[2])
        if 1 < len(level) <= DEEPEST:
            counts[(len(level), level[-1])] += 1

    def end(_: str) -> None:
        level.pop()

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type declaration")

    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, refuse
    with suppress(expat.ExpatError, ValueError, Unreadable):  # a sample may end anywhere; what came before counts
        for part in parts(io.BufferedReader(io.BytesIO(body))):
            parser.Parse(part, not part)
    nearest = min((depth for (depth, _), count in counts.items() if count > 1), default=0)
    there = [(name, count) for (depth, name), count in counts.items() if depth == nearest]
    return [] if nearest == 2 and len(there) == 1 else sorted(there, key=lambda each: -each[1])
