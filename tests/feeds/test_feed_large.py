"""Large catalogs are read in little memory, and in a process that can be ended."""

import csv
import io
import json
import os
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.test_feed_parse import NOW, feed
from wetink.core.outbound.feed import Feed
from wetink.feeds.parse import Readers, Tally, Unreadable, read, whole

MANY, TRACED = 50_000, 4_000


class Endless(io.RawIOBase):
    """A body that is made while it is read."""

    def __init__(self, parts: Callable[[], Iterator[bytes]]) -> None:
        self.parts, self.make, self.rest, self.given = parts(), parts, b"", 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.parts, self.rest = self.make(), b""
        return 0

    def readinto(self, buffer: Any) -> int:
        while len(self.rest) < len(buffer) and (part := next(self.parts, None)) is not None:
            self.rest += part
        taken, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(taken)] = taken
        self.given += len(taken)
        return len(taken)


def blocks(first: bytes, last: bytes, one: Callable[[int], str]) -> Callable[[], Iterator[bytes]]:
    def made() -> Iterator[bytes]:
        yield first
        for start in range(0, MANY, 100):
            yield "".join(one(number) for number in range(start, start + 100)).encode()
        yield last

    return made


def row(number: int) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([f"P{number}", "Name, " * 20, f"{number % 90}.5 EUR", f"https://shop.example/{number}"])
    return out.getvalue()


def entry(number: int) -> str:
    return (
        f"<item><g:id>P{number}</g:id><g:title>{'Name ' * 20}</g:title><g:price>{number % 90}.5 EUR</g:price>"
        f"<g:link>https://shop.example/{number}</g:link></item>\n"
    )


@pytest.mark.parametrize(
    ("what", "body"),
    [
        (feed("csv", purpose="catalog"), blocks(b"product_id,name,price,url\n", b"", row)),
        (
            feed("jsonl", purpose="catalog"),
            blocks(b"", b"", lambda n: json.dumps({"product_id": f"P{n}", "name": "Name " * 20, "price": n}) + "\n"),
        ),
        (
            feed("merchant", purpose="catalog"),
            blocks(b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>', b"</channel></rss>", entry),
        ),
    ],
    ids=["csv", "jsonl", "merchant"],
)
def test_fifty_thousand_products_take_little_memory(what: Feed, body: Callable[[], Iterator[bytes]]) -> None:
    tally = Tally()
    items = read(what, Endless(body), tally, NOW)  # type: ignore[arg-type]
    for _ in range(MANY - TRACED):
        next(items)
    tracemalloc.start()
    try:
        last = list(deque(items, maxlen=1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tally.count, tally.left_out, last[0]["product_id"]) == (MANY, 0, f"P{MANY - 1}")
    # Kept, the last 4,000 items would be 4 MB. What may grow is the set of keys that were there.
    assert peak < 3_000_000


def test_a_reader_of_its_own_says_the_same_and_can_be_ended(tmp_path: Path) -> None:
    readers, what = Readers(), feed("csv", purpose="catalog")
    good, bad, never = tmp_path / "good", tmp_path / "bad", tmp_path / "never"
    good.write_bytes(b"sku,price\nA,1\nB,free\n")
    bad.write_bytes(b"<!DOCTYPE html><html><body>Please log in</body></html>")
    assert readers.read(what, good, NOW) == whole(what, io.BytesIO(good.read_bytes()), NOW)
    with pytest.raises(Unreadable, match="a web page"):
        readers.read(what, bad, NOW)
    with pytest.raises(Unreadable, match="ended with 1: FileNotFoundError"):
        readers.read(what, never, NOW)
    os.mkfifo(never)
    with ThreadPoolExecutor(1) as threads:
        endless = threads.submit(readers.read, what, never, NOW)
        while not endless.done():
            readers.close()
            time.sleep(0.01)
        with pytest.raises(Unreadable, match="ended with -9"):
            endless.result()
