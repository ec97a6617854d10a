"""Senders: the sources and their keys. Keys are stored as hashes, secrets for user ids as they are."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any

import apsw
from msgspec.structs import replace

from wetink.core.errors import BadSettings, NotFound
from wetink.core.events.event import Level
from wetink.ports.keys import NewKey, Orders, Source
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch, first, translated
from wetink.store.sqlite.database import Database

SQL = queries(__package__, "sender_queries.sql")

ADDED = {
    "secrets": "TEXT NOT NULL DEFAULT '[]'", "verify": "INTEGER NOT NULL DEFAULT 0",
    "orders": "TEXT NOT NULL DEFAULT 'count'", "per_second": "REAL NOT NULL DEFAULT 0",
    "burst": "INTEGER NOT NULL DEFAULT 0", "disabled": "INTEGER NOT NULL DEFAULT 0",
    "rotated": "INTEGER NOT NULL DEFAULT 0", "old_used": "INTEGER NOT NULL DEFAULT 0",
    "old_write_hash": "BLOB", "old_access_key": "TEXT", "old_secret_hash": "BLOB",
}  # fmt: skip
"""Columns of a source that files of earlier versions lack."""

FASTEST = 1_000_000
"""The highest limit of events a second."""


def prepare(db: apsw.Connection) -> None:
    """Create missing columns. Each source gets a secret for user ids."""
    there = {name for _, name, *_ in fetch(db, "PRAGMA table_info(source)")}
    for name, kind in ADDED.items():
        if name not in there:
            db.execute(f"ALTER TABLE source ADD COLUMN {name} {kind}")
    db.execute("CREATE INDEX IF NOT EXISTS source_by_old_key ON source (old_write_hash)")
    for (name,) in fetch(db, SQL.without_secret):
        db.execute(SQL.set_secrets, (json.dumps([_secret()]), name))


class SQLiteSenders:
    """`ports.keys.Senders` over the main file."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def create_key(self, name: str, level: Level, hosts: Sequence[str], now: int) -> NewKey:
        made, identity_secret = _new(f"/behavioral/{secrets.token_hex(8)}"), _secret()
        row = (
            *(name, level, json.dumps(list(hosts)), _digest(made.write_key), made.path.rpartition("/")[2]),
            *(made.access_key, _digest(made.secret), now, json.dumps([identity_secret])),
        )
        try:
            await self._database.write(lambda db: db.execute(SQL.insert, row))
        except Exception as error:
            if isinstance(error.__cause__, apsw.ConstraintError):
                raise BadSettings(f"there is a source called {name!r} already", hint="choose another name") from error
            raise
        return replace(made, identity_secret=identity_secret) if level == "browser" else made

    async def rotate_key(self, name: str, now: int) -> NewKey:
        def work(db: apsw.Connection) -> NewKey:
            (path,) = _found(first(db, SQL.path_of, (name,)), name)
            made = _new(f"/behavioral/{path}")
            row = (_digest(made.write_key), made.access_key, _digest(made.secret), now, name)
            db.execute(SQL.rotate, row)
            return made

        return await self._database.write(work)

    async def retire_key(self, name: str) -> None:
        source = await self._source(name)
        if not source.rotated:
            raise BadSettings(
                f"{name!r} has no old key", hint="rotate it first; then both are valid until you end the old"
            )
        await self._database.write(lambda db: db.execute(SQL.retire, (name,)))

    async def renew_secret(self, name: str) -> str:
        source, secret = await self._source(name), _secret()
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
    ) -> Source:
        if per_second is not None and not 0 <= per_second <= FASTEST:
            raise BadSettings(f"{per_second:g} events a second is not a limit", hint=f"0 for none, at most {FASTEST}")
        if burst is not None and not 0 <= burst <= FASTEST:
            raise BadSettings(
                f"{burst} events at once is not a limit", hint=f"0 for as many as two seconds bring, at most {FASTEST}"
            )
        await self._source(name)
        await self._database.write(lambda db: db.execute(SQL.set, (disabled, verify, orders, per_second, burst, name)))
        return await self._source(name)

    async def delete_source(self, name: str) -> None:
        await self._source(name)
        await self._database.write(lambda db: db.execute(SQL.delete, (name,)))

    async def old_key_used(self, name: str, now: int) -> None:
        await self._database.write(lambda db: db.execute(SQL.old_used, (now, name)))

    async def source_of_write_key(self, key: str) -> Source | None:
        with translated("looking up a write key"):
            row = first(self._database.reading, SQL.of_write_key, (_digest(key),))
        source = _source(row) if row else None
        return source if source is not None and not source.disabled else None

    async def is_old_key(self, key: str) -> bool:
        with translated("looking up a key"):
            return first(self._database.reading, SQL.is_old, (_digest(key),)) is not None

    async def source_of_access_key(self, path_key: str, access_key: str, secret: str) -> Source | None:
        with translated("looking up an access key"):
            row = first(self._database.reading, SQL.of_path, (path_key,))
        if row is None:
            return None
        given, digest = access_key.encode("utf-8", "surrogateescape"), _digest(secret)
        right = [
            hmac.compare_digest((key or "").encode(), given) and hmac.compare_digest(wanted or b"", digest)
            for key, wanted in (row[-4:-2], row[-2:])
        ]
        source = _source(row[:-4])
        return source if any(right) and not source.disabled else None

    async def knows_path(self, path_key: str) -> bool:
        with translated("looking up a path"):
            return first(self._database.reading, SQL.of_path, (path_key,)) is not None

    async def all(self) -> Sequence[Source]:
        with translated("listing sources"):
            return [_source(row) for row in fetch(self._database.reading, SQL.sources)]

    async def _source(self, name: str) -> Source:
        with translated("looking up a source"):
            return _source(_found(first(self._database.reading, SQL.named, (name,)), name))


def _found(row: Any, name: str) -> Any:
    if row is None:
        raise NotFound(f"there is no source called {name[:64]!r}", hint="`wetink keys list` shows those there are")
    return row


def _new(path: str) -> NewKey:
    write_key, access_key, secret = (secrets.token_urlsafe(18) for _ in range(3))
    return NewKey(write_key, access_key, secret, path)


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _source(row: tuple[Any, ...]) -> Source:
    name, level, hosts, known, verify, orders, per_second, burst, disabled, *times = row
    return Source(
        *(name, level, tuple(json.loads(hosts)), tuple(json.loads(known)), bool(verify), orders, per_second, burst),
        *(bool(disabled), *times),
    )
