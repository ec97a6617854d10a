"""Profiles: whose events are whose, read for opens, reports and the dashboard."""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence

from wetink.core.events.event import Entry, Event
from wetink.core.identity.holding import Contested
from wetink.core.identity.identifier import Identifier
from wetink.ports import ENTRY_BYTES, NAMES, Profile
from wetink.store.sqlite import identity, summaries
from wetink.store.sqlite.codec import entries, events, identifier
from wetink.store.sqlite.connection import fetch, translated
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.people import FEW, People
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")


class SQLiteProfiles:
    """`ports.Profiles` over the main file."""

    def __init__(self, database: Database) -> None:
        """Read there."""
        self._database = database

    async def resolve(self, who: Identifier, at: int) -> Identifier:
        with translated("looking up an identifier"):
            return People(self._database.reading).root(who, at)

    async def profile(
        self, who: Identifier, at: int, *, limit: int | None = NAMES, after: Identifier | None = None
    ) -> Profile:
        with translated("reading a profile"):
            people = People(self._database.reading)
            if len(people.stretches(who, at, FEW + 1)) > FEW:
                return await self._database.aside(lambda db: People(db).profile(who, at, limit, after))
            return people.profile(who, at, limit, after)

    async def history(self, who: Identifier, until: int, limit: int = 1000) -> Sequence[Event]:
        found = await self._newest(who, until, limit)
        found.sort()
        return events([body for _, body in found[-limit:]])

    async def entries(self, who: Identifier, until: int, limit: int = 1000) -> Sequence[Entry]:
        found = await self._newest(who, until, limit)
        if len(found) > limit or sum([len(body) for _, body in found]) > ENTRY_BYTES:
            found.sort(reverse=True)
            sizes = itertools.accumulate(len(body) for _, body in found[:limit])
            found = found[: bisect_right(list(sizes), ENTRY_BYTES)]
        return entries([body for _, body in found])

    async def _newest(self, who: Identifier, until: int, limit: int) -> list[tuple[int, bytes]]:
        """Return when, and what, of at least the newest `limit` events, in no order."""
        with translated("reading a history"):
            found = People(self._database.reading).newest_of_few(who, until, limit)
            if found is None:
                found = await self._database.aside(lambda db: People(db).newest(who, until, limit))
            return found

    async def profiles(self, *, limit: int = 50, search: str = "") -> Sequence[Profile]:
        with translated("listing profiles"):
            people = People(self._database.reading)
            return people.found(search, limit) if search else people.recent(limit)

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        with translated("looking for contested identifiers"):
            rows = fetch(self._database.reading, SQL.contested, (since, limit))
        return [Contested(identifier(column), claimers, at) for column, claimers, at in rows]

    async def summary(self, who: Identifier, rules: int) -> bytes | None:
        with translated("reading a summary"):
            return summaries.find(self._database.reading, who, rules)

    async def summarize(self, make: Callable[[Sequence[Entry]], bytes], rules: int, now: int, limit: int) -> bool:
        with translated("looking for whom to sum up"):
            if not summaries.behind(self._database.reading, rules, now, limit):
                return False
        await self._database.write(lambda db: summaries.go_on(db, make, rules, now, limit))
        return True

    async def rebuild(self) -> None:
        await self._database.write(identity.rebuild)
