"""Declaration: a feed's file in the content folder, read and checked."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from wetink.core.errors import BadContent
from wetink.core.outbound.feed import GOODS, HOLE, LARGEST_JSON, SHORTEST_MS, SHORTEST_PERSON_MS, Feed, PerPerson
from wetink.core.text.characters import problem_in_text
from wetink.core.text.link import host_of

RESERVED = frozenset(
    (
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "accept-encoding",
        "if-none-match",
        "if-modified-since",
    )
)
"""Headers that the client sets itself, in lower case."""
MOST_HEADERS, LONGEST_TITLE = 10, 80

_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")
_ELEMENT = re.compile(r"[^\W\d][\w.-]*")
_SOURCE = re.compile(r"(?:person|moment)(?:\.[^.\s|]+)+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")


def feed_of(name: str, raw: Any) -> Feed:
    """Return the feed that a file called `name` declares. Raises BadContent with all its problems."""
    if not isinstance(raw, dict):
        raise BadContent("a feed must be a mapping", hint="start with url: and format:")
    try:
        feed = msgspec.convert({"name": name, **raw}, Feed)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    wrong = list(problems_of(feed))
    if wrong:
        raise BadContent("; ".join(wrong))
    return feed


def problems_of(feed: Feed) -> Iterator[str]:
    """Yield the problems of a declaration, each after the name of its field."""
    if bool(feed.url) == bool(feed.file):
        yield "url: set either url or file"
    elif feed.url:
        yield from _wrong_with_address(feed)
    elif not _FILE.fullmatch(feed.file):
        yield f"file: {feed.file!r} is not the name of an uploaded file"
    try:
        shortest = SHORTEST_PERSON_MS if feed.per_person is not None else SHORTEST_MS
        if feed.every_ms < shortest:
            yield f"every: at least {shortest // 1000}s"
    except BadContent as error:
        yield f"every: {error}; {error.hint}"
    yield from _wrong_with_document(feed)
    yield from _wrong_with_headers(feed)
    if len(feed.title) > LONGEST_TITLE or problem_in_text(feed.title):
        yield f"title: {problem_in_text(feed.title) or f'at most {LONGEST_TITLE} characters'}"
    if feed.encoding:
        yield from _wrong_with_encoding(feed)
    yield from _wrong_with_fields(feed)
    if feed.per_person is not None:
        yield from _wrong_with_parameters(feed, feed.per_person)


def _wrong_with_address(feed: Feed) -> Iterator[str]:
    end = urlsplit(feed.url.partition("{")[0])
    if "{" in feed.url and not (end.netloc and (end.path or end.query)):
        yield "url: {parameters} may be in the path and the query only"
    elif not host_of(HOLE.sub("x", feed.url)):
        yield f"url: {feed.url!r} is not an http(s) URL"
    elif "#" in feed.url:
        yield "url: remove the part after #; it is never sent"
    elif HOLE.search(feed.url) and feed.per_person is None:
        yield "url: {parameters} need per_person.parameters, and there are none"


def _wrong_with_document(feed: Feed) -> Iterator[str]:
    if feed.complete and feed.purpose != "catalog":
        yield "complete: only for a catalog"
    if feed.root and feed.format not in ("json", "xml"):
        yield "root: only for json and xml"
    elif feed.root and feed.format == "xml" and not _ELEMENT.fullmatch(feed.root):
        yield f"root: {feed.root!r} is not the name of an element, such as product"
    elif feed.root and not _PATH.fullmatch(feed.root):
        yield f"root: {feed.root!r} is not a dotted path, such as data.items"
    if feed.format == "json" and feed.limit.bytes > LARGEST_JSON:
        yield f"limit.bytes: at most {LARGEST_JSON} for json; write larger feeds as jsonl"


def _wrong_with_headers(feed: Feed) -> Iterator[str]:
    if feed.headers and feed.file:
        yield "headers: an uploaded file needs none"
    for name in feed.headers:
        if not _HEADER.fullmatch(name):
            yield f"headers: {name[:40]!r} is not the name of a header, such as Authorization"
        elif name.lower() in RESERVED:
            yield f"headers: wetink sets {name} itself"
    if len({name.lower() for name in feed.headers}) < len(feed.headers):
        yield "headers: each name once"
    if len(feed.headers) > MOST_HEADERS:
        yield f"headers: at most {MOST_HEADERS}"
    if feed.title and (
        problem := problem_in_text(feed.title) or ("at most 80 characters" if len(feed.title) > 80 else "")
    ):
        yield f"title: {problem}"


def _wrong_with_encoding(feed: Feed) -> Iterator[str]:
    if feed.format not in ("csv", "jsonl", "merchant"):
        yield "encoding: only csv, jsonl and merchant have one; the other formats name it themselves"
    try:
        "a".encode(feed.encoding)
    except (LookupError, ValueError):
        yield f"encoding: {feed.encoding!r} is unknown; write utf-8, windows-1252, utf-16, ..."


def _wrong_with_fields(feed: Feed) -> Iterator[str]:
    for ours, theirs in feed.fields.items():
        if not _NAME.fullmatch(ours):
            yield f"fields: {ours!r} is not a name that a template can use"
        elif feed.of_goods and ours not in GOODS:
            yield f"fields: a product has no {ours}; it has {', '.join(sorted(GOODS))}"
        if feed.format in ("json", "jsonl", "xml") and not _PATH.fullmatch(theirs):
            yield f"fields.{ours}: {theirs!r} is not a dotted path, such as price.amount"
        elif not theirs.strip():
            yield f"fields.{ours}: enter a source"
    if feed.key and feed.fields and not feed.of_goods and feed.key not in feed.fields:
        yield f"key: {feed.key} is not among fields"
    if feed.key and feed.of_goods and feed.key not in GOODS:
        yield f"key: a product has no {feed.key}"


def _wrong_with_parameters(feed: Feed, person: PerPerson) -> Iterator[str]:
    if feed.file:
        yield "per_person: an uploaded file is the same for everybody"
    if feed.purpose == "catalog":
        yield "per_person: a catalog is the same for everybody"
    if not person.parameters:
        yield "per_person.parameters: at least one"
    for name, source in person.parameters.items():
        if not _NAME.fullmatch(name):
            yield f"per_person.parameters: {name!r} is not a name"
        if not all(_SOURCE.fullmatch(each.strip()) for each in source.split("|")):
            yield f"per_person.parameters.{name}: {source!r} is not a path such as person.traits.city"
    for hole in HOLE.findall(feed.url):
        if hole not in person.parameters:
            yield f"url: {{{hole}}} is not in per_person.parameters"
