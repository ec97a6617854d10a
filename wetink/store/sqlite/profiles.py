"""Profiles: events and identifiers of people, read for opens, reports and the dashboard."""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

import apsw

from wetink.core.events.event import Entry, Event
from wetink.core.identity.holding import FOREVER, Contested
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.summary import Summary
from wetink.ports import ENTRIES, ENTRY_BYTES, NAMES, Loaded, Profile, Revision
from wetink.store.codec import entries, events, identifier
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch, snapshot, translated
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.people import FEW, Found, People, revision_of, summaries_behind, summarize, summary_of

SQL = queries(__package__, "queries.sql")
AT_ONCE = 10
"""Profiles that the event loop reads at once. More are read in a thread."""
REMEMBERED = 10_000
"""Profiles whose revision is cached until the next write."""
_AT = itemgetter(0)


class SQLiteProfiles:
    """`ports.Profiles` over the main file."""

    def __init__(self, database: Database) -> None:
        self._database = database
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

    async def history(self, who: Identifier, until: int, limit: int = 1000) -> Sequence[Event]:
        with translated("reading a history"):
            found = People(self._database.reading).newest_of_few(who, until, limit)
            if found is None:
                found = await self._database.in_reader(lambda db: People(db).newest(who, until, limit))
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
        with translated("listing profiles"):
            people = People(self._database.reading)
            return people.found(search, limit) if search else people.recent(limit)

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        with translated("looking for contested identifiers"):
            rows = fetch(self._database.reading, SQL.contested, (since, limit))
        return [Contested(identifier(column), claimers, at) for column, claimers, at in rows]

    async def summarize(self, make: Callable[[Sequence[Entry]], Summary], rules: int, now: int, limit: int) -> bool:
        with translated("looking for whom to sum up"):
            if not summaries_behind(self._database.reading, rules, now, limit):
                return False
        await self._database.write(lambda db: summarize(db, make, rules, now, limit))
        return True


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
