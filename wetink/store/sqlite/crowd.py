"""Crowd: all profiles in one state of the log, and those that have changed after a cursor."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import apsw

from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.ports.audiences import Changes, ProfileEvents
from wetink.store.codec import PARKED, events, identifier, who
from wetink.store.sqlite.connection import connect, fetch, first, snapshot, translated
from wetink.store.sqlite.profiles import People, of_stretch

AT_ONCE = 5_000
"""Events decoded at once."""
LAST = "SELECT coalesce(max(seq), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event_change'), 0) "
OLDEST_CHANGE = "SELECT min(id) FROM event_change"
STORED = (
    "SELECT event.who, event.body FROM message CROSS JOIN event ON event.who = message.who"
    " AND event.seq = message.seq WHERE message.who <> 'p' AND message.seq "
)
CLAIMED_BY_PAGES = "SELECT DISTINCT weaker FROM claim WHERE stronger = ? AND level = 'browser'"
JOINED = "SELECT member FROM joined WHERE root = (SELECT root FROM joined WHERE member = ?)"
ORPHANS = "SELECT DISTINCT owner FROM holding WHERE NOT EXISTS (SELECT 1 FROM event WHERE who = owner)"


@contextmanager
def open_crowd_log(path: Path) -> Iterator["SQLiteCrowdLog"]:
    """Open a store's file as a `ports.audiences.CrowdLog`. Raises StoreUnavailable."""
    with translated("following the log"):
        db = connect(path)
        try:
            db.execute("PRAGMA query_only = ON")
            with snapshot(db):
                yield SQLiteCrowdLog(db)
        finally:
            db.close()


class SQLiteCrowdLog:
    """`ports.audiences.CrowdLog` over the transaction of a connection."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db, self._people = db, People(db)
        self._seq, self._change = first(db, f"{LAST} FROM message")

    @property
    def cursor(self) -> str:
        return f"{self._seq}-{self._change}"

    @property
    def size(self) -> int:
        return int(self._seq)

    def changes(self, after: str, limit: int) -> Changes | None:
        seq, change = map(int, after.split("-"))
        oldest = first(self._db, OLDEST_CHANGE)[0]
        forgotten = oldest is not None and change + 1 < oldest
        if forgotten or self._seq - seq + self._change - change > limit:
            return None
        carried, moved = self._identifiers(self._db.execute(f"{STORED} > ?", (seq,))), self._moved(change)
        return Changes(self._with_claimed_by_pages(carried), self._with_claimed_by_pages(moved))

    def _moved(self, change: int) -> set[str]:
        """Return the identifiers of events that were changed or removed after a change."""
        rows = fetch(self._db, "SELECT DISTINCT seq, who FROM event_change WHERE id > ?", (change,))
        now = (row for seq, _ in rows for row in fetch(self._db, f"{STORED} = ?", (seq,)))
        return {column for _, column in rows if column != PARKED} | self._identifiers(now)

    def _identifiers(self, rows: Iterable[tuple[str, bytes]]) -> set[str]:
        """Return the identifiers that these events are filed under and carry, and the users that their aliases join."""
        found: set[str] = set()
        left = iter(rows)
        while some := list(islice(left, AT_ONCE)):
            found.update(column for column, _ in some)
            for event in events([body for _, body in some if body]):
                carried = (("u", event.user), ("e", event.email), ("a", event.anonymous))
                found.update(kind + value for kind, value in carried if value)
                if event.type == "alias" and event.user:
                    for (member,) in fetch(self._db, JOINED, (f"u{event.user}",)):
                        found |= {member, f"a{member[1:]}"}
        return found

    def _with_claimed_by_pages(self, columns: set[str]) -> frozenset[Identifier]:
        """Add the identifiers that pages claimed for these: a server's message about them weakens such claims."""
        weaker = {each for column in columns for (each,) in fetch(self._db, CLAIMED_BY_PAGES, (column,))}
        return frozenset(map(identifier, columns | weaker))

    def owners(self, identifiers: Iterable[Identifier]) -> set[Identifier]:
        return set(map(identifier, self._owners(map(who, identifiers))))

    def _owners(self, columns: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for column in columns:
            if column[0] == "u":
                found.add(self._group(column) or column)
                continue
            held = fetch(self._db, "SELECT DISTINCT owner FROM holding WHERE identifier = ?", (column,))
            found |= self._owners(owner for (owner,) in held)
            if self._leads_nowhere(column):
                found.add(column)
        return found

    def profiles(self, roots: Iterable[Identifier] | None = None) -> Iterator[ProfileEvents]:
        for root in map(identifier, self._everyone()) if roots is None else roots:
            if self._people.root(root, FOREVER - 1) != root:
                continue
            stretches = self._people.stretches(root, FOREVER - 1)
            bodies = [
                body for column, *span, moves in stretches for body in of_stretch(self._bodies(column, *span), moves)
            ]
            if bodies:
                yield ProfileEvents(root, [identifier(column) for column, *_ in stretches], events(bodies))

    def _bodies(self, *span: str | int) -> Iterator[bytes]:
        for (body,) in fetch(self._db, "SELECT body FROM event WHERE who = ? AND at >= ? AND at < ?", span):
            yield body

    def _everyone(self) -> Iterator[str]:
        """Yield the root of every profile with events."""
        joined: set[str] = set()
        for column in self._filed():
            if column[0] == "u":
                group = self._group(column)
                if group is None:
                    yield column
                elif group not in joined:
                    joined.add(group)
                    yield group
            elif self._leads_nowhere(column):
                yield column
        for (owner,) in fetch(self._db, ORPHANS):
            root = self._group(owner) or owner
            if (owner[0] == "u" or self._leads_nowhere(owner)) and root not in joined:
                joined.add(root)
                yield root

    def _filed(self) -> Iterator[str]:
        """Yield the identifiers that events are filed under, in order."""
        last = ""
        while row := first(self._db, "SELECT who FROM event WHERE who > ? ORDER BY who LIMIT 1", (last,)):
            last = row[0]
            if last != PARKED:
                yield last

    def _group(self, user: str) -> str | None:
        row = first(self._db, "SELECT root FROM joined WHERE member = ?", (user,))
        return row[0] if row else None

    def _leads_nowhere(self, column: str) -> bool:
        return column[0] != "u" and self._people.owner(identifier(column), FOREVER - 1) == column
