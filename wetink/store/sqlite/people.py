"""People: following holdings from an identifier to a profile, and from a profile back to its events."""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import apsw

from wetink.core.identity.holding import FOREVER, Moves
from wetink.core.identity.identifier import Identifier
from wetink.ports import NAMES, Profile, Revision
from wetink.store.sqlite.codec import array, events, identifier, level_of, who
from wetink.store.sqlite.connection import fetch, first, snapshot
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

Stretch = tuple[str, int, int, Moves]
"""A column value, the [since, until) in which its events belong to the profile, and which of them do."""

DIGEST = 12
"""Bytes by which one state of somebody's events is told from another."""


class Found(NamedTuple):
    """When, and what, of somebody's events, in no order; `digest` tells them from any others that they had or get.

    It need not look at events: within a stretch more of them come, a duplicate makes the time of one smaller, and else
    only a replay changes any.
    """

    rows: list[tuple[int, bytes]]
    digest: str


def revision_of(found: Found, root: Identifier) -> Revision:
    """Return the revision of a profile with this root and these events."""
    return f"{found.digest}{root}"


RECENT = 2_000
"""How many of the newest messages are looked through for the list of recent profiles."""

FEW = 64
"""Stretches of a person that are read one after the other; of more, all are read at once, in a thread."""

FIRST = "~"
"""Comes before every column value in the order of their kinds: users, addresses, anonymous ids."""


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

    def stretches(self, of: Identifier, at: int, most: int = -1) -> list[Stretch]:
        """Return where the events lie of whoever `of` means at `at`: all of these stretches, or `most` of them."""
        column = self.owner(of, at)
        if column[0] == "a" and first(self._db, SQL.held, (column,)) is not None:
            return [(column, -FOREVER, FOREVER, "server")]  # what pages told of it is somebody else's
        reach = self._reach(column, -FOREVER, FOREVER, "all", most)
        return list(reach if most < 0 else islice(reach, most))

    def _reach(self, column: str, since: int, until: int, moves: Moves, most: int) -> Iterator[Stretch]:
        for member in self.members(column):
            yield member, since, until, moves
            if member[0] == "a":
                continue  # nothing is weaker: nobody ever belongs to an anonymous id
            for weaker, start, end, which in fetch(self._db, SQL.held_by, (member, most)):
                start, end = max(start, since), min(end, until)
                if start < end or most > 0:  # among the first few an empty one counts as well: there may be more
                    yield from self._reach(weaker, start, end, which, most)

    def newest(self, of: Identifier, until: int, limit: int) -> Found:
        """Return the newest `limit` events up to `until`, however many stretches they lie in."""
        start = self._start(self.owner(of, until))
        rows = fetch(self._db, SQL.newest_reached, (start, FOREVER, until, limit))
        return Found(rows, blake2b(array([body for _, body in rows]), digest_size=DIGEST).hexdigest())

    def newest_of_few(self, of: Identifier, until: int, limit: int) -> Found | None:
        """Return the same, and maybe more; None of somebody whose events lie in many places."""
        found: list[tuple[int, bytes]] = []
        sums: list[object] = []
        with snapshot(self._db):
            stretches = self.stretches(of, until, FEW + 1)
            if len(stretches) > FEW:
                return None
            for stretch in stretches:
                column, since, end, moves = stretch
                span = (column, since, min(end, until + 1))
                rows = fetch(self._db, SQL.newest_events, (*span, limit))
                if len(rows) == limit:  # there may be more: those without a time of their own stand at the far end
                    rows = list({*rows, *fetch(self._db, SQL.untimed_events, (*span, limit))})
                sums += (stretch, len(rows), sum([row[0] for row in rows]), sum([row[2] for row in rows]))
                found += [row[:2] for row in rows if moves == "all" or of_stretch(row[1:2], moves)]
            sums.append(self._db.execute(SQL.replays).get)
        return Found(found, blake2b(repr(sums).encode("utf-8", "surrogatepass"), digest_size=DIGEST).hexdigest())

    def _start(self, column: str) -> str:
        return json.dumps(list(self.members(column)))

    def members(self, column: str) -> Sequence[str]:
        """Return the column values of all users that are one person with this one; itself alone for any other."""
        if column[0] != "u":
            return (column,)
        members = [member for (member,) in fetch(self._db, SQL.joined_with, (column,))]
        return members or (column,)

    def profile(self, of: Identifier, at: int, limit: int | None, after: Identifier | None = None) -> Profile:
        """Return the profile `of` means at `at` and the identifiers that lead to it then, strongest first.

        At most `limit` of them, those that come behind `after`.
        """
        root = self.root(of, at)
        behind = who(after) if after is not None else FIRST
        most = -1 if limit is None else limit
        lead = fetch(self._db, SQL.leading, (self._start(who(root)), at, behind, most))
        return Profile(root, tuple(identifier(column) for (column,) in lead if self._carried(column)))

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
        return [self.profile(root, FOREVER - 1, NAMES) for root in roots]


def prepare(db: apsw.Connection) -> None:
    """Make a connection fit for `People.newest`."""
    db.create_scalar_function("told_by", _told_by, 1, deterministic=True)


def _told_by(*of: Any) -> str:
    return "browser" if level_of(of[0]) == "browser" else "server"


def of_stretch(bodies: Iterable[bytes], moves: Moves) -> list[bytes]:
    """Return those events of a stretch that belong to the profile."""
    if moves == "all":
        return list(bodies)
    return [body for body in bodies if (level_of(body) == "browser") == (moves == "browser")]
