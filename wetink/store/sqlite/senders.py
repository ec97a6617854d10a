"""Senders: the sources and their keys. Keys are stored as hashes, secrets for user ids as they are."""

import json
from collections.abc import Sequence

import apsw
from msgspec.structs import replace

from wetink.core.events.event import Level
from wetink.ports.keys import NewKey, Orders, Source
from wetink.store.codec import hashed, source_of
from wetink.store.queries import queries
from wetink.store.senders import check_limits, check_rotated, found, matches, new_key, new_path, new_secret, taken
from wetink.store.sqlite.connection import fetch, first, translated
from wetink.store.sqlite.database import Database

SQL = queries(__package__, "sender_queries.sql")


class SQLiteSenders:
    """`ports.keys.Senders` over the main file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_key(self, name: str, level: Level, hosts: Sequence[str], now: int) -> NewKey:
        made, identity_secret = new_key(new_path()), new_secret()
        row = (
            *(name, level, json.dumps(list(hosts)), hashed(made.write_key), made.path.rpartition("/")[2]),
            *(made.access_key, hashed(made.secret), now, json.dumps([identity_secret])),
        )
        try:
            await self._database.write(lambda db: db.execute(SQL.insert, row))
        except Exception as error:
            if isinstance(error.__cause__, apsw.ConstraintError):
                raise taken(name) from error
            raise
        return replace(made, identity_secret=identity_secret) if level == "browser" else made

    async def rotate_key(self, name: str, now: int) -> NewKey:
        def work(db: apsw.Connection) -> NewKey:
            (path,) = found(first(db, SQL.path_of, (name,)), name)
            made = new_key(f"/behavioral/{path}")
            row = (hashed(made.write_key), made.access_key, hashed(made.secret), now, name)
            db.execute(SQL.rotate, row)
            return made

        return await self._database.write(work)

    async def retire_key(self, name: str) -> None:
        check_rotated(await self._source(name))
        await self._database.write(lambda db: db.execute(SQL.retire, (name,)))

    async def renew_secret(self, name: str) -> str:
        source, secret = await self._source(name), new_secret()
        await self._database.write(
            lambda db: db.execute(SQL.set_secrets, (json.dumps([secret, *source.secrets]), name))
        )
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
        await self._source(name)
        allowed = json.dumps(list(hosts)) if hosts is not None else None
        row = (disabled, verify, orders, per_second, burst, allowed, name)
        await self._database.write(lambda db: db.execute(SQL.set, row))
        return await self._source(name)

    async def rename_source(self, name: str, new: str) -> None:
        await self._source(name)
        try:
            await self._database.write(lambda db: db.execute(SQL.rename, (new, name)))
        except Exception as error:
            if isinstance(error.__cause__, apsw.ConstraintError):
                raise taken(new) from error
            raise

    async def delete_source(self, name: str) -> None:
        await self._source(name)
        await self._database.write(lambda db: db.execute(SQL.delete, (name,)))

    async def old_key_used(self, name: str, now: int) -> None:
        await self._database.write(lambda db: db.execute(SQL.old_used, (now, name)))

    async def source_of_write_key(self, key: str) -> Source | None:
        with translated("looking up a write key"):
            row = first(self._database.reading, SQL.of_write_key, (hashed(key),))
        source = source_of(row) if row else None
        return source if source is not None and not source.disabled else None

    async def is_old_key(self, key: str) -> bool:
        with translated("looking up a key"):
            return first(self._database.reading, SQL.is_old, (hashed(key),)) is not None

    async def source_of_access_key(self, path_key: str, access_key: str, secret: str) -> Source | None:
        with translated("looking up an access key"):
            row = first(self._database.reading, SQL.of_path, (path_key,))
        if row is None:
            return None
        source = source_of(row[:-4])
        right = matches((row[-4:-2], row[-2:]), access_key, secret)
        return source if right and not source.disabled else None

    async def knows_path(self, path_key: str) -> bool:
        with translated("looking up a path"):
            return first(self._database.reading, SQL.of_path, (path_key,)) is not None

    async def all(self) -> Sequence[Source]:
        with translated("listing sources"):
            return [source_of(row) for row in fetch(self._database.reading, SQL.sources)]

    async def _source(self, name: str) -> Source:
        with translated("looking up a source"):
            return source_of(found(first(self._database.reading, SQL.named, (name,)), name))
