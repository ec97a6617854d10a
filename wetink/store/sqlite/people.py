"""People: following holdings from an identifier to a profile, and from a profile back to its events."""

from collections.abc import Iterable, Iterator, Sequence

import apsw

from wetink.core.identifier import Identifier
from wetink.core.identity import FOREVER, Moves
from wetink.ports import Profile
from wetink.store.sqlite.codec import events, identifier, level_of, who
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

Stretch = tuple[str, int, int, Moves]
"""A column value, the [since, until) in which its events belong to the profile, and which of them do."""

RECENT = 2_000
"""How many of the newest messages are looked through for the list of recent profiles."""


class People:
    """Reads over one connection; holds nothing of its own."""

    def __init__(self, db: apsw.Connection) -> None:
        """Read through `db`."""
        self._db = db

    def root(self, of: Identifier, at: int) -> Identifier:
        """Return who `of` belongs to at `at` (Unix ms), following the chain anonymous, email, user."""
        column = self.owner(of, at)
        row = first(self._db, SQL.root_of, (column,)) if column[0] == "u" else None
        return identifier(row[0] if row else column)

    def owner(self, of: Identifier, at: int) -> str:
        """Return the column value of who `of` belongs to at `at`, where users that an alias joined stand apart."""
        column = who(of)
        while column[0] != "u":
            row = first(self._db, SQL.led_to, (column, at))
            if row is None:
                break
            column = row[0]
        return column

    def root_of_event(self, filed: Identifier, at: int, level: str) -> Identifier:
        """Return whose an event is that was filed so and told at this level at `at` (Unix ms)."""
        column, moved = who(filed), "browser" if level == "browser" else "server"
        while column[0] != "u":
            row = first(self._db, SQL.owner_at, (column, at, moved))
            if row is None:
                break
            column = row[0]
        row = first(self._db, SQL.root_of, (column,)) if column[0] == "u" else None
        return identifier(row[0] if row else column)

    def stretches(self, of: Identifier, at: int) -> list[Stretch]:
        """Return where the events lie of whoever `of` means at `at`."""
        column = self.owner(of, at)
        if column[0] == "a" and first(self._db, SQL.held, (column,)) is not None:
            return [(column, -FOREVER, FOREVER, "server")]  # what pages told of it is somebody else's
        return list(self._reach(column, -FOREVER, FOREVER, "all"))

    def _reach(self, column: str, since: int, until: int, moves: Moves) -> Iterator[Stretch]:
        for member in self.members(column):
            yield member, since, until, moves
            if member[0] == "a":
                continue  # nothing is weaker: nobody ever belongs to an anonymous id
            for weaker, start, end, which in fetch(self._db, SQL.held_by, (member,)):
                start, end = max(start, since), min(end, until)
                if start < end:
                    yield from self._reach(weaker, start, end, which)

    def members(self, column: str) -> Sequence[str]:
        """Return the column values of all users that are one person with this one; itself alone for any other."""
        if column[0] != "u":
            return (column,)
        members = [member for (member,) in fetch(self._db, SQL.joined_with, (column,))]
        return members or (column,)

    def profile(self, of: Identifier, at: int) -> Profile:
        """Return the profile `of` means at `at` and the identifiers that lead to it then, strongest first."""
        root = self.root(of, at)
        reach = self._reach(who(root), -FOREVER, FOREVER, "all")
        lead = {column for column, since, until, _ in reach if since <= at < until}
        carried = (column for column in lead if self._carried(column))
        return Profile(root, tuple(sorted(map(identifier, carried), key=_strongest_first)))

    def _carried(self, column: str) -> bool:
        """Whether some message carried this identifier as its own, rather than an alias as its previousId alone."""
        if first(self._db, SQL.carried, (column,)):
            return True
        return any(
            event.anonymous == column[1:]
            for (stronger,) in fetch(self._db, SQL.claimers, (column,))
            for event in events([body for (body,) in fetch(self._db, SQL.events_filed_under, (stronger,))])
        )

    def recent(self, limit: int) -> list[Profile]:
        """Return the profiles of the newest messages, newest first."""
        columns = [column for (column,) in fetch(self._db, SQL.recent_identifiers, (RECENT,))]
        return self._profiles(columns, limit)

    def found(self, search: str, limit: int) -> list[Profile]:
        """Return profiles with an identifier whose value starts with `search`."""
        columns: list[str] = []
        for kind in "uea":
            for query in (SQL.next_identifier_filed, SQL.next_identifier_held):
                columns += self._walk(query, kind + search, limit)
        return self._profiles(columns, limit)

    def _walk(self, query: str, prefix: str, limit: int) -> Iterator[str]:
        """Hop from one identifier to the next in the cluster, whatever number of events each has."""
        last, end = prefix, prefix + "\U0010ffff"
        exact = first(self._db, SQL.carried, (prefix,))
        if exact:
            yield prefix
        for _ in range(limit):
            row = first(self._db, query, (last, end))
            if row is None:
                return
            last = row[0]
            yield last

    def _profiles(self, columns: Sequence[str], limit: int) -> list[Profile]:
        roots: dict[Identifier, None] = {}
        for column in columns:
            roots.setdefault(self.root(identifier(column), FOREVER - 1))
            if len(roots) == limit:
                break
        return [self.profile(root, FOREVER - 1) for root in roots]


def of_stretch(bodies: Iterable[bytes], moves: Moves) -> list[bytes]:
    """Return those events of a stretch that belong to the profile."""
    if moves == "all":
        return list(bodies)
    return [body for body in bodies if (level_of(body) == "browser") == (moves == "browser")]


def _strongest_first(each: Identifier) -> tuple[int, str]:
    return ("user", "email", "anonymous").index(each.kind), each.value
