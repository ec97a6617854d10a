"""Profiles: events and identifiers of people, read for opens, reports and the dashboard.

Every read is one statement, so it sees one state; the functions that follow holdings and aliases are in the migrations.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wetink.core.events.event import Entry, Event
from wetink.core.identity.holding import FOREVER, Contested
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.summary import Summary
from wetink.ports import NAMES, Loaded, Profile, Revision
from wetink.store.codec import events, identifier, who
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.postgresql.loads import Loads
from wetink.store.postgresql.summaries import summarize
from wetink.store.queries import queries

SQL = queries(__package__, "profile_queries.sql")

RECENT = 2_000
"""Newest messages scanned for the list of recent profiles."""
FIRST = "~"
"""Sorts before every column value in the order of kinds: users, addresses, anonymous ids."""
LAST = "\U0010ffff"
"""Sorts after every character of an identifier."""


class PostgresProfiles:
    """`ports.Profiles`."""

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database, self._loads = database, Loads(database)

    async def resolve(self, who_: Identifier, at: int) -> Identifier:
        doing, given = "looking up an identifier", (SQL.root_of, who(who_), at)
        return identifier(await self._database.read(doing, lambda db: db.fetchval(*given), OPEN_SECONDS))

    async def profile(
        self, who_: Identifier, at: int, *, limit: int | None = NAMES, after: Identifier | None = None
    ) -> Profile:
        async def work(db: Connection) -> Profile:
            root = await db.fetchval(SQL.root_of, who(who_), at)
            return (await profiles_of(db, [root], at, limit, after))[root]

        return await self._database.read("reading a profile", work, OPEN_SECONDS, one=True)

    async def history(
        self, who_: Identifier, until: int, limit: int = 1000, *, owner_at: int | None = None
    ) -> Sequence[Event]:
        given = SQL.newest_events, who(who_), until, limit, until if owner_at is None else owner_at
        rows = [tuple(row) for row in await self._database.read("reading a history", lambda db: db.fetch(*given))]
        return events([body for _, body in sorted(rows)])

    async def load(
        self, known: Mapping[Identifier, Revision], at: int, *, rules: int | None = None, brief: bool = False
    ) -> Mapping[Identifier, Loaded]:
        return await self._loads.ask(known, at, rules, brief)

    async def profiles(self, *, limit: int = 50, search: str = "") -> Sequence[Profile]:
        ever = FOREVER - 1

        async def work(db: Connection) -> list[Profile]:
            if search:
                spans = [(kind + search, kind + search + LAST) for kind in "uea"]
                found = [row for span in spans for row in await db.fetch(SQL.found_identifiers, *span, limit)]
            else:
                found = await db.fetch(SQL.recent_identifiers, RECENT)
            roots = await db.fetch(SQL.roots_of, [column for (column,) in found], ever)
            some = list(dict.fromkeys(root for (root,) in roots))[:limit]
            return list((await profiles_of(db, some, ever, NAMES)).values())

        return await self._database.read("listing profiles", work, one=True)

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        async with self._database.reading("looking for contested identifiers") as db:
            rows = await db.fetch(SQL.contested, since, limit)
        return [Contested(identifier(column), claimers, at) for column, claimers, at in rows]

    async def summarize(self, make: Callable[[Sequence[Entry]], Summary], rules: int, now: int, limit: int) -> bool:
        return await summarize(self._database, make, rules, now, limit)


async def profiles_of(
    db: Connection, roots: Sequence[str], at: int, limit: int | None, after: Identifier | None = None
) -> dict[str, Profile]:
    """Return roots with the identifiers that lead to each at a moment, strongest first.

    At most `limit` for each. One that only an alias's previousId named is left out.
    """
    rows = await _leading(db, roots, at, limit, after)
    carried = {column for _, column, carried in rows if carried}
    silent = [column for _, column, carried in rows if not carried]
    for weaker, stronger in await db.fetch(SQL.claimers, silent) if silent else ():
        bodies = await db.fetch(SQL.carriers, stronger, weaker[1:].encode())
        if any(event.anonymous == weaker[1:] for event in events([body for (body,) in bodies])):
            carried.add(weaker)
    return _by_root(roots, [row for row in rows if row[1] in carried])


async def leading(db: Connection, roots: Sequence[str], at: int, limit: int | None) -> dict[str, Profile]:
    """Return roots with the identifiers that lead to each at a moment, whether or not a message had them."""
    return _by_root(roots, await _leading(db, roots, at, limit))


async def _leading(
    db: Connection, roots: Sequence[str], at: int, limit: int | None, after: Identifier | None = None
) -> Sequence[Any]:
    rows: Sequence[Any] = await db.fetch(SQL.names_of, roots, at, who(after) if after is not None else FIRST, limit)
    return rows


def _by_root(roots: Sequence[str], rows: Sequence[Any]) -> dict[str, Profile]:
    names: dict[str, list[Identifier]] = {root: [] for root in roots}
    for root, column, _ in rows:
        names[root].append(identifier(column))
    return {root: Profile(identifier(root), tuple(some)) for root, some in names.items()}
