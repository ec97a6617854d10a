"""Recent: the message ids that came last, of every process, and the events of products that this one has committed.

By its id alone a message that comes again is known.

An event's key tells a retry from a new message as long as it carries the same time and the same identifiers. This
covers the rest. Each group of messages leaves one row, `arrival`, with the fingerprints of its ids; whoever writes next
reads those that others have left, and holds them in a table of numbers. Nothing is looked up in the file for a message
that is new, and nothing is written to a place of its own.

Asked only under the writers' lock. Theory and figures: docs/decisions/0001.
"""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TypeAlias

import apsw

from wetink.core.events.event import Event
from wetink.store.sqlite.codec import events, fingerprint
from wetink.store.sqlite.connection import fetch, read

SQL = read("queries.sql")

AT_LEAST = 1 << 19
"""Message ids that are known for certain; up to twice as many are."""

_SLOTS = AT_LEAST * 2
_MASK = _SLOTS - 1
_BACKFILL = 1_000
"""Messages of an older file whose ids are put into one row."""


class RecentIds:
    """The ids that came last, as one process knows them: two tables of 8 MB, the older one given up when both are full.

    A table is hashed by the fingerprint itself; whatever does not fit in its slot stands in the next free one.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._ours: list[int] = []  # slots filled in the transaction under way, and where the log ended before it
        self._since = -1
        self._forget()

    def _forget(self) -> None:
        self._seq = -1  # as far as the log is known
        self._table = array("q")  # made when somebody writes: most who open a store only read
        self._older: array[int] | None = None
        self._count = 0

    def begin(self, db: apsw.Connection, last: int) -> None:
        """Begin a transaction; `last` is the newest place of the log. What others have written since is read."""
        self._ours.clear()
        if last < self._seq:  # the file is another
            self._forget()
        self._table = self._table or _empty()
        if last != self._seq:
            self._take_in(_told_since(db, self._seq))
            self._seq = last
        self._since = last
        if self._count >= AT_LEAST:
            self._turn()

    def undo(self) -> None:
        """Forget what came with the transaction under way: it was undone, or nobody knows."""
        for slot in reversed(self._ours):  # each stands behind those that were there before it
            self._table[slot] = 0
        self._count -= len(self._ours)
        self._ours.clear()
        self._seq = min(self._seq, self._since)

    def known(self, prints: Iterable[int]) -> list[int]:
        """Return the places of those that came before, be it in this transaction; from then on all of them have."""
        table, note, mask, older = self._table, self._ours.append, _MASK, self._older
        known: list[int] = []
        was = self._count - len(self._ours)
        for place, wanted in enumerate(prints):  # for nearly all of them the first slot is free
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
        """Leave the ids of messages that were written, the newest of them at `last` of the log."""
        db.execute(SQL.insert_arrival, (last, array("q", prints).tobytes()))
        self._seq = last

    def _take_in(self, told: Iterable[bytes]) -> None:
        for ids in told:
            if self._count >= AT_LEAST:
                self._turn()
            prints = array("q")
            prints.frombytes(ids)
            self.known(prints)
            self._ours.clear()

    def _turn(self) -> None:
        self._older, self._table, self._count = self._table, _empty(), 0


def _empty() -> "array[int]":
    return array("q", [0]) * _SLOTS


def _holds(table: "array[int]", wanted: int) -> bool:
    slot = wanted & _MASK
    while (held := table[slot]) and held != wanted:
        slot = (slot + 1) & _MASK
    return held != 0


def _told_since(db: apsw.Connection, seq: int) -> list[bytes]:
    """Return what others have left, oldest first: of all there is, no more than is to be known for certain."""
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


def prepare(db: apsw.Connection) -> None:
    """Put the ids of a file's newest messages where they are looked for, if it was made before that."""
    last: int = db.execute(SQL.last_seq).get
    if not last or db.execute(SQL.some_arrival).get:
        return
    for start in range(max(0, last - AT_LEAST), last, _BACKFILL):
        rows = fetch(db, SQL.message_ids, (start, min(start + _BACKFILL, last)))
        if rows:
            prints = array("q", [fingerprint(source, message_id) for _, source, message_id in rows])
            db.execute(SQL.insert_arrival, (rows[-1][0], prints.tobytes()))


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
        replays = db.execute(SQL.replays).get
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
