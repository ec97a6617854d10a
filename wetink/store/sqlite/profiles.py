"""Profiles: follows holdings from an identifier to a profile, and from a profile back to its events.

An open reads a person's summary, which is made in the background (see `summaries`), else their events.
"""

import itertools
import json
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import apsw

from wetink.core.events.event import Entry, Event
from wetink.core.identity.holding import FOREVER, Contested, Moves
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.summary import Summary
from wetink.ports import ENTRIES, ENTRY_BYTES, NAMES, Loaded, Profile, Revision
from wetink.store.codec import array, entries, events, fingerprint, identifier, level_of, who
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch, first, snapshot, translated

if TYPE_CHECKING:
    from wetink.store.sqlite.database import Database

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

AT_ONCE = 10
"""Profiles that the event loop reads at once. More are read in a thread."""
REMEMBERED = 10_000
"""Profiles whose revision is cached until the next write."""
_AT = itemgetter(0)

Make = Callable[[Sequence[Entry]], Summary]


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

    def newest(self, of: Identifier, until: int, limit: int, at: int | None = None) -> Found:
        """Return the newest `limit` events up to `until`, for any number of stretches of the owner at `at`."""
        start = self._start(self.owner(of, until if at is None else at))
        rows = fetch(self._db, SQL.newest_reached, (start, FOREVER, until, limit))
        return Found(rows, blake2b(array([body for _, body in rows]), digest_size=DIGEST).hexdigest())

    def newest_of_few(self, of: Identifier, until: int, limit: int, at: int | None = None) -> Found | None:
        """Return these and maybe more events; None if there are too many stretches."""
        found: list[tuple[int, bytes]] = []
        sums: list[object] = []
        with snapshot(self._db):
            stretches = self.stretches(of, until if at is None else at, FEW + 1)
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


def of_stretch(bodies: Iterable[bytes], moves: Moves) -> list[bytes]:
    """Return the events of a stretch that belong to the profile."""
    if moves == "all":
        return list(bodies)
    return [body for body in bodies if (level_of(body) == "browser") == (moves == "browser")]


def summary_of(db: apsw.Connection, column: str, rules: int, *, brief: bool) -> tuple[Loaded, int] | None:
    """Return the valid summary of an identifier's profile by these rules, and the time of its newest event (Unix ms).

    Returns None without one. With `brief`, SQLite does not read the pages that have the history.
    """
    row = first(db, SUMMARIES.brief if brief else SUMMARIES.summary, (summary_id(column), column, rules))
    if row is None:
        return None
    root, revision, newest, *parts = row
    return Loaded(identifier(root), revision, summary=Summary(*parts)), newest


def summary_id(column: str) -> int:
    """Return the key of a summary, of the column value of an identifier."""
    return fingerprint("summary", column)


