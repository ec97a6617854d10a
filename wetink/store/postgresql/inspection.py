"""Inspection: sizes and damage of the tables, and derived rows compared with rows that are derived again.

Products and conversions are derived in memory from one state of the database. Identifiers are derived under their locks
in a savepoint, which is rolled back unless they are to be repaired.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import asyncpg

from wetink.ports.inspection import Checked, Part, Replica
from wetink.store.codec import identifier
from wetink.store.postgresql import catalog, conversions
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.identity import Identities
from wetink.store.queries import queries

SQL = queries(__package__, "inspection_queries.sql")

AT_ONCE = 50
"""Identifiers that are locked and derived together."""
PAGE = 500
"""Messages that are derived again together."""
FIRST_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
READ_SECONDS = 24 * 3600
"""How long reading a table may take, in seconds."""
DAMAGE = (
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    asyncpg.InternalServerError,
    asyncpg.PostgresIOError,
    asyncpg.UndefinedFileError,
)
"""Errors of PostgreSQL about a page or a file that it cannot read."""


class PostgresInspection:
    """`ports.inspection.Inspection`."""

    def __init__(self, database: Database) -> None:
        """Report on `database`."""
        self._database = database

    async def sizes(self) -> Mapping[str, int]:
        async with self._database.reading("measuring the tables") as db:
            return dict(await db.fetch(SQL.sizes))

    async def replicas(self) -> Sequence[Replica]:
        return await self._database.replicas()

    async def faults(self) -> Sequence[str]:
        async with self._database.reading("checking the tables") as db:
            found = [text for (text,) in await db.fetch(SQL.faults)]
            for table, read in await db.fetch(SQL.tables):
                try:
                    await db.execute(read, timeout=READ_SECONDS)
                except DAMAGE as error:
                    found.append(f"{table}: {error.args[0]}")
        return found

    async def sample(self, part: Part, limit: int | None, *, repair: bool = False) -> Checked:
        if part == "identities":
            return await self._identities(limit, repair=repair)
        projection: Any = catalog if part == "catalog" else conversions
        async with self._database.reading("looking for messages to check") as db:
            last = await projection.place(db)
            after = (
                0 if limit is None else await db.fetchval(SQL.stretch, await _somewhere_before(db, last), last, limit)
            )
        count = wrong = 0
        while after < last and (limit is None or count < limit):
            some = min(PAGE, limit - count) if limit is not None else PAGE
            async with self._database.snapshot("deriving data again") as db:
                rows = await db.fetch(SQL.messages, after, last, some)
                prints = [print_ for _, print_ in rows]
                differing = await projection.differing(db, prints)
            if differing and repair:
                await self._database.transact("repairing data", partial(projection.take, fingerprints=prints))
            count, wrong = count + len(rows), wrong + len(differing)
            after = rows[-1][0] if rows else last
        return Checked(count, wrong)

    async def _identities(self, limit: int | None, *, repair: bool) -> Checked:
        begun = after = "" if limit is None else _some_name()
        count = wrong = 0
        wrapped = limit is None
        while limit is None or count < limit:
            some = min(AT_ONCE, limit - count) if limit is not None else AT_ONCE
            async with self._database.reading("looking for identifiers to check") as db:
                names = [name for (name,) in await db.fetch(SQL.identifiers, after, some)]
            full = len(names) == some
            if wrapped and begun:
                names = [name for name in names if name <= begun]
            if names:
                work = partial(_derived, names=names, repair=repair)
                wrong += len(await self._database.transact("deriving identifiers again", work))
                count, after = count + len(names), names[-1]
            if not full or not names:
                if wrapped:
                    break
                wrapped, after = True, ""
        return Checked(count, wrong)


async def _derived(db: Connection, names: Collection[str], repair: bool) -> set[str]:
    """Return the identifiers whose holdings are stored otherwise. With `repair`, they are right afterwards."""
    identities = Identities(db)
    await identities.lock(names)
    point = db.transaction()
    await point.start()
    before = await _holdings(db, names)
    for name in names:
        await identities.derive(identifier(name))
    changed = {name for name, _ in before ^ await _holdings(db, names)}
    await (point.commit() if changed and repair else point.rollback())
    return changed


async def _holdings(db: Connection, names: Collection[str]) -> set[tuple[str, Any]]:
    return {(row["identifier"], tuple(row)) for row in await db.fetch(SQL.holdings, list(names))}


async def _somewhere_before(db: Connection, last: int) -> int:
    """Return a random place in the log."""
    low = min(int(await db.fetchval(SQL.first_message)), last)
    return low + secrets.randbelow(last - low + 1)


def _some_name() -> str:
    """Return a random place among identifiers."""
    return secrets.choice("aeu") + secrets.choice(FIRST_LETTERS) + secrets.choice(FIRST_LETTERS)
