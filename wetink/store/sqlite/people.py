"""People: follows holdings from an identifier to a profile, and from a profile back to its events.

Their summaries are made in the background, and an open only reads one. So code that writes an event calls
`drop_summaries_of` in the same transaction, and code that changes the owners or the contents of events calls
`drop_summaries_about`: claims that move a stretch, aliases, replays.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import apsw
import msgspec

from wetink.core.events.event import Entry
from wetink.core.identity.holding import FOREVER, Moves
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.summary import Summary
from wetink.ports import ENTRIES, ENTRY_BYTES, NAMES, Loaded, Profile, Revision
from wetink.store.codec import array, entries, events, fingerprint, identifier, level_of, who
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch, first, snapshot

logger = logging.getLogger(__name__)
SQL, SUMMARIES = queries(__package__, "queries.sql"), queries(__package__, "summaries_queries.sql")

Stretch = tuple[str, int, int, Moves]
"""A column value, the span [since, until) whose events belong to the profile, and which of them do."""

DIGEST = 12
"""Bytes of the digest of a profile's events."""


RECENT = 2_000
"""Newest messages scanned for the list of recent profiles."""

FEW = 64
"""Stretches of a person that are read one by one. More are read at once, in a thread."""

FIRST = "~"
"""Sorts before every column value in the order of kinds: users, addresses, anonymous ids."""

FEWEST = 12
"""Minimum events for a summary: fewer are folded as fast."""

QUIET_MS = 30 * 60_000
"""How long a person must be quiet before they get a summary, in milliseconds: a visit is over."""

Make = Callable[[Sequence[Entry]], Summary]

_json = msgspec.json.Encoder().encode


class Found(NamedTuple):
    """Times and bodies of a person's events, in no order. `digest` identifies this state of them.

    It does not depend on the bodies: within a stretch events are only added, a duplicate lowers the time of one, and
    any other change comes from a replay.
    """

    rows: list[tuple[int, bytes]]
    digest: str


def revision_of(found: Found, root: Identifier) -> Revision:
    """Return the revision of a profile with this root and these events."""
    return f"{found.digest}{root}"


