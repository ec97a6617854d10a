"""Leases: rows that say who may do what until when, in a file of their own.

The event loop writes them itself: a row without an fsync takes microseconds, and a lease that a cancelled task was just
getting is never left behind. A power cut may take the newest rows, and with them all who held them.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import apsw

from wetink.core.errors import Held, StoreUnavailable
from wetink.ports.storage import TTL_SECONDS
from wetink.store.sqlite.connection import LOOP_BUSY_MS, connect, read, script, translated

logger = logging.getLogger(__name__)
SQL = read("lease_queries.sql")
LOOK_SECONDS = 0.05
"""Between two looks at a lease that somebody waits for."""
RENEWALS = 3
"""How often a lease is renewed within its time to live."""


class SQLiteLeases:
    """`ports.storage.Leases` over one SQLite file, shared by all processes. Used from one thread, its event loop's."""

    def __init__(self, folder: Path, clock_ms: Callable[[], int]) -> None:
        """Open (or make) the file in a folder. All processes must have the same `clock_ms`."""
        self._clock = clock_ms
        self._db = connect(folder / "leases.db", durable=False)
        with translated("opening the leases"):
            self._db.execute(script("leases.sql"))
        self._db.set_busy_timeout(
            LOOP_BUSY_MS
        )  # not before: of several that make a new file, each waits for the others

    @asynccontextmanager
    async def hold(self, name: str, ttl: float = TTL_SECONDS, wait: float = 0.0) -> AsyncIterator[None]:
        holder, ttl_ms = secrets.token_hex(8), round(ttl * 1000)
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
            with suppress(apsw.Error):  # it runs out by itself
                self._db.execute(SQL.release, (name, holder))

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
        """Renew a lease until cancelled. When that cannot be in time, the holder's scope ends."""
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
        """Write a row; return whether that was possible, None when the file could not be written."""
        now = self._clock()
        try:
            row = {"name": name, "holder": holder, "now": now, "until": now + ttl_ms, "ttl": ttl_ms}
            return self._db.execute(query, row).fetchone() is not None
        except apsw.Error as error:
            logger.info("the lease %r cannot be written: %s", name, error)
            return None

    async def close(self) -> None:
        self._db.close()
