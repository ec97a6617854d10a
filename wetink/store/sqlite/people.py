"""People: following holdings from an identifier to a profile, and from a profile back to its events."""

from collections.abc import Iterator, Sequence

import apsw

from wetink.core.identifier import Identifier
from wetink.core.identity import FOREVER
from wetink.ports import Profile
from wetink.store.sqlite.codec import events, identifier, who
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

Stretch = tuple[str, int, int]
"""A column value and the [since, until) in which its events belong to the profile."""

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
            row = first(self._db, SQL.holding_at, (column, at))
            if row is None:
                break
            column = row[2]
        return column

    def stretches(self, of: Identifier, at: int) -> list[Stretch]:
        """Return where the events lie of whoever `of` means at `at`."""
        return list(self._reach(self.owner(of, at), -FOREVER, FOREVER))

    def _reach(self, column: str, since: int, until: int) -> Iterator[Stretch]:
        for member in self.members(column):
            yield member, since, until
            if member[0] == "a":
                continue  # nothing is weaker: nobody ever belongs to an anonymous id
            for weaker, start, end in fetch(self._db, SQL.held_by, (member,)):
                start, end = max(start, since), min(end, until)
                if start < end:
                    yield from self._reach(weaker, start, end)

    def members(self, column: str) -> Sequence[str]:
        """Return the column values of all users that are one person with this one; itself alone for any other."""
        if column[0] != "u":
            return (column,)
        members = [member for (member,) in fetch(self._db, SQL.joined_with, (column,))]
        return members or (column,)

    def profile(self, of: Identifier, at: int) -> Profile:
        """Return the profile `of` means at `at` and the identifiers that lead to it then, strongest first."""
        root = self.root(of, at)
        lead = {column for column, since, until in self._reach(who(root), -FOREVER, FOREVER) if since <= at < until}
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


def _strongest_first(each: Identifier) -> tuple[int, str]:
    return ("user", "email", "anonymous").index(each.kind), each.value
