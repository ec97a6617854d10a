"""Senders: the sources and their keys. Keys are stored as hashes, secrets for user ids as they are."""

import json
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from wetink.core.events.event import Level
from wetink.ports.keys import NewKey, Orders, Source
from wetink.store.codec import hashed, source_of
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries
from wetink.store.senders import check_limits, check_rotated, found, matches, new_key, new_path, new_secret, taken

SQL = queries(__package__, "sender_queries.sql")


class PostgresSenders:
    """`ports.keys.Senders` over one table. It is small: every node may have a copy."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def create_key(self, name: str, level: Level, hosts: Sequence[str], now: int) -> NewKey:
        made, identity_secret = new_key(new_path()), new_secret()
        row = (
            *(name, level, json.dumps(list(hosts)), hashed(made.write_key), made.path.rpartition("/")[2]),
            *(made.access_key, hashed(made.secret), now, json.dumps([identity_secret])),
        )
        if await self._one("creating a source", SQL.insert, *row) is None:
            raise taken(name)
        return replace(made, identity_secret=identity_secret) if level == "browser" else made

    async def rotate_key(self, name: str, now: int) -> NewKey:
        async def work(connection: Connection) -> NewKey:
            path = found(await connection.fetchval(SQL.path_of, storable(name)), name)
            made = new_key(f"/behavioral/{path}")
            row = (hashed(made.write_key), made.access_key, hashed(made.secret), now)
            await connection.execute(SQL.rotate, storable(name), *row)
            return made

        return await self._database.transact("rotating keys", work)

    async def retire_key(self, name: str) -> None:
        check_rotated(source_of(found(await self._one("looking up a source", SQL.named, storable(name)), name)))
        await self._one("ending keys", SQL.retire, storable(name))

    async def renew_secret(self, name: str) -> str:
        secret = new_secret()

        async def work(connection: Connection) -> None:
            known = json.loads(found(await connection.fetchval(SQL.secrets, storable(name)), name))
            await connection.execute(SQL.set_secrets, storable(name), json.dumps([secret, *known]))

        await self._database.transact("renewing a secret", work)
        return secret

    async def set_source(
        self,
        name: str,
        *,
        disabled: bool | None = None,
        verify: bool | None = None,
        orders: Orders | None = None,
        per_second: float | None = None,
        burst: int | None = None,
        hosts: Sequence[str] | None = None,
    ) -> Source:
        check_limits(per_second, burst)
        allowed = json.dumps(list(hosts)) if hosts is not None else None
        row = storable(name), disabled, verify, orders, per_second, burst, allowed
        return source_of(found(await self._one("changing a source", SQL.set, *row), name))

    async def rename_source(self, name: str, new: str) -> None:
        async def work(connection: Connection) -> bool:
            found(await connection.fetchval(SQL.path_of, storable(name)), name)
            return await connection.fetchval(SQL.rename, storable(name), storable(new)) is not None

        if not await self._database.transact("renaming a source", work):
            raise taken(new)

    async def delete_source(self, name: str) -> None:
        found(await self._one("deleting a source", SQL.delete, storable(name)), name)

    async def old_key_used(self, name: str, now: int) -> None:
        await self._one("noting the use of a key", SQL.old_used, storable(name), now)

    async def source_of_write_key(self, key: str) -> Source | None:
        given = SQL.of_write_key, hashed(key)
        row = await self._database.read("looking up a write key", lambda db: db.fetchrow(*given), OPEN_SECONDS)
        source = source_of(row) if row else None
        return source if source is not None and not source.disabled else None

    async def is_old_key(self, key: str) -> bool:
        return await self._one("looking up a key", SQL.is_old, hashed(key)) is not None

    async def source_of_access_key(self, path_key: str, access_key: str, secret: str) -> Source | None:
        row = await self._one("looking up an access key", SQL.of_path, storable(path_key))
        if row is None:
            return None
        source = source_of(row[:-4])
        right = matches((row[-4:-2], row[-2:]), access_key, secret)
        return source if right and not source.disabled else None

    async def knows_path(self, path_key: str) -> bool:
        return await self._one("looking up a path", SQL.of_path, storable(path_key)) is not None

    async def all(self) -> Sequence[Source]:
        rows = await self._database.read("listing sources", lambda db: db.fetch(SQL.sources), OPEN_SECONDS)
        return [source_of(row) for row in rows]

    async def _one(self, doing: str, query: str, *values: Any) -> Any:
        """Return the first row of a statement; None without one."""
        async with self._database.reading(doing, OPEN_SECONDS) as connection:
            return await connection.fetchrow(query, *values)
