"""Commit: writes one transaction: messages, events, claims and holdings. `projections` derives all other data.

It runs inside the writer's transaction, without knowledge of threads, locks or files.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from wetink.ports import Record
from wetink.store.codec import VERDICTS, decode_event, encode, fingerprint, who
from wetink.store.queries import queries
from wetink.store.sqlite import identity, summaries
from wetink.store.sqlite.connection import first
from wetink.store.sqlite.recent import Placed, RecentEvents, RecentIds

SQL = queries(__package__, "queries.sql")


class Row(msgspec.Struct, frozen=True, gc=False):
    """A record prepared outside of the lock."""

    record: Record
    who: str
    key_time: int
    fingerprint: int
    at: int
    body: bytes
    message: tuple[Any, ...]
    """The values of its row in the log, without the position."""

    @property
    def key(self) -> tuple[str, int, int]:
        """Its key in the cluster of events."""
        return (self.who, self.key_time, self.fingerprint)


def prepare(record: Record) -> Row:
    """Encode a record's event and compute its key in the cluster."""
    event = record.event
    column, print_ = who(record.filed), fingerprint(record.source, record.message_id)
    return Row(
        record,
        column,
        record.sent_at_key,
        print_,
        event.at if event is not None else record.received,
        encode(event) if event is not None else b"",
        (
            record.received,
            record.source,
            record.message_id,
            VERDICTS.index(record.verdict),
            encode(record.problems) if record.problems else None,
            event.type if event is not None else "",
            event.name if event is not None else "",
            column,
            record.raw,
            record.sent_at_key,
            print_,
        ),
    )


class Commits:
    """Writes rows in one process, with caches that make most of them cheap. Not thread-safe."""

    def __init__(self, recent_events: RecentEvents) -> None:
        """Start with empty caches. `recent_events` gets the product events."""
        self._claims = identity.Claims()
        self._recent = RecentIds()
        self._recent_events = recent_events
        self._of_products: list[Placed] = []  # of this transaction: of the messages in (_since, _last]
        self._product_bytes = 0
        self._since = self._last = self._pages_claim = self._summaries = 0

    def ready(self, db: apsw.Connection | None) -> None:
        """Read the latest ids ahead of the first write. An error is left for that write."""
        with contextlib.suppress(apsw.Error):
            if db is not None:
                self._recent.begin(db, db.execute(SQL.last_seq).get)

    def begin(self, db: apsw.Connection) -> None:
        """Begin a transaction."""
        db.execute("BEGIN IMMEDIATE")
        self._of_products, self._product_bytes = [], 0
        self._since, self._pages_claim, self._summaries = db.execute(SQL.state).get
        self._last = self._since
        self._recent.begin(db, self._since)

    def committed(self) -> None:
        """Pass the committed events on: they can be read now."""
        if self._last > self._since:
            self._recent_events.add(self._since, self._last, self._of_products, self._product_bytes)

    def forget(self) -> None:
        """Clear the caches after a rollback."""
        self._recent.undo()
        self._claims.forget()

    def write(self, db: apsw.Connection, rows: Sequence[Row]) -> list[bool]:
        """Write the rows and their claims. Returns for each row whether it was a duplicate."""
        outcome = self._written(db, rows)
        if self._summaries:
            summaries.drop_summaries_of(db, {row.who for row in rows if row.body})
        return outcome

    def _written(self, db: apsw.Connection, rows: Sequence[Row]) -> list[bool]:
        last = self._last
        duplicates = [False] * len(rows)
        for place in self._recent.known([row.fingerprint for row in rows]):
            duplicates[place] = True
        new = [(seq, row) for seq, row in enumerate(rows, last + 1) if not duplicates[seq - last - 1]]
        before = db.total_changes()
        events = [
            (row.who, row.key_time, row.fingerprint, seq, row.at, row.body)
            for seq, row in new
        ]  # fmt: skip
        events.sort()  # neighbors follow each other
        db.executemany(SQL.insert_event, events)
        if db.total_changes() - before < len(new):  # some duplicates are so old that only their keys show it
            for seq, row in new:
                duplicates[seq - last - 1] = first(db, SQL.stored_event, row.key)[0] != seq
            new = [(seq, row) for seq, row in new if not duplicates[seq - last - 1]]
        if new:
            self._follow(db, new)
            self._last = new[-1][0]
            self._recent.written(db, self._last, [row.fingerprint for _, row in new])
        if len(new) < len(rows):
            for row, duplicate in zip(rows, duplicates, strict=True):
                if duplicate:
                    self._keep_the_earlier(db, row)
        return duplicates

    def _follow(self, db: apsw.Connection, new: Sequence[tuple[int, Row]]) -> None:
        """Write the messages and claims of new events."""
        db.executemany(SQL.insert_message, [(seq, *row.message) for seq, row in new])
        for seq, row in new:
            event = row.record.event
            if event is not None and event.products:
                self._of_products.append((seq, event))
                self._product_bytes += len(row.body)
        for joins in [row.record.joins for _, row in new if row.record.joins is not None]:
            identity.join_users(db, *joins)
        claims = [claim for _, row in new for claim in row.record.claims]
        if claims or self._pages_claim:
            self._pages_claim = 1  # perhaps, from now on
            self._claims.make(db, claims, (row.record for _, row in new))

    def _keep_the_earlier(self, db: apsw.Connection, row: Row) -> None:
        """Keep the smallest corrected time of a message, in whatever order its copies came.

        A copy with a different time of its own is not looked up: the first one stays.
        """
        stored = first(db, SQL.stored_event, row.key) if row.record.event is not None else None
        if stored is None:
            return
        _, at, body = stored
        if row.at >= at:
            return
        self._pages_claim = 1  # perhaps, from now on
        moved = msgspec.structs.replace(decode_event(body), at=row.at)
        db.execute(SQL.move_event, (row.at, encode(moved), *row.key))
        identity.unclaim(db, row.record.claims, at)
        self._claims.forget()
        if row.record.claims:
            self._claims.make(db, row.record.claims, (row.record,))


FEW_ROWS = 100
"""Rows that the loop commits itself: a millisecond at most, less than passing them to the thread."""
SLICE_ROWS = 250
"""Rows written before other work gets its turn: about five milliseconds."""
GROUP_ROWS = 2_500
"""Rows that close a group. A request is never split."""


class Job:
    """One request's rows, and the future of its caller."""

    def __init__(self, rows: Sequence[Row], loop: asyncio.AbstractEventLoop) -> None:
        self.rows = rows
        self.loop, self.since = loop, loop.time()
        self.future: asyncio.Future[list[bool]] = loop.create_future()


class Group:
    """Jobs written in one transaction, and its progress. It has no jobs until the lock is held."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.jobs: list[Job] = []
        self.rows: list[Row] = []
        self.outcome: list[bool] = []
        self.in_thread = self.waiting = False  # for another process, with jobs or without
        self.begun = False

    def take(self, waiting: deque[Job]) -> None:
        """Take waiting jobs up to the size of a group."""
        while waiting and len(self.rows) < GROUP_ROWS:
            job = waiting.popleft()
            self.jobs.append(job)
            self.rows += job.rows

    def shares(self) -> list[list[bool]]:
        """Return each job's part of the outcome."""
        shares, start = [], 0
        for job in self.jobs:
            shares.append(self.outcome[start : start + len(job.rows)])
            start += len(job.rows)
        return shares
