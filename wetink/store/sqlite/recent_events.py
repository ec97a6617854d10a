"""Recent events: those of products that this process has just committed, for whatever follows the log.

What other processes wrote is read from the file and decoded; the rest is not.
"""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import TypeAlias

import apsw

from wetink.core.events.event import Event
from wetink.store.sqlite.codec import events
from wetink.store.sqlite.connection import fetch, read

SQL, LOG = read("catalog_queries.sql"), read("queries.sql")

MOST, MOST_SPANS = 5_000, 1_000
"""Events that a process keeps, some 6 MB, and the stretches of the log that they are of."""

Placed: TypeAlias = tuple[int, Event]
"""An event behind the place of its message in the log."""
_SEQ = itemgetter(0)


class RecentEvents:
    """The newest events of products of one log, for all threads of a process."""

    def __init__(self) -> None:
        """Keep none yet."""
        self._mutex = threading.Lock()
        self._kept: list[Placed] = []
        self._spans: list[tuple[int, int]] = []  # all events of products in (after, to] of these are kept
        self._replays = -1

    def add(self, after: int, to: int, new: Sequence[Placed]) -> None:
        """Keep the events of products among messages (after, to]: this process has just committed them."""
        with self._mutex:
            if self._spans and self._spans[-1][1] > after:  # the file is another
                self._forget()
            if self._spans and self._spans[-1][1] == after:
                self._spans[-1] = (self._spans[-1][0], to)
            else:
                self._spans.append((after, to))
            self._kept += new
            if len(self._kept) > MOST or len(self._spans) > MOST_SPANS:
                self._trim()

    def between(self, db: apsw.Connection, seq: int, last: int) -> list[Placed]:
        """Return the events of products among messages (seq, last], in their order."""
        replays = db.execute(LOG.replays).get
        found: list[Placed] = []
        with self._mutex:
            if replays != self._replays:  # messages may be read in another way now
                self._replays = replays
                self._forget()
            spans = [(max(after, seq), min(to, last)) for after, to in self._spans if to > seq and after < last]
            kept = [self._kept[self._until(after) : self._until(to)] for after, to in spans]
        for (after, to), mine in zip(spans, kept, strict=True):
            found += _stored(db, seq, after)
            found += mine
            seq = to
        return found + _stored(db, seq, last)

    def _until(self, seq: int) -> int:
        return bisect_right(self._kept, seq, key=_SEQ)

    def _trim(self) -> None:
        """Let go of the older half."""
        cut = self._kept[MOST // 2][0] if len(self._kept) > MOST else self._spans[MOST_SPANS // 2][0]
        self._kept = self._kept[self._until(cut) :]
        self._spans = [(max(after, cut), to) for after, to in self._spans if to > cut]

    def _forget(self) -> None:
        self._kept, self._spans = [], []


def _stored(db: apsw.Connection, seq: int, last: int) -> list[Placed]:
    if seq >= last:
        return []
    rows = fetch(db, SQL.events_of_products, (seq, last))
    return [*zip([place for place, _ in rows], events([body for _, body in rows]), strict=True)]
