"""Sessions: the dashboard's sessions and failed logins."""

import logging
import secrets
from collections.abc import Sequence

from wetink.core.errors import StoreUnavailable
from wetink.ports.keys import FORGOTTEN_MS, IDLE_MS, LONGEST_MS, MOST_ADDRESSES, NOTED_MS, Session, wait_left
from wetink.store.codec import hashed, session_of
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

logger = logging.getLogger(__name__)
SQL = queries(__package__, "session_queries.sql")


class PostgresSessions:
    """`ports.keys.Sessions` over two tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def begin(
        self,
        token: str,
        now: int,
        *,
        account: str = "",
        address: str = "",
        device: str = "",
    ) -> str:
        session = secrets.token_urlsafe(32)
        more = account, storable(address), storable(device)
        async with self._database.reading("beginning a session") as connection:
            await connection.execute(SQL.old, now - IDLE_MS, now - LONGEST_MS)
            await connection.execute(SQL.begin, hashed(session), hashed(token), now, *more)
        return session

    async def find(self, session: str, token: str, now: int) -> Session | None:
        async with self._database.reading("looking up a session") as connection:
            row = await connection.fetchrow(SQL.session, hashed(session))
        if row is None or row[0] != hashed(token):
            return None
        found = session_of(tuple(row)[1:])
        if not found.lasts(now):
            return None
        if now - found.used >= NOTED_MS:
            await self._note(session, now)
        return found

    async def of(self, account: str, now: int) -> Sequence[Session]:
        async with self._database.reading("listing sessions") as connection:
            found = [session_of(row) for row in await connection.fetch(SQL.of, storable(account))]
        return [each for each in found if each.lasts(now)]

    async def prove(self, session: str, now: int) -> None:
        async with self._database.reading("noting a proof") as connection:
            await connection.execute(SQL.prove, hashed(session), now)

    async def _note(self, session: str, now: int) -> None:
        """Record a session's last use. If that fails, as on a full disk, the session is valid even so."""
        try:
            async with self._database.reading("noting the use of a session") as connection:
                await connection.execute(SQL.use, hashed(session), now)
        except StoreUnavailable as error:
            logger.warning("%s", error)

    async def end(self, session: str) -> None:
        async with self._database.reading("ending a session") as connection:
            await connection.execute(SQL.end, hashed(session))

    async def end_of(self, account: str, *, only: str = "", but: str = "") -> None:
        async with self._database.reading("ending sessions") as connection:
            await connection.execute(SQL.end_of, *map(storable, (account, only, but)))

    async def tried(self, address: str) -> bool:
        async with self._database.reading("looking up tries to sign in") as connection:
            return await connection.fetchval(SQL.attempt, storable(address)) is not None

    async def try_from(self, address: str, now: int) -> int:
        async def work(connection: Connection) -> int:
            return await _counted(connection, storable(address), now)

        return await self._database.transact("counting tries to sign in", work)

    async def forgive(self, address: str) -> None:
        async with self._database.reading("forgetting tries to sign in") as connection:
            await connection.execute(SQL.forgive, storable(address))


async def _counted(connection: Connection, address: str, now: int) -> int:
    await connection.execute(SQL.lock, address)
    await connection.execute(SQL.stale, now - FORGOTTEN_MS)
    failures, at = await connection.fetchrow(SQL.attempt, address) or (0, now)
    if wait := wait_left(failures, at, now):
        return wait
    await connection.execute(SQL.failed, address, failures + 1, now)
    await connection.execute(SQL.oldest, MOST_ADDRESSES)
    return 0
