"""Syndication: RSS (0.9x, 1.0, 2.0) and Atom, with the same field names for templates.

`id`, `title`, `link`, `summary` and `content` (plain text), `image`, `author`, `categories`, `published` (Unix ms).
Google Merchant product data comes in both, with the `g:` namespace, or as a table of the same names (Google Merchant
Center, product data specification).

The reader takes the entries of a long document one by one, each as a small tree, and never keeps the rest. It refuses
document type declarations, and with them every entity but XML's own five: there is nothing to expand or to fetch.
"""

import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from xml.parsers import expat

import msgspec

from wetink.core.events.clock import parse
from wetink.core.text.url import read
from wetink.feeds.parse import table
from wetink.feeds.parse.body import Found, Note, Unreadable, mark_of
from wetink.feeds.parse.encoding import parts

LONGEST_TAG = 1024 * 1024
"""Bytes of the longest tag or comment: the parser starts it over with every part that arrives."""

DEEPEST, MOST_NODES, LONGEST_ENTRY = 64, 10_000, 512 * 1024
"""Levels of a document; elements and characters of one entry."""

_BETWEEN = " "


class Node(msgspec.Struct):
    """An element: its name without the prefix, the prefix's namespace, and its content."""

    name: str
    space: str = ""
    attributes: Mapping[str, str] = {}
    children: list["Node"] = []
    parts: list[str] = []

    @property
    def text(self) -> str:
        """The text directly in it."""
        return "".join(self.parts).strip()

    def inner(self) -> str:
        """Return the text in it and in all elements below."""
        return " ".join(part for part in (self.text, *(child.inner() for child in self.children)) if part)


