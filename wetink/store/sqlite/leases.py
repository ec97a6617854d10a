"""Leases: rows with the holder of each right and its end, in their own file.

The event loop writes them itself: a row without an fsync takes microseconds, and a task that is cancelled while it
takes a lease never leaves it behind. A power cut may lose the newest rows, but it ends their holders as well.
"""

import asyncio
import logging
import os
import platform
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import apsw

from wetink.core.errors import Held, StoreUnavailable
from wetink.ports.storage import TTL_SECONDS, Lease
from wetink.store.queries import queries, script
from wetink.store.sqlite.connection import LOOP_BUSY_MS, connect, fetch, translated

logger = logging.getLogger(__name__)
SQL = queries(__package__, "lease_queries.sql")
LOOK_SECONDS = 0.05
"""Seconds between two checks of a lease that a task waits for."""
RENEWALS = 3
"""Renewals of a lease within its time to live."""


class SQLiteLeases:
    """`ports.storage.Leases` over one SQLite file, shared by all processes. Used from one thread, its event loop's."""

    def __init__(self, folder: Path, clock_ms: Callable[[], int]) -> None:
        """Open the file in a folder, or create it. All processes must have the same `clock_ms`."""
        self._clock = clock_ms
        self._db = connect(folder / "leases.db", durable=False)
        with translated("opening the leases"):
            self._db.execute(script(__package__, "leases.sql"))
        self._db.set_busy_timeout(
            LOOP_BUSY_MS
        )  # not earlier: processes that create the file at once wait for each other

    @asynccontextmanager
    async def hold(self, name: str, ttl: float = TTL_SECONDS, wait: float = 0.0) -> AsyncIterator[None]:
        holder, ttl_ms = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(8)}", round(ttl * 1000)
        await self._take(name, holder, ttl_ms, wait)
        renewing = None
        try:
            async with asyncio.timeout(None) as held:
                renewing = asyncio.create_task(self._renew(name, holder, ttl_ms, held))
                yield
        except TimeoutError:
            if not held.expired():
                raise
            raise Held(f"the lease {name!r} was lost", hint="another process goes on") from None
        finally:
            if renewing is not None:
                renewing.cancel()
            with suppress(apsw.Error):  # it expires by itself
                self._db.execute(SQL.release, (name, holder))

    async def held(self) -> Sequence[Lease]:
        now = self._clock()
        with translated("reading the leases"):
            return [Lease(*row) for row in fetch(self._db, SQL.held, (now, now))]

    async def _take(self, name: str, holder: str, ttl_ms: int, wait: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while not (taken := self._written(SQL.take, name, holder, ttl_ms)):
            if loop.time() >= until:
                if taken is None:
                    raise StoreUnavailable("the leases are busy", hint="try again")
                raise Held(f"another process holds the lease {name!r}", hint="try again")
            await asyncio.sleep(LOOK_SECONDS)

    async def _renew(self, name: str, holder: str, ttl_ms: int, held: asyncio.Timeout) -> None:
        """Renew a lease until cancelled. If that fails for too long, the holder's scope ends."""
        until = self._clock() + ttl_ms
        while True:
            await asyncio.sleep(ttl_ms / 1000 / RENEWALS)
            renewed = self._written(SQL.renew, name, holder, ttl_ms)
            if renewed:
                until = self._clock() + ttl_ms
            elif renewed is not None or self._clock() >= until:
                logger.warning("the lease %r was lost", name)
                held.reschedule(asyncio.get_running_loop().time())
                return

    def _written(self, query: str, name: str, holder: str, ttl_ms: int) -> bool | None:
        """Write a row. Returns whether the lease allowed it, None if the file could not be written."""
        now = self._clock()
        try:
            row = {"name": name, "holder": holder, "now": now, "until": now + ttl_ms, "ttl": ttl_ms}
            return self._db.execute(query, row).fetchone() is not None
        except apsw.Error as error:
            logger.info("the lease %r cannot be written: %s", name, error)
            return None

    async def close(self) -> None:
        self._db.close()
