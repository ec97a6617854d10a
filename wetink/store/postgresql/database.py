"""Database: a pool of connections, transactions, and PostgreSQL's errors as StoreUnavailable.

Transactions read committed data: a statement that follows a lock sees everything committed before the lock was granted.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.store.postgresql.migrate import migrate

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"

logger = logging.getLogger(__name__)

CONNECTIONS = 10
"""Most connections of one process; `?connections=` in the address sets another number."""
CONNECT_SECONDS, STATEMENT_SECONDS, WAIT_SECONDS = 5.0, 30.0, 5.0
"""How long to wait for a new connection, for a statement, and for a free connection of the pool, in seconds."""
TRIES = 5
"""Tries of a transaction that PostgreSQL gives up for another one (deadlock or serialization failure)."""
CLOSE_SECONDS = 10.0
"""How long closing waits for statements under way, in seconds."""


class Address:
    """The parts of `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?connections=10&pooler=transaction`.

    With `pooler=transaction`, statements are not prepared on the server, as PgBouncer's transaction mode needs.
    """

    def __init__(self, text: str) -> None:
        """Read an address. Raises BadSettings."""
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        connections, pooler = options.pop("connections", str(CONNECTIONS)), options.pop("pooler", "")
        if not parts.path.strip("/") or parts.scheme not in ("postgresql", "postgres"):
            raise _bad(f"{_public(text)!r} names no database", "write postgresql://USER@HOST/DATABASE")
        if not connections.isdecimal() or not 2 <= int(connections) <= 1000:
            raise _bad(f"connections={connections[:20]!r} is not a number from 2 to 1000", "leave it out for 10")
        if pooler not in ("", "transaction"):
            raise _bad(f"pooler={pooler[:20]!r} is unknown", "write pooler=transaction behind PgBouncer")
        self.dsn = urlunsplit(parts._replace(query=urlencode(options)))
        self.connections, self.pooled = int(connections), pooler == "transaction"


class Database:
    """The connections of one process, opened on first use. They belong to the event loop that opened them."""

    def __init__(self, address: str) -> None:
        """Connect to `address` on first use. Raises BadSettings for an address that cannot be read."""
        self._address = Address(address)
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Connect, and create or upgrade the tables. Raises StoreUnavailable, BadSettings for an unusable server."""
        await self._opened()

    @asynccontextmanager
    async def reading(self, doing: str) -> AsyncIterator[Connection]:
        """Lend a connection for single statements, each its own transaction. `doing` names the work in errors."""
        with translated(doing):
            pool = self._pool or await self._opened()
            async with pool.acquire(timeout=WAIT_SECONDS) as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self, doing: str) -> AsyncIterator[Connection]:
        """Lend a connection whose statements all read one state, in a read-only transaction."""
        async with (
            self.reading(doing) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def transact(self, doing: str, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return the result of `work`, run in one transaction that is on disk (fsync) on return.

        Runs it again when PostgreSQL gives the transaction up for another one, so `work` must have no other effect.
        Raises StoreUnavailable: nothing was written.
        """
        for attempt in range(TRIES):
            try:
                async with self.reading(doing) as connection, connection.transaction():
                    return await work(connection)
            except StoreUnavailable as error:
                if attempt == TRIES - 1 or not isinstance(error.__cause__, AGAIN):
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 (no secret)
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Wait a while for statements under way, then close all connections. A second call does nothing."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
            except (TimeoutError, asyncpg.InterfaceError):
                pool.terminate()

    async def _opened(self) -> "asyncpg.Pool[Any]":
        async with self._opening:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._pool is None:
                with translated("connecting to the database"):
                    pool = await self._connected()
                    try:
                        await migrate(pool)
                    except BaseException:
                        pool.terminate()
                        raise
                self._pool = pool
            return self._pool

    async def _connected(self) -> "asyncpg.Pool[Any]":
        more = {"statement_cache_size": 0} if self._address.pooled else {}
        return await asyncpg.create_pool(
            self._address.dsn,
            min_size=1,
            max_size=self._address.connections,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            reset=_keep,
            **more,
        )


async def _keep(connection: Any) -> None:
    """Return a connection to the pool as it is: nothing here outlives its transaction, so a reset is a wasted trip."""


AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class translated:
    """Raise StoreUnavailable, with the remedy, for any error of PostgreSQL or its connection inside.

    The texts leave out PostgreSQL's details, which have values of rows.
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        """`doing` names the operation in the error."""
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Replace PostgreSQL's errors."""
        if isinstance(error, asyncpg.PostgresError):
            plain = error.args and not isinstance(error, asyncpg.DataError)  # the text of those has the data
            text = f"{error.args[0] if plain else type(error).__name__} ({error.sqlstate})"
            raise StoreUnavailable(f"{self._doing}: the database says: {text}", hint="see its log") from error
        if isinstance(error, asyncpg.InterfaceError | OSError | TimeoutError):
            why = str(error) or type(error).__name__
            hint = "check that it runs and that WETINK_STORE names it"
            raise StoreUnavailable(f"{self._doing}: the database cannot be reached: {why}", hint=hint) from error


def _public(text: str) -> str:
    """Return an address without its password.

    >>> _public("postgresql://ida:secret@db.example/wetink")
    'postgresql://ida:***@db.example/wetink'
    """
    parts = urlsplit(text)
    place = f":{parts.password}@"
    return text.replace(place, ":***@", 1) if parts.password else text


def _bad(message: str, hint: str) -> BadSettings:
    return BadSettings(f"WETINK_STORE: {message}", hint=hint, where="WETINK_STORE")