class Entries:
    """Collects the elements of given names. Raises Unreadable for a document that is not XML, or that hides a bomb."""

    def __init__(self, names: frozenset[str], roots: frozenset[str]) -> None:
        """Look for elements of these names, in documents whose root element has one of those names.

        No names are the children of the root element, no roots are any root element.
        """
        self._names, self._roots = names, roots
        self._parser = expat.ParserCreate("utf-8", namespace_separator=_BETWEEN)
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
        """Yield the place of each entry, and the entry or the reason why it cannot be used."""
        given = 0
        for part in parts(stream):
            given += len(part)
            try:
                self._parser.Parse(part, not part)
            except expat.ExpatError as error:
                reason = expat.errors.messages.get(error.code, "not well-formed")
                where = f"line {error.lineno}, column {error.offset + 1}"
                raise Unreadable(f"{where}: this is not XML: {reason}") from error
            if given - self._parser.CurrentByteIndex > LONGEST_TAG:
                raise Unreadable(f"{self._place()}: a tag of more than {LONGEST_TAG} bytes")
            yield from self._ready
            self._ready.clear()

    def _place(self) -> str:
        return f"line {self._parser.CurrentLineNumber}, column {self._parser.CurrentColumnNumber + 1}"

    def _doctype(self, *_: object) -> None:
        raise Unreadable("it has a document type declaration (<!DOCTYPE>), which feeds need not have: refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(_BETWEEN)
        if self._depth == 0 and self._roots and local not in self._roots:
            raise Unreadable(f"it starts with <{local[:60]}>: this is neither RSS nor Atom")
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(f"{self._place()}: more than {DEEPEST} levels")
        if not self._open and (local not in self._names if self._names else self._depth != 2):
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


ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DUBLIN = "http://purl.org/dc/elements/1.1/"
PODCAST = "http://www.itunes.com/dtds/podcast-1.0.dtd"
MEDIA = "http://search.yahoo.com/mrss/"
PLAIN = ("", ATOM, "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/")
"""Namespaces of the formats themselves."""

_TINY = re.compile(r"\s*[0-3](?:px)?\s*", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:jpe?g|jfif|png|gif|webp|avif|bmp)(?:[?#]|$)", re.IGNORECASE)
"""The end of a picture's address, for when the feed declares no type."""

NAMES, ROOTS = frozenset({"item", "entry"}), frozenset({"rss", "RDF", "feed"})
LONGEST_SUMMARY, LONGEST_CONTENT = 2_000, 20_000
"""Characters that are kept."""


def items(stream: io.BufferedReader, base: str = "") -> Iterator[Found]:
    """Return the entries of a feed, with relative addresses resolved on `base`, and a note for each invalid address."""
    for where, entry in Entries(NAMES, ROOTS).read(stream):
        notes: list[str] = []
        yield where, entry if isinstance(entry, str) else _item(entry, base, notes)
        for note in notes:
            yield where, Note(note)


def _item(entry: Node, base: str, notes: list[str]) -> dict[str, Any] | str:
    summary, pictured = plain(_first(entry, "description", "summary"))
    content, shown = plain(_first(entry, "encoded", "content"))
    title, _ = plain(_first(entry, "title"))
    href = _link(entry)
    link = read(href, base)
    if not title and not summary and not content:
        return "it has no title and no text"
    if href and not link:
        notes.append(f"its link {href[:100]!r} is not an http(s) URL and is left empty")
    page = link or base
    author = _child(entry, "author")
    item = {
        "id": _text(entry, "guid", "id") or link,
        "title": title,
        "link": link,
        "summary": summary[:LONGEST_SUMMARY] or content[:LONGEST_SUMMARY],
        "content": content[:LONGEST_CONTENT],
        "author": _text(author, "name") or (author.text if author else "") or _text(entry, "creator"),
        "image": next((url for each in (*_images(entry), pictured, shown) if (url := read(each, page))), ""),
        "categories": [
            each for child in entry.children if child.name == "category" for each in [_category(child)] if each
        ],
        "published": _time(_text(entry, "pubDate", "published", "date", "updated")),
    }
    return item


def _known(child: Node) -> bool:
    return child.space in PLAIN or child.space in (CONTENT, DUBLIN)


def _child(entry: Node | None, name: str) -> Node | None:
    return next((child for child in entry.children if child.name == name and _known(child)), None) if entry else None


def _first(entry: Node, *names: str) -> str:
    found = (_child(entry, name) for name in names)
    return next((letters for node in found if node is not None and (letters := node.inner())), "")


def _text(entry: Node | None, *names: str) -> str:
    return _first(entry, *names)[:4096] if entry is not None else ""


def _link(entry: Node) -> str:
    links = [child for child in entry.children if child.name == "link" and child.space in PLAIN]
    for child in links:
        if child.text:
            return child.text
    guid = _child(entry, "guid")
    if guid is not None and guid.attributes.get("isPermaLink", "true").strip().lower() != "false" and read(guid.text):
        return guid.text
    hrefs = {child.attributes.get("rel", "alternate"): child.attributes.get("href", "") for child in reversed(links)}
    return hrefs.get("alternate", "").strip()


def _images(entry: Node) -> Iterator[str]:
    for child in _below(entry):
        kind = child.attributes.get("type", "")
        address = child.attributes.get("url", "") or child.attributes.get("href", "")
        if child.name == "enclosure" or child.attributes.get("rel") == "enclosure":
            if kind.startswith("image/") or (not kind and _PICTURE.search(address)):
                yield address
        elif child.space == PODCAST and child.name == "image":
            yield address
        elif child.space == MEDIA and child.name in ("content", "thumbnail"):
            medium = child.attributes.get("medium", "")
            if child.name == "thumbnail" or kind.startswith("image/") or medium == "image" or not (kind or medium):
                yield address


def _below(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _below(child)


def _category(node: Node) -> str:
    return node.text or node.attributes.get("term", "")


def _time(text: str) -> int | None:
    at = parse(text)
    if at is not None or not text:
        return at
    try:
        moment = parsedate_to_datetime(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _photo(img: Mapping[str, str]) -> str:
    """Return the address of a picture in HTML; empty for a pixel that counts readers, and for a stand-in."""
    if any(_TINY.fullmatch(img.get(side, "")) for side in ("width", "height")):
        return ""
    given = (img.get(name, "").strip() for name in ("data-src", "data-lazy-src", "data-original", "src"))
    return next((each for each in given if each and not each.lower().startswith("data:")), "")


class _Letters(HTMLParser):
    """The text of a piece of HTML, and the first picture in it that people see."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[str] = []
        self.picture = ""
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.letters.append(" ")
        self._hidden += tag in ("script", "style")
        if tag == "img" and not self.picture:
            self.picture = _photo({name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        self.letters.append(" ")
        self._hidden = max(0, self._hidden - (tag in ("script", "style")))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.letters.append(data)


def plain(html: str) -> tuple[str, str]:
    """Return HTML as one line of plain text, and the address of the first picture in it.

    >>> plain('<p>Fish &amp; <b>chips</b><script>x()</script></p><img src="https://a.example/b.jpg">')
    ('Fish & chips', 'https://a.example/b.jpg')
    """
    if "<" not in html and "&" not in html:
        return " ".join(html.split()), ""
    reader = _Letters()
    reader.feed(html[:200_000])
    reader.close()
    return " ".join("".join(reader.letters).split()), reader.picture


def products(stream: io.BufferedReader, encoding: str) -> Iterator[Found]:
    """Yield products with Google's names (`image_link`) and texts. A repeated name has a list."""
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
