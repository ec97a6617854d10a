"""Statements: what the log says of products, by its place there.

A process keeps what its own newest events say, so that only what other processes wrote is read back and decoded.
"""

import threading
from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter

import apsw
import msgspec

from wetink.core.catalog.catalog import Statement, statements
from wetink.core.events.event import Product
from wetink.store.sqlite.codec import array
from wetink.store.sqlite.connection import fetch, read

SQL, LOG = read("catalog_queries.sql"), read("queries.sql")

MOST, MOST_SPANS = 5_000, 1_000
"""Statements that a process keeps, some 4 MB, and the stretches of the log that they are of."""

Said = tuple[int, Statement]
"""A statement behind the place of its message in the log."""
_SEQ = itemgetter(0)


class _Telling(msgspec.Struct, gc=False):
    """As much of a stored event as the catalog reads."""

    at: int
    level: str = "server"
    products: tuple[Product, ...] = ()


_telling = msgspec.msgpack.Decoder(_Telling).decode
_tellings = msgspec.msgpack.Decoder(list[_Telling]).decode


class Statements:
    """The statements of one log, for all threads of a process."""

    def __init__(self) -> None:
        """Keep none yet."""
        self._mutex = threading.Lock()
        self._said: list[Said] = []
        self._spans: list[tuple[int, int]] = []  # all that was said in (after, to] of these is kept
        self._replays = -1

    def add(self, after: int, to: int, said: Iterable[Said]) -> None:
        """Keep what was said in messages (after, to]: this process has just committed them."""
        with self._mutex:
            if self._spans and self._spans[-1][1] > after:  # the file is another
                self._forget()
            if self._spans and self._spans[-1][1] == after:
                self._spans[-1] = (self._spans[-1][0], to)
            else:
                self._spans.append((after, to))
            self._said += said
            if len(self._said) > MOST or len(self._spans) > MOST_SPANS:
                self._trim()

    def between(self, db: apsw.Connection, seq: int, last: int) -> list[Said]:
        """Return what messages (seq, last] say, in their order."""
        replays = db.execute(LOG.replays).get
        found: list[Said] = []
        with self._mutex:
            if replays != self._replays:  # messages may say something else now
                self._replays = replays
                self._forget()
            spans = [(max(after, seq), min(to, last)) for after, to in self._spans if to > seq and after < last]
            kept = [self._said[self._until(after) : self._until(to)] for after, to in spans]
        for (after, to), said in zip(spans, kept, strict=True):
            found += _read(db, seq, after)
            found += said
            seq = to
        return found + _read(db, seq, last)

    def _until(self, seq: int) -> int:
        return bisect_right(self._said, seq, key=_SEQ)

    def _trim(self) -> None:
        """Let go of the older half."""
        cut = self._said[MOST // 2][0] if len(self._said) > MOST else self._spans[MOST_SPANS // 2][0]
        self._said = self._said[self._until(cut) :]
        self._spans = [(max(after, cut), to) for after, to in self._spans if to > cut]

    def _forget(self) -> None:
        self._said, self._spans = [], []


def of_message(db: apsw.Connection, seq: int) -> list[Statement]:
    """Return what one message says."""
    return statements(_telling(body) for (body,) in fetch(db, SQL.telling_at, (seq,)) if body)


def _read(db: apsw.Connection, seq: int, last: int) -> list[Said]:
    if seq >= last:
        return []
    rows = fetch(db, SQL.telling, (seq, last))
    tellings = _tellings(array([body for _, body in rows]))
    return [(place, said) for (place, _), each in zip(rows, tellings, strict=True) for said in statements((each,))]
