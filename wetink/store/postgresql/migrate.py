"""Migrations: forward only, one file each, applied in order by the first process that needs them.

A file `NNN_name.sql` runs in a transaction of its own. A file whose first line is `-- concurrently` runs one statement
at a time outside any transaction, for `CREATE INDEX CONCURRENTLY`: its statements must be safe to repeat. Every
migration keeps the tables usable for the version before it, so servers of that version serve on meanwhile. One that
cannot says so in its first line, `-- needs N`: servers that do not know migration N are refused at their start.
"""

import logging
from importlib.resources import files
from typing import Any

import asyncpg
import msgspec

from wetink.core.errors import BadSettings

logger = logging.getLogger(__name__)

OLDEST_SERVER = 15
"""The oldest major version of PostgreSQL that wetink runs on."""
LOCK = 0x3E71_4C0E
"""The advisory lock that one migrating process holds."""


class Migration(msgspec.Struct, frozen=True):
    """A migration's number, name and SQL. Servers that know no migration from `needs` on cannot use its tables."""

    number: int
    name: str
    sql: str
    concurrently: bool = False
    needs: int = 0


def migrations() -> list[Migration]:
    """Return all migrations of this version, in order."""
    found = []
    for path in files(__package__).joinpath("migrations").iterdir():
        if path.name.endswith(".sql"):
            number, _, name = path.name.removesuffix(".sql").partition("_")
            sql = path.read_text("utf-8")
            first = sql.partition("\n")[0]
            needs = int(first.removeprefix("-- needs ")) if first.startswith("-- needs ") else 0
            found.append(Migration(int(number), name, sql, first == "-- concurrently", needs))
    return sorted(found, key=lambda each: each.number)


async def migrate(pool: "asyncpg.Pool[Any]") -> None:
    """Apply the migrations that the database lacks. Other processes wait meanwhile.

    Raises BadSettings for a server that is too old, or tables that are too new for this version.
    """
    known = migrations()
    async with pool.acquire() as connection:
        major = connection.get_server_version().major
        if major < OLDEST_SERVER:
            raise BadSettings(
                f"WETINK_STORE: PostgreSQL {major} is too old",
                hint=f"wetink needs PostgreSQL {OLDEST_SERVER} or newer",
                where="WETINK_STORE",
            )
        done = await _applied(connection)
        _refuse_newer(known, done)
        if all(each.number in done for each in known):
            return
        # The lock lasts as long as the transaction, since a pooler may give the session to somebody else. It writes
        # nothing, so it delays no follower of the log.
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK, timeout=3600)
            async with pool.acquire() as working:
                done = await _applied(working)
                _refuse_newer(known, done)
                for each in known:
                    if each.number not in done:
                        await _apply(working, each)


async def _applied(connection: Any) -> dict[int, int]:
    """Return the applied migrations, each with the lowest one that a server must know to use its tables."""
    there = await connection.fetchval("SELECT to_regclass('migration') IS NOT NULL")
    return dict(await connection.fetch("SELECT number, needs FROM migration")) if there else {}


def _refuse_newer(known: list[Migration], done: dict[int, int]) -> None:
    newest = max(each.number for each in known)
    needed = max(done.values(), default=0)
    if needed > newest:
        raise BadSettings(
            f"WETINK_STORE: the database has migration {max(done)}, and this version of wetink knows only {newest}",
            hint="run the newer version of wetink",
            where="WETINK_STORE",
        )


async def _apply(connection: Any, migration: Migration) -> None:
    logger.info("migrating the database: %03d %s", migration.number, migration.name)
    note = "INSERT INTO migration (number, name, needs) VALUES ($1, $2, $3)"
    row = migration.number, migration.name, migration.needs
    if migration.concurrently:
        for statement in filter(str.strip, migration.sql.split(";\n")):
            await connection.execute(statement, timeout=24 * 3600)
        await connection.execute(note, *row)
        return
    async with connection.transaction():
        await connection.execute(migration.sql, timeout=3600)
        await connection.execute(note, *row)