class SQLiteProfiles:
    """`ports.Profiles` over the main file."""

    def __init__(self, database: "Database", summarize: Callable[[Make, int, int, int], Awaitable[bool]]) -> None:
        """Read the profiles of `database`. `summarize` is that of `summaries`, which writes there."""
        self._database, self._summarize = database, summarize
        self._version: int | None = None
        self._standing: dict[Identifier, tuple[Revision, int]] = {}  # at that version; from which moment on

    async def resolve(self, who: Identifier, at: int) -> Identifier:
        with translated("looking up an identifier"):
            return People(self._database.reading).root(who, at)

    async def profile(
        self, who: Identifier, at: int, *, limit: int | None = NAMES, after: Identifier | None = None
    ) -> Profile:
        with translated("reading a profile"):
            people = People(self._database.reading)
            if len(people.stretches(who, at, FEW + 1)) > FEW:
                return await self._database.in_reader(lambda db: People(db).profile(who, at, limit, after))
            return people.profile(who, at, limit, after)

    async def history(
        self, who: Identifier, until: int, limit: int = 1000, *, owner_at: int | None = None
    ) -> Sequence[Event]:
        with translated("reading a history"):
            found = People(self._database.reading).newest_of_few(who, until, limit, owner_at)
            if found is None:
                found = await self._database.in_reader(lambda db: People(db).newest(who, until, limit, owner_at))
        return events([body for _, body in sorted(found.rows)[-limit:]])

    async def load(
        self, known: Mapping[Identifier, Revision], at: int, *, rules: int | None = None, brief: bool = False
    ) -> Mapping[Identifier, Loaded]:
        with translated("reading profiles"):
            version = self._database.version()
            if version is None or version != self._version or len(self._standing) > REMEMBERED:
                self._version, self._standing = version, {}
            missing = {who: known[who] for who in known if not self._stands(who, known[who], at)}
            found = None
            if len(missing) <= AT_ONCE:
                found = _load(self._database.reading, missing, at, rules, brief=brief, few=True)
            if found is None:
                found = await self._database.in_reader(lambda db: _load(db, missing, at, rules, brief=brief, few=False))
            loaded: dict[Identifier, Loaded] = {}
            for who, (profile, newest) in (found or {}).items():
                if version is not None and version == self._version:
                    self._standing[who] = profile.revision, newest
                if profile.revision != known[who]:
                    loaded[who] = profile
            return loaded

    def _stands(self, who: Identifier, revision: Revision, at: int) -> bool:
        """Return whether a profile is known to have this revision, and nothing was written since."""
        standing = self._standing.get(who)
        return standing is not None and standing[0] == revision and standing[1] <= at

    async def profiles(self, *, limit: int = 50, search: str = "") -> Sequence[Profile]:
        def listed(db: apsw.Connection) -> Sequence[Profile]:
            return People(db).found(search, limit) if search else People(db).recent(limit)

        with translated("listing profiles"):
            return await self._database.in_reader(listed)  # a thousand take 0.2 s

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        with translated("looking for contested identifiers"):
            rows = fetch(self._database.reading, SQL.contested, (since, limit))
        return [Contested(identifier(column), claimers, at) for column, claimers, at in rows]

    async def summarize(self, make: Make, rules: int, now: int, limit: int) -> bool:
        return await self._summarize(make, rules, now, limit)


def _load(
    db: apsw.Connection, known: Mapping[Identifier, Revision], at: int, rules: int | None, *, brief: bool, few: bool
) -> dict[Identifier, tuple[Loaded, int]] | None:
    """Return profiles, each with the moment from which it is valid; None if one is too large for `few`.

    Profiles with the known revision are not decoded.
    """
    loaded: dict[Identifier, tuple[Loaded, int]] = {}
    with snapshot(db):
        for who, revision in known.items():
            found = _one(db, who, revision, at, rules, brief=brief, few=few)
            if found is None:
                return None
            loaded[who] = found
    return loaded


def _one(
    db: apsw.Connection, who: Identifier, known: Revision, at: int, rules: int | None, *, brief: bool, few: bool
) -> tuple[Loaded, int] | None:
    people = People(db)
    kept = summary_of(db, people.owner(who, FOREVER - 1), rules, brief=brief) if rules is not None else None
    if kept is not None and kept[1] <= at:
        return kept

    def read(who: Identifier, until: int, limit: int) -> Found | None:
        return people.newest_of_few(who, until, limit) or (None if few else people.newest(who, until, limit))

    found, lasting = read(who, FOREVER - 1, ENTRIES), FOREVER
    if found is not None and (newest := max(map(_AT, found.rows), default=0)) <= at:
        lasting = newest
    elif found is not None:  # some of its events are after `at` and may belong to others then
        found = read(who, at, ENTRIES)
    if found is None:
        return None
    root = people.root(who, FOREVER - 1 if lasting < FOREVER else at)
    revision = revision_of(found, root)
    rows = found.rows if revision != known else []
    if len(rows) > ENTRIES or sum([len(body) for _, body in rows]) > ENTRY_BYTES:
        rows.sort(reverse=True)
        sizes = itertools.accumulate(len(body) for _, body in rows[:ENTRIES])
        rows = rows[: bisect_right(list(sizes), ENTRY_BYTES)]
    return Loaded(root, revision, entries([body for _, body in rows])), lasting
