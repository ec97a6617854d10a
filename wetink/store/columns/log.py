"""Log: what segments are made of, read from the store's file; and whose profile has changed since some place of it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import apsw

from wetink.core.identity import FOREVER
from wetink.store.columns.segment import Told
from wetink.store.sqlite.codec import PARKED, events, identifier
from wetink.store.sqlite.connection import connect, fetch, first, translated
from wetink.store.sqlite.people import People, of_stretch

RootsOf = Callable[[Iterable[str]], set[str]]
"""The roots of the profiles in segments that have these identifiers (as columns have them)."""


class Log:
    """Reads the store. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        """Read the store's file."""
        with translated("opening the store"):
            self._db = connect(path)
            self._db.execute("PRAGMA query_only = ON")
        self._people = People(self._db)

    @property
    def db(self) -> apsw.Connection:
        """The connection, to read several things of one state with `snapshot`."""
        return self._db

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def place(self) -> tuple[int, int]:
        """Return the last message and the last change of an event."""
        seq: int = self._db.execute("SELECT coalesce(max(seq), 0) FROM message").get
        change: int = self._db.execute("SELECT coalesce(max(id), 0) FROM event_change").get
        return seq, change

    def everyone(self) -> Iterator[str]:
        """Yield the root of every profile that has events."""
        joined: set[str] = set()
        for who in self._filed():
            if who[0] == "u":
                root = self._root(who)
                if root == who and not self._grouped(who):
                    yield who
                elif root not in joined:
                    joined.add(root)
                    yield root
            elif self._leads_nowhere(who):
                yield who
        orphans = "SELECT DISTINCT owner FROM holding WHERE NOT EXISTS (SELECT 1 FROM event WHERE who = owner)"
        for (owner,) in fetch(self._db, orphans):
            root = self._root(owner)
            if (owner[0] == "u" or self._leads_nowhere(owner)) and root not in joined:
                joined.add(root)
                yield root

    def _filed(self) -> Iterator[str]:
        """Yield what events are filed under, in order."""
        last = ""
        while row := first(self._db, "SELECT who FROM event WHERE who > ? ORDER BY who LIMIT 1", (last,)):
            last = row[0]
            if last != PARKED:
                yield last

    def _root(self, user: str) -> str:
        row = first(self._db, "SELECT root FROM joined WHERE member = ?", (user,))
        return str(row[0]) if row else user

    def _grouped(self, user: str) -> bool:
        return first(self._db, "SELECT 1 FROM joined WHERE member = ?", (user,)) is not None

    def _leads_nowhere(self, column: str) -> bool:
        return column[0] != "u" and self._people.owner(identifier(column), FOREVER - 1) == column

    def told(self, root: str) -> Told | None:
        """Return a profile with all its events; None when it has none, or belongs to another one."""
        who = identifier(root)
        if self._people.root(who, FOREVER - 1) != who:
            return None
        stretches = self._people.stretches(who, FOREVER - 1)
        bodies = [
            body
            for column, since, until, moves in stretches
            for body in of_stretch(self._bodies(column, since, until), moves)
        ]
        return (who, [column for column, *_ in stretches], events(bodies)) if bodies else None

    def _bodies(self, *span: str | int) -> Iterator[bytes]:
        for (body,) in fetch(self._db, "SELECT body FROM event WHERE who = ? AND at >= ? AND at < ?", span):
            yield body

    def touched(self, seq: int, change: int, roots_of: RootsOf) -> set[str]:
        """Return the roots of profiles that may be other than they were at that place, the vanished ones included."""
        news, moved = self._carried(seq), self._changed(change)
        news |= self._claimed_by_pages(news)
        moved |= self._claimed_by_pages(moved)
        before = roots_of(news | moved)
        if moved:
            near = {column for root in roots_of(moved) | self._owners(moved) for column in self._columns(root)}
            before |= roots_of(near) | self._owners(near)
        return before | self._owners(news | moved)

    def _claimed_by_pages(self, columns: Iterable[str]) -> set[str]:
        """Return what pages claimed for these: once a server tells of them, that counts for less."""
        query = "SELECT DISTINCT weaker FROM claim WHERE stronger = ? AND level = 'browser'"
        return {weaker for column in columns for (weaker,) in fetch(self._db, query, (column,))}

    def _columns(self, root: str) -> set[str]:
        return {root, *(column for column, *_ in self._people.stretches(identifier(root), FOREVER - 1))}

    def _carried(self, seq: int) -> set[str]:
        """Return all identifiers that the messages after `seq` carry, and those that their aliases join."""
        query = (
            "SELECT event.who, event.body FROM message CROSS JOIN event ON event.who = message.who"
            " AND event.seq = message.seq WHERE message.seq > ? AND message.who <> ?"
        )
        return self._identifiers(fetch(self._db, query, (seq, PARKED)))

    def _identifiers(self, rows: list[tuple[str, bytes]]) -> set[str]:
        found = {who for who, _ in rows}
        for event in events([body for _, body in rows if body]):
            carried = (("u", event.user), ("e", event.email), ("a", event.anonymous))
            found.update(kind + value for kind, value in carried if value)
            if event.type == "alias" and event.user:
                members = fetch(
                    self._db,
                    "SELECT member FROM joined WHERE root = (SELECT root FROM joined WHERE member = ?)",
                    (f"u{event.user}",),
                )
                for (member,) in members:
                    found |= {member, f"a{member[1:]}"}
        return found

    def _changed(self, change: int) -> set[str]:
        """Return the identifiers of events that were changed or removed after that change."""
        rows = fetch(self._db, "SELECT DISTINCT seq, who FROM event_change WHERE id > ?", (change,))
        found = {who for _, who in rows if who != PARKED}
        now = (
            "SELECT event.who, event.body FROM message CROSS JOIN event ON event.who = message.who"
            " AND event.seq = message.seq WHERE message.seq = ?"
        )
        stored = [row for seq, _ in rows for row in fetch(self._db, now, (seq,)) if row[0] != PARKED]
        return found | self._identifiers(stored)

    def _owners(self, columns: Iterable[str]) -> set[str]:
        """Return the roots that hold these identifiers now, in any stretch of time."""
        found: set[str] = set()
        for column in columns:
            if column[0] == "u":
                found.add(self._root(column))
                continue
            held = fetch(self._db, "SELECT DISTINCT owner FROM holding WHERE identifier = ?", (column,))
            found |= self._owners(owner for (owner,) in held)
            if self._leads_nowhere(column):
                found.add(column)
        return found