class People:
    """Reads over one connection, without state."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def root(self, of: Identifier, at: int) -> Identifier:
        """Return the root that owns `of` at `at` (Unix ms), following the chain from anonymous to email to user."""
        column = self.owner(of, at)
        row = first(self._db, SQL.root_of, (column,)) if column[0] == "u" else None
        return identifier(row[0] if row else column)

    def owner(self, of: Identifier, at: int) -> str:
        """Return the column value of the owner of `of` at `at`, without following aliases of users."""
        column = who(of)
        while column[0] != "u":
            row = first(self._db, SQL.led_to, (column, at))
            if row is None:
                break
            column = row[0]
        return column

    def root_of_event(self, filed: Identifier, at: int, level: str) -> Identifier:
        """Return the root that owns an event filed under `filed`, with this level, at `at` (Unix ms)."""
        column, moved = who(filed), "browser" if level == "browser" else "server"
        while column[0] != "u":
            row = first(self._db, SQL.owner_at, (column, at, moved))
            if row is None:
                break
            column = row[0]
        row = first(self._db, SQL.root_of, (column,)) if column[0] == "u" else None
        return identifier(row[0] if row else column)

    def stretches(self, of: Identifier, at: int, most: int = -1) -> list[Stretch]:
        """Return the stretches of the profile that owns `of` at `at`: all, or the first `most`."""
        column = self.owner(of, at)
        if column[0] == "a" and first(self._db, SQL.held, (column,)) is not None:
            return [(column, -FOREVER, FOREVER, "server")]  # events from pages belong to somebody else
        reach = self._reach(column, -FOREVER, FOREVER, "all", most)
        return list(reach if most < 0 else islice(reach, most))

    def _reach(self, column: str, since: int, until: int, moves: Moves, most: int) -> Iterator[Stretch]:
        for member in self.members(column):
            yield member, since, until, moves
            if member[0] == "a":
                continue  # nothing is weaker: no identifier ever belongs to an anonymous id
            for weaker, start, end, which in fetch(self._db, SQL.held_by, (member, most)):
                start, end = max(start, since), min(end, until)
                if start < end or most > 0:  # with a limit, an empty one counts: there may be more
                    yield from self._reach(weaker, start, end, which, most)

    def newest(self, of: Identifier, until: int, limit: int) -> Found:
        """Return the newest `limit` events up to `until`, for any number of stretches."""
        start = self._start(self.owner(of, until))
        rows = fetch(self._db, SQL.newest_reached, (start, FOREVER, until, limit))
        return Found(rows, blake2b(array([body for _, body in rows]), digest_size=DIGEST).hexdigest())

    def newest_of_few(self, of: Identifier, until: int, limit: int) -> Found | None:
        """Return these and maybe more events; None if there are too many stretches."""
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
                if len(rows) == limit:  # there may be more: events without their own time sort last
                    rows = list({*rows, *fetch(self._db, SQL.untimed_events, (*span, limit))})
                sums += (stretch, len(rows), sum([row[0] for row in rows]), sum([row[2] for row in rows]))
                found += [row[:2] for row in rows if moves == "all" or of_stretch(row[1:2], moves)]
            sums.append(self._db.execute(SQL.replays).get)
        return Found(found, blake2b(repr(sums).encode("utf-8", "surrogatepass"), digest_size=DIGEST).hexdigest())

    def _start(self, column: str) -> str:
        return json.dumps(list(self.members(column)))

    def members(self, column: str) -> Sequence[str]:
        """Return the column values of all users joined with this one; only itself for any other identifier."""
        if column[0] != "u":
            return (column,)
        members = [member for (member,) in fetch(self._db, SQL.joined_with, (column,))]
        return members or (column,)

    def profile(self, of: Identifier, at: int, limit: int | None, after: Identifier | None = None) -> Profile:
        """Return the profile that owns `of` at `at` and the identifiers that lead to it then, strongest first.

        At most `limit` of them, those after `after`.
        """
        root = self.root(of, at)
        lead = self.leading(root, at, limit, after)
        return Profile(root, tuple(each for each in lead if self._carried(who(each))))

    def leading(
        self, root: Identifier, at: int, limit: int | None, after: Identifier | None = None
    ) -> tuple[Identifier, ...]:
        """Return the identifiers that lead to `root` at `at`, strongest first, whether or not a message had them."""
        behind = who(after) if after is not None else FIRST
        lead = fetch(self._db, SQL.leading, (self._start(who(root)), at, behind, -1 if limit is None else limit))
        return tuple(identifier(column) for (column,) in lead)

    def _carried(self, column: str) -> bool:
        """Return whether a message had this identifier as its own, not only as an alias's previousId."""
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
        """Return the profiles with an identifier whose value starts with `search`."""
        columns: list[str] = []
        for kind in "uea":
            for query in (SQL.next_identifier_filed, SQL.next_identifier_held):
                columns += self._walk(query, kind + search, limit)
        return self._profiles(columns, limit)

    def _walk(self, query: str, prefix: str, limit: int) -> Iterator[str]:
        """Yield identifiers by skipping from one to the next in the cluster, for any number of events each."""
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
    """Add the SQL function that `People.newest` needs."""
    db.create_scalar_function("sender_of", _sender_of, 1, deterministic=True)


def _sender_of(*of: Any) -> str:
    return "browser" if level_of(of[0]) == "browser" else "server"


def of_stretch(bodies: Iterable[bytes], moves: Moves) -> list[bytes]:
    """Return the events of a stretch that belong to the profile."""
    if moves == "all":
        return list(bodies)
    return [body for body in bodies if (level_of(body) == "browser") == (moves == "browser")]


