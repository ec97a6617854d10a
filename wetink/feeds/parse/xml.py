"""XML: the entries of a long document one by one, each as a small tree; the rest is never kept.

Document type declarations are refused, and with them every entity but the five that XML itself has: there is nothing
to expand and nothing to fetch.
"""

import io
from collections.abc import Iterator, Mapping
from xml.parsers import expat

import msgspec

from wetink.feeds.parse.body import Unreadable

PART = 64 * 1024
"""Bytes parsed at a time: all entries of a part are in memory at once."""
LONGEST_TAG = 1024 * 1024
"""Bytes of the longest tag or comment: the parser starts each anew with every part of it that arrives."""

DEEPEST, MOST_NODES, LONGEST_ENTRY = 64, 10_000, 512 * 1024
"""Levels of a document; elements and characters of one entry."""

_BETWEEN = " "


class Node(msgspec.Struct):
    """An element: its name without the prefix, the prefix's namespace, and what is in it."""

    name: str
    space: str = ""
    attributes: Mapping[str, str] = {}
    children: list["Node"] = []
    parts: list[str] = []

    @property
    def text(self) -> str:
        """The letters directly in it."""
        return "".join(self.parts).strip()

    def inner(self) -> str:
        """Return the letters in it and in all below."""
        return " ".join(part for part in (self.text, *(child.inner() for child in self.children)) if part)


class Entries:
    """Collects the elements of given names. Raises Unreadable for a document that is none, or hides a bomb."""

    def __init__(self, names: frozenset[str], roots: frozenset[str]) -> None:
        """Look for elements of these names, in documents whose first element has one of those."""
        self._names, self._roots = names, roots
        self._parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._letters
        self._depth = 0
        self._open: list[Node] = []
        self._nodes = self._size = self._line = 0
        self._ready: list[tuple[str, Node | str]] = []

    def read(self, stream: io.BufferedReader) -> Iterator[tuple[str, Node | str]]:
        """Return where each entry stands, and the entry, or why it cannot be used."""
        given = 0
        while True:
            part = stream.read(PART)
            given += len(part)
            try:
                self._parser.Parse(part, not part)
            except expat.ExpatError as error:
                reason = expat.errors.messages.get(error.code, "not well-formed")
                where = f"line {error.lineno}, column {error.offset + 1}"
                raise Unreadable(f"{where}: this is not XML: {reason}") from error
            except LookupError as error:
                raise Unreadable(f"its encoding is unknown: {error}") from error
            if given - self._parser.CurrentByteIndex > LONGEST_TAG:
                raise Unreadable(f"{self._place()}: a tag of more than {LONGEST_TAG} bytes")
            yield from self._ready
            self._ready.clear()
            if not part:
                return

    def _place(self) -> str:
        return f"line {self._parser.CurrentLineNumber}, column {self._parser.CurrentColumnNumber + 1}"

    def _doctype(self, *_: object) -> None:
        raise Unreadable("it has a document type declaration (<!DOCTYPE>), which feeds need not have: refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(_BETWEEN)
        if self._depth == 0 and local not in self._roots:
            raise Unreadable(f"it starts with <{local[:60]}>: this is neither RSS nor Atom")
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(f"{self._place()}: more than {DEEPEST} levels")
        if not self._open and local not in self._names:
            return
        plain = {key.rpartition(_BETWEEN)[2]: value for key, value in attributes.items()} if attributes else {}
        node = Node(local, space, plain, [], [])
        if not self._open:
            self._nodes = self._size = 0
            self._line = self._parser.CurrentLineNumber
        self._nodes += 1
        self._size += sum(map(len, plain.values()))
        if self._open and self._fits():
            self._open[-1].children.append(node)
        self._open.append(node)

    def _letters(self, letters: str) -> None:
        if self._open:
            self._size += len(letters)
            if self._fits():
                self._open[-1].parts.append(letters)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._open:
            node = self._open.pop()
            if not self._open:
                self._ready.append((f"line {self._line}", node if self._fits() else "it is too large"))

    def _fits(self) -> bool:
        return self._nodes <= MOST_NODES and self._size <= LONGEST_ENTRY
