"""Reader: the items of a body of any format. It leaves a bad item out and counts it, and keeps the rest.

Another process reads a large catalog: Python runs one thread at a time, and opens would wait for it.
"""

import hashlib
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from wetink.core.outbound.feed import Feed, Item, reached
from wetink.core.units.quantity import text
from wetink.feeds.parse import json, product, syndication, table, xml
from wetink.feeds.parse.body import Found, Note, Unreadable, opened
from wetink.feeds.parse.product import goods
from wetink.sandbox import forkserver

MOST_PROBLEMS = 20
"""Left-out items whose reason is kept."""


class Tally:
    """The counts of one body: items used and left out, and problems."""

    def __init__(self) -> None:
        self.count = 0
        self.left_out = 0
        self.problems: list[str] = []
        self.until = 0
        """When (Unix ms) the same body gives other items, because a sale begins or ends; 0: never."""

    def leave_out(self, where: str, reason: str) -> None:
        """Count an item that cannot be used."""
        self.left_out += 1
        self.add_problem(f"{where}: {reason}")

    def add_problem(self, problem: str) -> None:
        """Keep a problem if there is room."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def read(feed: Feed, raw: BinaryIO, tally: Tally, now: int) -> Iterator[Item]:
    """Return the items of a seekable body one by one, in as little memory as its format allows.

    `tally` counts along. `now` (Unix ms) decides whether a sale price holds. Raises Unreadable, at the first item or
    later, if the body as a whole does not match the feed's format; then discard the items returned before.
    """
    seen: set[int] = set()
    for where, found in _found(feed, opened(raw, feed.most_bytes)):
        if isinstance(found, Note):
            tally.add_problem(f"{where}: {found}")
            continue
        notes: list[str] = []
        item = found if isinstance(found, str) else _shaped(feed, found, now, tally, notes)
        if isinstance(item, str):
            tally.leave_out(where, item)
            continue
        key = _key(feed, item)
        if key is not None:
            if key == "":
                tally.leave_out(where, f"it has no {feed.key}")
                continue
            if hash(key) in seen:
                tally.leave_out(where, f"{key[:100]!r} is a duplicate")
                continue
            seen.add(hash(key))
        if tally.count >= feed.most_items:
            tally.add_problem(f"{where}: more than {feed.most_items} items; the rest is left out")
            return
        tally.count += 1
        for note in notes:
            tally.add_problem(f"{where}: {note}")
        yield item


def raw_items(feed: Feed, raw: BinaryIO, most: int) -> tuple[list[Item], list[str]]:
    """Return the first items of a seekable body as they are in it, and the problems on the way.

    A body that ends in the middle of a later item is no problem: it may be the beginning of a longer one. Raises
    Unreadable if there is no item.
    """
    found: list[Item] = []
    problems: list[str] = []
    try:
        for where, item in _found(feed, opened(raw, feed.most_bytes)):
            if isinstance(item, str):
                problems.append(f"{where}: {item}")
            else:
                found.append(item)
            if len(found) == most or len(problems) == MOST_PROBLEMS:
                break
    except Unreadable:
        if not found:
            raise
    return found, problems


class Reading(msgspec.Struct, frozen=True):
    """A whole body, read. `version` is equal for equal items, which are valid `until` (Unix ms; 0: forever)."""

    items: tuple[Item, ...]
    count: int
    left_out: int
    problems: tuple[str, ...]
    version: str
    until: int = 0


def whole(feed: Feed, raw: BinaryIO, now: int) -> Reading:
    """Return the data of a body; for a catalog without the items themselves.

    Raises Unreadable if it does not match the feed's format, or if none of its items can be used.
    """
    tally, digest, kept = Tally(), hashlib.sha256(), []
    for item in read(feed, raw, tally, now):
        digest.update(msgspec.json.encode(item))
        if feed.purpose != "catalog":
            kept.append(item)
    if tally.left_out and not tally.count:
        raise Unreadable(f"none of its {tally.left_out} items can be used; {tally.problems[0]}")
    return Reading(
        tuple(kept), tally.count, tally.left_out, tuple(tally.problems), digest.hexdigest()[:16], tally.until
    )


def _found(feed: Feed, stream: io.BufferedReader) -> Iterator[Found]:
    match feed.format:
        case "json":
            return json.items(stream, feed.root)
        case "jsonl":
            return json.by_line(stream, feed.encoding)
        case "csv":
            return table.items(stream, feed.encoding)
        case "xml":
            return xml.items(stream, feed.root)
        case "rss" | "atom":
            return syndication.items(stream, feed.url)
        case "merchant":
            return syndication.products(stream, feed.encoding)


def _shaped(feed: Feed, found: Item, now: int, tally: Tally, notes: list[str]) -> Item | str:
    if not feed.of_goods:
        return {ours: reached(found, theirs) for ours, theirs in feed.fields.items()} if feed.fields else found
    named = product.named(found, now)
    notes += named.notes
    if named.until:
        tally.until = min(tally.until or named.until, named.until)
    own = {ours: product.one(reached(found, theirs)) for ours, theirs in feed.fields.items()}
    return goods({**named.fields, **own}, feed.url, notes)


def _key(feed: Feed, item: Item) -> str | None:
    """Return the key of an item; None if the feed declares no key, empty if the item has none."""
    if feed.key:
        value = reached(item, feed.key)
        return "" if value is None else text(value) or str(value)
    return str(item.get("sku") or item["product_id"]) if feed.of_goods else None


class Outcome(msgspec.Struct, frozen=True):
    """The answer of the other process."""

    reading: Reading | None = None
    unreadable: str = ""


class Readers:
    """The processes that read bodies now. It blocks: use it from threads."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    def read(self, feed: Feed, path: Path, now: int) -> Reading:
        """Return the data of the body in a file, like `whole`. Raises Unreadable."""
        command, pipe = forkserver.command("wetink.feeds.parse", str(path.absolute()), str(now)), subprocess.PIPE
        with subprocess.Popen(  # noqa: S603
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=forkserver.environment()
        ) as process:
            self._running.add(process)
            try:
                output, trouble = process.communicate(msgspec.json.encode(feed))
            finally:
                self._running.discard(process)
        if process.returncode != 0:
            last = trouble.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise Unreadable(f"its reader ended with {process.returncode}: {last[:200]}")
        outcome = msgspec.json.decode(output, type=Outcome)
        if outcome.reading is None:
            raise Unreadable(outcome.unreadable)
        return outcome.reading

    def close(self) -> None:
        """End all of these processes."""
        for process in list(self._running):
            process.kill()
