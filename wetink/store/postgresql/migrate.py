"""Migrations: forward only, one file each, applied in order by the first process that needs them.

A file `NNN_name.sql` runs in a transaction of its own. It waits for each lock only a moment, since whoever comes later
waits behind it, and is tried again. So it must be fast: it adds tables, or columns that need no rewrite.

A file whose first line is `-- concurrently` runs one statement at a time, each in a transaction of its own or, like
`CREATE INDEX CONCURRENTLY`, in none. Its statements must be safe to repeat. One that changes rows changes some of those
that are left (`WHERE … LIMIT`), and is repeated until it changes fewer. Servers write further ones meanwhile.

Every migration keeps the tables usable for the version before it, so servers of that version serve on meanwhile. One
that cannot says so in its first line, `-- needs N`: servers that do not know migration N are refused at their start.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
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
LOCK_MS = 200
"""How long a migration waits for the lock of a table, in milliseconds: opens wait behind it."""
PAUSE_SECONDS = 0.1
"""Pause between two tries, or two statements that change rows, in seconds."""
PATIENCE_SECONDS = 3600.0
"""How long a process waits for the migrations of another, and for the locks of tables, in seconds."""
CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")
AGAIN = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


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

    Raises BadSettings for a database that wetink cannot use, or tables that are too new for this version. Raises
    PostgreSQL's error if a migration fails, or gets no lock within an hour.
    """
    known = migrations()
    async with pool.acquire() as connection:
        await _refuse_unusable(connection)
        done = await _applied(connection)
        _refuse_newer(known, done)
        if all(each.number in done for each in known):
            return
        async with _alone(connection), pool.acquire() as working:
            done = await _applied(working)
            _refuse_newer(known, done)
            for each in known:
                if each.number not in done:
                    await _apply(working, each)


async def _refuse_unusable(connection: Any) -> None:
    """Raise BadSettings for a server or a database that would fail later, at somebody's message."""
    major = connection.get_server_version().major
    encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
    isolation = await connection.fetchval("SELECT current_setting('default_transaction_isolation')")
    why, hint = "", ""
    if major < OLDEST_SERVER:
        why, hint = f"PostgreSQL {major} is too old", f"wetink needs PostgreSQL {OLDEST_SERVER} or newer"
    elif encoding != "UTF8":
        why = f"the database has the encoding {encoding}, which lacks characters that messages contain"
        hint = "create one with ENCODING 'UTF8' TEMPLATE template0"
    elif isolation != "read committed":
        why = f"the database's default_transaction_isolation is {isolation}"
        hint = "reset it for the database and for the user of wetink"
    if why:
        raise BadSettings(f"WETINK_STORE: {why}", hint=hint, where="WETINK_STORE")


@asynccontextmanager
async def _alone(connection: Any) -> AsyncIterator[None]:
    """Hold the lock of migrations. It lasts as long as its transaction: a pooler may give the session to somebody else.

    CREATE INDEX CONCURRENTLY waits for all older snapshots, and a deadlock with those who wait for this lock would be
    noticed by nobody. So each try is a transaction of its own, and the one that holds the lock has no snapshot. It
    writes nothing, so it delays no follower of the log.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        async with connection.transaction():
            if await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                # A statement by the simple protocol closes the portal of the one before, which has a snapshot.
                await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield
                return
        await asyncio.sleep(PAUSE_SECONDS)
    raise TimeoutError("another process is migrating")


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
            await _finish(partial(connection.execute, statement, timeout=24 * 3600))
        await connection.execute(note, *row)
        return

    async def work() -> str:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
            await connection.execute(migration.sql, timeout=PATIENCE_SECONDS)
            await connection.execute(note, *row)
        return "COMMIT"

    await _finish(work)


async def _finish(work: Callable[[], Awaitable[str]]) -> None:
    """Run a statement again as long as it gets no lock, and as long as it changes as many rows as before."""
    begun, most = time.monotonic(), 1
    while True:
        try:
            status = (await work()).split()
            if status[0] not in CHANGES or int(status[-1]) < most:
                return
            begun, most = time.monotonic(), int(status[-1])
        except AGAIN:
            if time.monotonic() > begun + PATIENCE_SECONDS:
                raise
        await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_SECONDS)  # noqa: S311 (no secret)
