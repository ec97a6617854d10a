"""Database: a pool of connections, transactions, and PostgreSQL's errors as StoreUnavailable.

Transactions read committed data: a statement that follows a lock sees everything committed before the lock was granted.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal, TypeAlias, TypeVar

import asyncpg

from wetink.core.errors import StoreUnavailable
from wetink.ending import seen
from wetink.ports.inspection import Replica
from wetink.store.move import check_complete
from wetink.store.postgresql.address import Address
from wetink.store.postgresql.cluster import recognize
from wetink.store.postgresql.errors import AGAIN, is_away, translated
from wetink.store.postgresql.migrate import migrate
from wetink.store.postgresql.replicas import Replicas

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"

logger = logging.getLogger(__name__)

CONNECT_SECONDS, STATEMENT_SECONDS, WAIT_SECONDS = 5.0, 30.0, 5.0
"""How long to wait for a new connection, for a statement, and for a free connection of the pool, in seconds."""
CANCEL_SECONDS = 0.5
"""How long to wait for the end of a statement that was given up, in seconds."""
OPEN_SECONDS = 2.0
"""How long anything that an open or a message waits for may take as a whole, in seconds."""
PATIENCE_SECONDS = 0.4
"""How long the same waits for the primary if a replica can answer, in seconds."""
TRIES = 5
"""Tries of a transaction that PostgreSQL gives up for another one (deadlock, serialization failure, too many locks)."""
DELETED = 10_000
"""Rows deleted in one transaction."""
CLOSE_SECONDS = 5.0
"""How long closing waits for statements under way, in seconds."""


class Database:
    """The connections of one process, opened on first use. They belong to the event loop that opened them."""

    def __init__(self, address: str, *, incomplete: bool = False, copy: bool = False) -> None:
        """Connect to `address` on first use; a `copy` is only read. Raises BadSettings for an unreadable address.

        Without `incomplete`, the target of a move that is not complete is refused.
        """
        self._address, self._incomplete, self._is_copy = Address(address), incomplete, copy
        copies = {name: Database(text, copy=True) for name, text in self._address.replicas.items()}
        self._replicas = Replicas(self.dsn, copies, self._address.staleness) if copies else None
        self._pool: asyncpg.Pool[Any] | None = None
        self._opening: asyncio.Task[asyncpg.Pool[Any]] | None = None
        self._idle: list[asyncpg.pool.PoolConnectionProxy[Any]] = []
        self._waiting = 0
        self._closed = False

    @property
    def dsn(self) -> str:
        """The address as asyncpg takes it."""
        return self._address.dsn

    async def start(self) -> None:
        """Connect, and create or upgrade the tables. Raises StoreUnavailable, BadSettings for an unusable server."""
        if self._replicas is not None:
            self._replicas.watch()
        await self._opened()

    async def replicas(self) -> Sequence[Replica]:
        """Return the state of each replica."""
        return await self._replicas.states() if self._replicas is not None else ()

    @property
    def away(self) -> bool:
        """Whether the primary does not answer and replicas are read instead."""
        return self._replicas is not None and self._replicas.away

    async def writable(self) -> None:
        """Return if the database can be written to. Raises StoreUnavailable if not, as for a replica."""
        async with self.reading("checking the database", OPEN_SECONDS) as connection:
            if await connection.fetchval("SELECT current_setting('transaction_read_only')::boolean"):
                raise StoreUnavailable("the database only reads", hint="name the primary, or wait for its successor")

    @property
    def connected(self) -> bool:
        """Whether it has connected before. The first connection takes longer than a statement."""
        return self._pool is not None

    @asynccontextmanager
    async def reading(self, doing: str, seconds: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection for single statements, each its own transaction. `doing` names the work in errors.

        With `seconds`, the wait for a connection and the work may take no longer than that. Raises StoreUnavailable.
        """
        if asyncio.current_task() is None:
            await asyncio.sleep(0)  # the first step of an open has no task, which a timeout needs
        with translated(doing):
            async with asyncio.timeout(seconds):
                pool = self._pool or await self._opened()
                connection = self._idle_one() or await self._acquired(pool)
                try:
                    yield connection
                except BaseException as error:
                    if isinstance(error, asyncpg.InternalClientError):
                        connection.terminate()  # such as one that knows of the server's end and still seems open
                    with suppress(TimeoutError):  # a frozen server does not answer a request to cancel either
                        await pool.release(connection, timeout=CANCEL_SECONDS)
                    raise
                if self._waiting or self._closed:
                    await pool.release(connection, timeout=CANCEL_SECONDS)
                else:
                    self._idle.append(connection)  # giving it back to the pool and taking it again costs three tasks

    def _idle_one(self) -> "asyncpg.pool.PoolConnectionProxy[Any] | None":
        while self._idle:
            connection = self._idle.pop()
            with suppress(asyncpg.InterfaceError):  # its end took it back to the pool
                if not connection.is_closed():
                    return connection
        return None

    async def _acquired(self, pool: "asyncpg.Pool[Any]") -> "asyncpg.pool.PoolConnectionProxy[Any]":
        self._waiting += 1  # who has one gives it back to the pool
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await pool.acquire()
        finally:
            self._waiting -= 1

    async def read(
        self, doing: str, work: Callable[[Connection], Awaitable[T]], seconds: float | None = None, *, one: bool = False
    ) -> T:
        """Return the result of `work`, which only reads. While the primary does not answer, it reads a replica.

        With `one`, all its statements read one state. `seconds` limits each try. Raises StoreUnavailable.
        """
        opened, copies, failure = Database.snapshot if one else Database.reading, self._replicas, None
        if copies is None or not copies.away:
            patient = copies is None or not copies.ready or not self.connected or seconds is None
            try:
                async with opened(self, doing, seconds if patient else PATIENCE_SECONDS) as connection:
                    return await work(connection)
            except StoreUnavailable as error:
                if copies is None or not is_away(error.__cause__):
                    raise
                failure = error
                copies.suspect()
        for each, reads in await copies.usable():
            with suppress(StoreUnavailable):
                async with opened(each, doing, seconds) as connection:
                    found = await work(connection)
                reads.add()
                return found
        raise failure or StoreUnavailable(f"{doing}: the database does not answer, and no replica is near enough")

    @asynccontextmanager
    async def snapshot(self, doing: str, seconds: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection whose statements all read one state, in a read-only transaction."""
        async with (
            self.reading(doing, seconds) as connection,
            _transaction(connection, "repeatable_read", readonly=True),
        ):
            yield connection

    async def transact(
        self,
        doing: str,
        work: Callable[[Connection], Awaitable[T]],
        *,
        durable: bool = True,
        seconds: float | None = None,
    ) -> T:
        """Return the result of `work`, run in one transaction that is on disk (fsync) on return if it is `durable`.

        Otherwise a crash of the server may lose it within the next second. Runs it again when PostgreSQL gives the
        transaction up for another one, so `work` must have no other effect. `seconds` limits one run. Raises
        StoreUnavailable: nothing was written, unless the connection broke during the commit.
        """
        for attempt in range(TRIES):
            try:
                async with self.reading(doing, seconds) as connection, _transaction(connection):
                    if not durable:
                        await connection.execute("SET LOCAL synchronous_commit = off")
                    return await work(connection)
            except StoreUnavailable as error:
                if attempt == TRIES - 1 or not isinstance(error.__cause__, AGAIN):
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 (no secret)
        raise AssertionError("unreachable")

    async def delete(self, statement: str, *given: object) -> None:
        """Run a `DELETE` of up to `DELETED` rows, its last parameter, until there are none left."""
        done = ""
        while done != "DELETE 0":
            async with self.reading("deleting old rows") as connection:
                done = await connection.execute(statement, *given, DELETED)

    async def close(self) -> None:
        """Wait a while for statements under way, then close all connections. A second call does nothing."""
        self._closed = True
        if self._replicas is not None:
            await self._replicas.close()
        pool, self._pool = self._pool, None
        while pool is not None and (connection := self._idle_one()) is not None:
            with suppress(asyncpg.InterfaceError, TimeoutError):
                await pool.release(connection, timeout=CANCEL_SECONDS)
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
            except (TimeoutError, asyncpg.InterfaceError):
                pool.terminate()

    async def _opened(self) -> "asyncpg.Pool[Any]":
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._opening is None or (self._opening.done() and self._pool is None):
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(seen)
        return await asyncio.shield(self._opening)  # all who wait share one attempt and its failure

    async def _open(self) -> "asyncpg.Pool[Any]":
        with translated("connecting to the database"):
            pool = await self._connected()
            try:
                if not self._is_copy:
                    await self._prepare(pool)
                if self._closed:
                    raise StoreUnavailable("the store is closed")
            except BaseException:
                pool.terminate()
                raise
        self._pool = pool
        return pool

    async def _prepare(self, pool: "asyncpg.Pool[Any]") -> None:
        await migrate(pool)
        async with pool.acquire() as connection:
            await recognize(connection)
        if not self._incomplete:
            check_complete(dict(await pool.fetch("SELECT name, value FROM moving_note")))
        await _make_partitions(pool)

    async def _greeted(self, connection: Any) -> None:
        """Look at the server of a further connection: the address may have moved to another one meanwhile."""
        if self._pool is not None and not self._is_copy:
            await recognize(connection)

    async def _connected(self) -> "asyncpg.Pool[Any]":
        more = {"statement_cache_size": 0} if self._address.pooled else {}
        return await asyncpg.create_pool(
            self._address.dsn,
            min_size=1,
            max_size=self._address.connections,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            init=self._greeted,
            reset=_keep,
            **more,
        )


@asynccontextmanager
async def _transaction(
    connection: Connection, isolation: Literal["read_committed", "repeatable_read"] = "read_committed", **options: bool
) -> AsyncIterator[None]:
    """Run the block in a transaction. After an error, a frozen server delays the end by no more than a moment."""
    transaction = connection.transaction(isolation=isolation, **options)
    await transaction.start()
    try:
        yield
    except BaseException:
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await transaction.rollback()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()
        raise
    await transaction.commit()


async def _make_partitions(pool: "asyncpg.Pool[Any]") -> None:
    """Make the partitions of events for the next two quarters, where they are missing. Without, one takes them all."""
    try:
        async with pool.acquire() as connection:
            await connection.execute("SELECT make_event_partitions(now(), now() + interval '6 months')", timeout=10)
    except (asyncpg.PostgresError, TimeoutError) as error:  # such as another process that makes them, or a replica
        logger.warning("the next partitions of events were not made: %s", type(error).__name__)


async def _keep(connection: Any) -> None:
    """Return a connection to the pool as it is: nothing here outlives its transaction, so a reset is a wasted trip."""