def summary_of(db: apsw.Connection, column: str, rules: int, *, brief: bool) -> tuple[Loaded, int] | None:
    """Return the valid summary of an identifier's profile by these rules, and the time of its newest event (Unix ms).

    Returns None without one. With `brief`, SQLite does not read the pages that have the history.
    """
    row = first(db, SUMMARIES.brief if brief else SUMMARIES.summary, (_id(column), column, rules))
    if row is None:
        return None
    root, revision, newest, *parts = row
    return Loaded(identifier(root), revision, summary=Summary(*parts)), newest


def _id(column: str) -> int:
    return fingerprint("summary", column)


def drop_summaries_of(db: apsw.Connection, columns: Collection[str]) -> None:
    """Drop every summary that includes events filed under these identifiers: new ones have come."""
    if not columns or not db.execute(SUMMARIES.some).get:
        return
    listed = _json(list(map(_id, columns))).decode()
    db.execute(SUMMARIES.delete, (listed,))
    if ids := [id_ for (id_,) in fetch(db, SUMMARIES.with_them, (listed,))]:
        db.execute(SUMMARIES.delete, (_json(ids).decode(),))
        db.execute(SUMMARIES.delete_with, (listed,))


def drop_summaries_about(db: apsw.Connection, columns: Iterable[str]) -> None:
    """Drop every summary that includes, or may come to include, events filed under these identifiers."""
    people, seen, waiting = People(db), set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        waiting += people.members(column)
        waiting += [owner for (owner,) in fetch(db, SUMMARIES.owners, (column,))]
    drop_summaries_of(db, seen)


def summaries_behind(db: apsw.Connection, rules: int, now: int, limit: int) -> bool:
    """Return whether there are messages for `summarize` to process."""
    seq: int = db.execute(SUMMARIES.place, (rules,)).get
    return bool(db.execute(SUMMARIES.quiet, (seq, seq + limit, now - QUIET_MS)).get > seq)


def summarize(db: apsw.Connection, make: Make, rules: int, now: int, limit: int) -> None:
    """Make summaries of the people of the next `limit` messages who were quiet before `now` (Unix ms)."""
    seq: int = db.execute(SUMMARIES.place, (rules,)).get
    end: int = db.execute(SUMMARIES.quiet, (seq, seq + limit, now - QUIET_MS)).get
    people = People(db)
    senders = [column for (column,) in fetch(db, SUMMARIES.heard_from, (seq, end))]
    owners = {people.owner(identifier(column), FOREVER - 1) for column in senders}
    for owner in {member for each in owners for member in people.members(each)}:
        if summary_of(db, owner, rules, brief=True) is None:
            _put(db, make, rules, owner, now)
    db.execute(SUMMARIES.go_on, (end, rules))


def _put(db: apsw.Connection, make: Make, rules: int, owner: str, now: int) -> None:
    people, whose = People(db), identifier(owner)
    found = people.newest_of_few(whose, FOREVER - 1, ENTRIES)
    if found is None or not FEWEST <= len(found.rows) < ENTRIES:
        return  # many stretches take too long and would delay writers
    newest = max(at for at, _ in found.rows)
    if newest > now - QUIET_MS or sum([len(body) for _, body in found.rows]) > ENTRY_BYTES:
        return  # with more bytes, an open folds only the newest
    try:
        summary = make(entries([body for _, body in found.rows]))
    except Exception:  # one person; opens fold their events, and the others get summaries
        logger.exception("a person cannot be summed up")
        return
    root = people.root(whose, FOREVER - 1)
    parts = summary.person, summary.history
    db.execute(SUMMARIES.put, (_id(owner), owner, rules, who(root), revision_of(found, root), newest, *parts))
    others = {column for column, *_ in people.stretches(whose, FOREVER - 1)} - {owner}
    db.executemany(SUMMARIES.put_with, [(_id(column), _id(owner)) for column in others])
