"""What one transaction writes: messages, events, claims with their holdings, orders, and the catalog.

Runs inside a transaction that the writer opened; knows nothing of threads, locks or files.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from wetink.core.event import Event
from wetink.core.goal import ORDER_EVENTS
from wetink.core.identity import Claim
from wetink.ports import Record
from wetink.store.sqlite import groups, outcomes, ownership, revisions, summaries
from wetink.store.sqlite.codec import VERDICTS, decode_event, encode, fingerprint, who
from wetink.store.sqlite.connection import first
from wetink.store.sqlite.lessons import Lessons
from wetink.store.sqlite.queries import read
from wetink.store.sqlite.recent import Recent

SQL = read("queries.sql")


class Row(msgspec.Struct, frozen=True, gc=False):
    """A record made ready to write, outside of the lock."""

    record: Record
    who: str
    key_time: int
    fingerprint: int
    at: int
    body: bytes
    message: tuple[Any, ...]
    """What its row in the log has behind its place."""
    tells: bool
    """Whether it may teach the catalog something, as of `revision`; whether it does after a later one is to be seen."""
    revision: int

    @property
    def key(self) -> tuple[str, int, int]:
        """Its place in the cluster of events."""
        return (self.who, self.key_time, self.fingerprint)


def prepare(record: Record, revision: int, *, tells: bool) -> Row:
    """Encode a record's event and find its place in the cluster.

    With `tells` the catalog may learn from it; else it may not while `revision` is the newest of the catalog.
    """
    event = record.event
    column = who(record.filed)
    return Row(
        record,
        column,
        record.sent_at_key,
        fingerprint(record.source, record.message_id),
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
        ),
        tells,
        revision,
    )


class Commits:
    """Writes rows in one process, remembering what makes most of them cheap. Not for two threads at once."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lessons = Lessons()
        self._claims = ownership.Claims()
        self._recent = Recent()
        self.revision = -1
        """The newest of the catalog when something was last written here; -1 when that is not known."""

    def ready(self, db: apsw.Connection | None) -> None:
        """Read what came last, so that the first write need not. What cannot be read is that write's to tell."""
        with contextlib.suppress(apsw.Error):
            if db is not None:
                self._recent.begin(db, db.execute(SQL.last_seq).get)

    def begin(self, db: apsw.Connection) -> None:
        """Begin a transaction."""
        db.execute("BEGIN IMMEDIATE")
        self._recent.begin(db, db.execute(SQL.last_seq).get)

    def forget(self) -> None:
        """Remember nothing: what was written was undone."""
        self._recent.undo()
        self._lessons.forget()
        self._claims.forget()
        self.revision = -1

    def write(self, db: apsw.Connection, rows: Sequence[Row]) -> list[bool]:
        """Write the rows and all that follows from them; return for each whether it was a duplicate."""
        outcome = self._written(db, rows)
        summaries.heard(db, {row.who for row in rows if row.body})
        return outcome

    def _written(self, db: apsw.Connection, rows: Sequence[Row]) -> list[bool]:
        last: int = db.execute(SQL.last_seq).get
        duplicates = [False] * len(rows)
        for place in self._recent.known([row.fingerprint for row in rows]):
            duplicates[place] = True
        new = [(seq, row) for seq, row in enumerate(rows, last + 1) if not duplicates[seq - last - 1]]
        before = db.total_changes()
        events = [
            (row.who, row.key_time, row.fingerprint, seq, row.at, row.body)
            for seq, row in new
        ]  # fmt: skip
        events.sort()  # neighbors one after the other
        db.executemany(SQL.insert_event, events)
        if db.total_changes() - before < len(new):  # some came so long ago that only their places tell
            for seq, row in new:
                duplicates[seq - last - 1] = first(db, SQL.stored_event, row.key)[0] != seq
            new = [(seq, row) for seq, row in new if not duplicates[seq - last - 1]]
        if new:
            self._follow(db, new)
            self._recent.written(db, new[-1][0], [row.fingerprint for _, row in new])
        if len(new) < len(rows):
            for row, duplicate in zip(rows, duplicates, strict=True):
                if duplicate:
                    self._keep_the_earlier(db, row)
        return duplicates

    def _follow(self, db: apsw.Connection, new: Sequence[tuple[int, Row]]) -> None:
        """Write all that follows from events that are new."""
        messages: list[tuple[Any, ...]] = []
        claims: list[Claim] = []
        orders: list[Row] = []
        telling: list[Event] = []
        revision = revisions.newest(db)
        for seq, row in new:
            record, event = row.record, row.record.event
            messages.append((seq, *row.message))
            claims += record.claims
            if record.joins is not None:
                groups.join(db, *record.joins)
            if event is not None:
                if row.tells or (row.revision != revision and event.level == "server"):
                    telling.append(event)
                if event.name in ORDER_EVENTS:
                    orders.append(row)
        db.executemany(SQL.insert_message, messages)
        self._claims.make(db, claims, (row.record for _, row in new))
        for row in orders:
            outcomes.note(db, row.key, row.record.event)
        if telling:
            self._lessons.teach(db, telling)
            revision = revisions.newest(db)
        self.revision = revision

    def _keep_the_earlier(self, db: apsw.Connection, row: Row) -> None:
        """Let the smallest corrected time of a message count, whichever of its copies came first.

        A copy that gives another time of its own is not looked for: the first one stands.
        """
        stored = first(db, SQL.stored_event, row.key) if row.record.event is not None else None
        if stored is None:
            return
        _, at, body = stored
        if row.at >= at:
            return
        moved = msgspec.structs.replace(decode_event(body), at=row.at)
        db.execute(SQL.move_event, (row.at, encode(moved), *row.key))
        ownership.unclaim(db, row.record.claims, at)
        self._claims.forget()
        if row.record.claims:
            self._claims.make(db, row.record.claims, (row.record,))
        outcomes.moved(db, row.key, row.at)
