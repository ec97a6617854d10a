"""People: following holdings from an identifier to a profile, and from a profile back to its events.

Their summaries are made at leisure, and an open only looks one up. So whoever writes an event calls `drop_summaries_of`
in the same transaction, and whoever changes whose events are whose, or what they say, `drop_summaries_about`: claims
that move a stretch, aliases, replays.
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
from wetink.ports import ENTRIES, ENTRY_BYTES, NAMES, Profile, Revision
from wetink.store.sqlite.codec import array, entries, events, fingerprint, identifier, level_of, who
from wetink.store.sqlite.connection import fetch, first, read, snapshot

logger = logging.getLogger(__name__)
SQL, SUMMARIES = read("queries.sql"), read("summaries_queries.sql")

Stretch = tuple[str, int, int, Moves]
"""A column value, the [since, until) in which its events belong to the profile, and which of them do."""

DIGEST = 12
"""Bytes by which one state of somebody's events is told from another."""


RECENT = 2_000
"""How many of the newest messages are looked through for the list of recent profiles."""

FEW = 64
"""Stretches of a person that are read one after the other; of more, all are read at once, in a thread."""

FIRST = "~"
"""Comes before every column value in the order of their kinds: users, addresses, anonymous ids."""

FEWEST = 12
"""Events of those that have a summary: fewer are folded as fast."""

QUIET_MS = 30 * 60_000
"""How long somebody has been quiet before they get one: a visit is over."""

Make = Callable[[Sequence[Entry]], bytes]

_json = msgspec.json.Encoder().encode


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


class Summary(NamedTuple):
    """What was kept of a profile, of all its events: none of them is newer than `newest` (Unix ms)."""

    root: str
    revision: Revision
    newest: int
    body: bytes


def summary_of(db: apsw.Connection, column: str, rules: int) -> Summary | None:
    """Return the summary of whoever an identifier stands for, None without one by these rules that still holds."""
    row = first(db, SUMMARIES.summary, (_id(column), column, rules))
    return Summary(*row) if row else None


def _id(column: str) -> int:
    return fingerprint("summary", column)


def drop_summaries_of(db: apsw.Connection, columns: Collection[str]) -> None:
    """Drop every summary that events filed under these identifiers went into: more of them have come in."""
    if not columns or not db.execute(SUMMARIES.some).get:
        return
    listed = _json(list(map(_id, columns))).decode()
    db.execute(SUMMARIES.delete, (listed,))
    if ids := [id_ for (id_,) in fetch(db, SUMMARIES.with_them, (listed,))]:
        db.execute(SUMMARIES.delete, (_json(ids).decode(),))
        db.execute(SUMMARIES.delete_with, (listed,))


def drop_summaries_about(db: apsw.Connection, columns: Iterable[str]) -> None:
    """Drop every summary that events filed under these identifiers may be in, or may come to be in."""
    people, seen, waiting = People(db), set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        waiting += people.members(column)
        waiting += [owner for (owner,) in fetch(db, SUMMARIES.owners, (column,))]
    drop_summaries_of(db, seen)


def drop_all_summaries(db: apsw.Connection) -> None:
    """Drop them all."""
    db.execute(SUMMARIES.delete_all)


def summaries_behind(db: apsw.Connection, rules: int, now: int, limit: int) -> bool:
    """Whether there are messages for `summarize` to look at."""
    seq: int = db.execute(SUMMARIES.place, (rules,)).get
    return bool(db.execute(SUMMARIES.quiet, (seq, seq + limit, now - QUIET_MS)).get > seq)


def summarize(db: apsw.Connection, make: Make, rules: int, now: int, limit: int) -> None:
    """Make summaries of those whom the next `limit` messages are of, who have been quiet before `now` (Unix ms)."""
    seq: int = db.execute(SUMMARIES.place, (rules,)).get
    end: int = db.execute(SUMMARIES.quiet, (seq, seq + limit, now - QUIET_MS)).get
    people = People(db)
    heard_from = [column for (column,) in fetch(db, SUMMARIES.heard_from, (seq, end))]
    owners = {people.owner(identifier(column), FOREVER - 1) for column in heard_from}
    for owner in {member for each in owners for member in people.members(each)}:
        if summary_of(db, owner, rules) is None:
            _put(db, make, rules, owner, now)
    db.execute(SUMMARIES.go_on, (end, rules))


def _put(db: apsw.Connection, make: Make, rules: int, owner: str, now: int) -> None:
    people, whose = People(db), identifier(owner)
    found = people.newest_of_few(whose, FOREVER - 1, ENTRIES)
    if found is None or not FEWEST <= len(found.rows) < ENTRIES:
        return  # of many stretches: looking through so many would hold up whoever writes
    newest = max(at for at, _ in found.rows)
    if newest > now - QUIET_MS or sum([len(body) for _, body in found.rows]) > ENTRY_BYTES:
        return  # of more bytes an open folds the newest alone
    try:
        summary = make(entries([body for _, body in found.rows]))
    except Exception:  # of one person: opens fold their events, and the others get their summaries
        logger.exception("a person cannot be summed up")
        return
    root = people.root(whose, FOREVER - 1)
    db.execute(SUMMARIES.put, (_id(owner), owner, rules, who(root), revision_of(found, root), newest, summary))
    others = {column for column, *_ in people.stretches(whose, FOREVER - 1)} - {owner}
    db.executemany(SUMMARIES.put_with, [(_id(column), _id(owner)) for column in others])
