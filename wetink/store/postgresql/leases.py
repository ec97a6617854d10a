"""Leases: rows with the holder of each right and its end, by the clock of the server.

A holder counts its time from before it asked the server, so its scope ends before the server gives the lease to
another, as long as both clocks run at the same speed.
"""

import asyncio
import logging
import os
import platform
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from wetink.core.errors import Held, StoreUnavailable
from wetink.ports.storage import TTL_SECONDS, Lease
from wetink.store.postgresql.database import OPEN_SECONDS, Database
from wetink.store.queries import queries

logger = logging.getLogger(__name__)
SQL = queries(__package__, "lease_queries.sql")
LOOK_SECONDS = 0.05
"""Seconds between two checks of a lease that a task waits for."""
RENEWALS, AGAIN = 3, 10
"""Renewals of a lease within its time to live, and attempts while the database cannot be reached."""


class PostgresLeases:
    """`ports.storage.Leases` over one table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database
        self._releasing = set[asyncio.Task[None]]()

    @asynccontextmanager
    async def hold(self, name: str, ttl: float = TTL_SECONDS, wait: float = 0.0) -> AsyncIterator[None]:
        holder = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(8)}"
        until = await self._taken(name, holder, ttl, wait)
        renewing = None
        try:
            async with asyncio.timeout_at(until) as held:
                renewing = asyncio.create_task(self._renew(name, holder, ttl, held))
                yield
        except TimeoutError:
            if not held.expired():
                raise
            logger.warning("the lease %r was lost", name)
            raise Held(f"the lease {name!r} was lost", hint="another process goes on") from None
        finally:
            if renewing is not None:
                renewing.cancel()
            await self._release(name, holder)

    async def held(self) -> Sequence[Lease]:
        async with self._database.reading("reading the leases", OPEN_SECONDS) as connection:
            return [Lease(*row) for row in await connection.fetch(SQL.held)]

    async def _taken(self, name: str, holder: str, ttl: float, wait: float) -> float:
        """Take a lease. Returns its end by the event loop's clock. Raises Held, StoreUnavailable."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            begun, away = loop.time(), None
            try:
                if await self._written(SQL.take, name, holder, ttl, OPEN_SECONDS):
                    return begun + ttl
            except StoreUnavailable as error:
                away = error
            except BaseException:
                await self._release(name, holder)  # the server may have given it
                raise
            if loop.time() >= until:
                if away is None:
                    raise Held(f"another process holds the lease {name!r}", hint="try again")
                await self._release(name, holder)
                raise away
            await asyncio.sleep(LOOK_SECONDS)

    async def _renew(self, name: str, holder: str, ttl: float, held: asyncio.Timeout) -> None:
        """Renew a lease until cancelled. The holder's scope ends when the lease does."""
        loop, pause = asyncio.get_running_loop(), ttl / RENEWALS
        while True:
            await asyncio.sleep(pause)
            begun, pause = loop.time(), ttl / RENEWALS
            try:
                end = begun + ttl if await self._written(SQL.renew, name, holder, ttl, pause) else begun
            except StoreUnavailable as error:
                logger.info("the lease %r cannot be renewed: %s", name, error)
                pause = ttl / AGAIN
                continue
            if held.expired():
                return
            held.reschedule(end)
            if end == begun:
                return

    async def _written(self, query: str, name: str, holder: str, ttl: float, seconds: float) -> bool:
        async with self._database.reading("writing a lease", seconds) as connection:
            found: Any = await connection.fetchval(query, name, holder, timedelta(seconds=ttl))
            return found is not None

    async def _release(self, name: str, holder: str) -> None:
        """Release a lease, to the end even if the caller is cancelled meanwhile."""
        task = asyncio.create_task(self._released(name, holder))
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)
        await asyncio.shield(task)

    async def _released(self, name: str, holder: str) -> None:
        with suppress(StoreUnavailable):  # it expires by itself
            async with self._database.reading("releasing a lease", OPEN_SECONDS) as connection:
                await connection.execute(SQL.release, name, holder)

    async def close(self) -> None:
        """Wait for leases on their way back."""
        await asyncio.gather(*self._releasing)
