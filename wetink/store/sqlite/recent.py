"""Recent: the latest message ids of all processes, and the product events that this one has committed.

A repeated message is recognized by its id alone.

An event's key identifies a retry as long as it has the same time and the same identifiers. This module covers the rest.
Each group of messages leaves one row, `arrival`, with the fingerprints of its ids. The next writer reads the rows that
others have left into a table of numbers. A new message needs no lookup in the file, and no write to a place of its own.

Used only under the writers' lock. Theory and figures: docs/decisions/0001.
"""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from operator import itemgetter
from typing import TypeAlias

import apsw

from wetink.core.events.event import Event
from wetink.store.codec import events
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch

SQL = queries(__package__, "queries.sql")

AT_LEAST = 1 << 19
"""Message ids that are certainly known. There may be up to twice as many."""

_SLOTS = AT_LEAST * 2
_MASK = _SLOTS - 1
Table: TypeAlias = "memoryview[int]"
_NONE: Table = memoryview(array("q"))


class RecentIds:
    """The latest ids, as one process knows them: two tables of 8 MB. The older one is dropped when both are full.

    A table is indexed by the fingerprint itself. On a collision, the next free slot is used.
    """

    def __init__(self) -> None:
        self._ours: list[int] = []  # slots filled in this transaction, and the end of the log before it
        self._since = -1
        self._forget()

    def _forget(self) -> None:
        self._seq = -1  # the known end of the log
        self._table = _NONE  # created by the first write: most users of a store only read
        self._older: Table | None = None
        self._count = 0

    def begin(self, db: apsw.Connection, last: int) -> None:
        """Begin a transaction, and read the ids that others have written. `last` is the newest position of the log."""
        self._ours.clear()
        if last < self._seq:  # this is another file
            self._forget()
        self._table = self._table or _empty()
        if last != self._seq:
            self._take_in(_ids_since(db, self._seq))
            self._seq = last
        self._since = last
        if self._count >= AT_LEAST:
            self._turn()

    def undo(self) -> None:
        """Forget the ids of this transaction: it was rolled back, or its outcome is unknown."""
        for slot in reversed(self._ours):  # each comes after those that were there before it
            self._table[slot] = 0
        self._count -= len(self._ours)
        self._ours.clear()
        self._seq = min(self._seq, self._since)

    def known(self, prints: Iterable[int]) -> list[int]:
        """Return the positions in `prints` of known ids, also from this transaction, and add the others."""
        table, note, mask, older = self._table, self._ours.append, _MASK, self._older
        known: list[int] = []
        was = self._count - len(self._ours)
        for place, wanted in enumerate(prints):  # usually the first slot is free
            slot = wanted & mask
            held = table[slot]
            while held:
                if held == wanted:
                    break
                slot = (slot + 1) & mask
                held = table[slot]
            else:
                if older is None or not _holds(older, wanted):
                    table[slot] = wanted
                    note(slot)
                    continue
            known.append(place)
        self._count = was + len(self._ours)
        return known

    def written(self, db: apsw.Connection, last: int, prints: Iterable[int]) -> None:
        """Write the ids of new messages, the newest of them at `last` of the log."""
        db.execute(SQL.insert_arrival, (last, array("q", prints).tobytes()))
        self._seq = last

    def _take_in(self, batches: Iterable[bytes]) -> None:
        for ids in batches:
            if self._count >= AT_LEAST:
                self._turn()
            prints = array("q")
            prints.frombytes(ids)
            self.known(prints)
            self._ours.clear()

    def _turn(self) -> None:
        self._older, self._table, self._count = self._table, _empty(), 0


def _empty() -> Table:
    # Zeros, which take no time and no memory until a page of them is written.
    return memoryview(mmap(-1, _SLOTS * 8, MAP_PRIVATE | MAP_ANONYMOUS)).cast("q")


def _holds(table: Table, wanted: int) -> bool:
    slot = wanted & _MASK
    while (held := table[slot]) and held != wanted:
        slot = (slot + 1) & _MASK
    return held != 0


def _ids_since(db: apsw.Connection, seq: int) -> list[bytes]:
    """Return the ids that others have written since `seq`, oldest first. If it is -1, return only `AT_LEAST` or so."""
    if seq >= 0:
        return [ids for (ids,) in fetch(db, SQL.arrivals_after, (seq,))]
    found: list[bytes] = []
    count = 0
    for (ids,) in db.execute(SQL.arrivals):
        found.append(ids)
        count += len(ids) // 8
        if count >= AT_LEAST:
            break
    return found[::-1]


MOST_EVENTS, MOST_EVENT_BYTES, MOST_SPANS = 5_000, 2 << 20, 1_000
"""Limits of a process's events, of their bytes as stored, and of the spans of the log that they cover.

As objects they take about three times their bytes. Without that limit, events with large properties took 500 MB.
"""

Placed: TypeAlias = tuple[int, Event]
"""The position of a message in the log, and its event."""
_SEQ = itemgetter(0)


class RecentEvents:
    """The newest product events of one log, for all threads of a process."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._kept: list[Placed] = []
        self._spans: list[tuple[int, int]] = []  # all product events in (after, to] of these are kept
        self._bytes = 0
        self._replays = -1

    def add(self, after: int, to: int, new: Sequence[Placed], size: int) -> None:
        """Add the product events among messages (after, to], which this process has just committed.

        `size` is their bytes as stored. If they exceed a limit, the older events are dropped: readers have had them.
        """
        with self._mutex:
            self._bytes += size
            if (
                (self._spans and self._spans[-1][1] > after)  # this is another file
                or len(self._kept) + len(new) > MOST_EVENTS
                or self._bytes > MOST_EVENT_BYTES
                or len(self._spans) >= MOST_SPANS
            ):
                self._forget()
                self._bytes = size
            if size > MOST_EVENT_BYTES:
                return
            if self._spans and self._spans[-1][1] == after:
                self._spans[-1] = (self._spans[-1][0], to)
            else:
                self._spans.append((after, to))
            self._kept += new

    def between(self, db: apsw.Connection, seq: int, last: int) -> list[Placed]:
        """Return the product events among messages (seq, last], in order."""
        replays = db.execute(SQL.replays).get
        found: list[Placed] = []
        with self._mutex:
            if replays != self._replays:  # a replay may have changed messages
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

    def _forget(self) -> None:
        self._kept, self._spans, self._bytes = [], [], 0


def _stored(db: apsw.Connection, seq: int, last: int) -> list[Placed]:
    if seq >= last:
        return []
    rows = fetch(db, SQL.events_of_products, (seq, last))
    return [*zip([place for place, _ in rows], events([body for _, body in rows]), strict=True)]
