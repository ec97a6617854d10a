"""Uploads: files as rows, one for each part. All parts of a new file are written before it replaces the old one."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress

from wetink.core.errors import NotFound, StoreUnavailable
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "upload_queries.sql")
LEFT_MS = 3_600_000
"""Age of parts without a complete upload after which they are deleted, in milliseconds."""


class PostgresUploads:
    """`ports.content.UploadedFiles` over two tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def revisions(self) -> Mapping[str, str]:
        async with self._database.reading("listing uploads") as connection:
            return dict(await connection.fetch(SQL.revisions))

    async def put(self, name: str, parts: Iterator[bytes], at: int) -> str:
        name, revision, number = storable(name), f"{at:013}-{secrets.token_hex(8)}", 0

        async def work(connection: Connection) -> None:
            await connection.execute(SQL.lock, name)
            before = await connection.fetchval(SQL.revision, name)
            await connection.execute(SQL.put, name, revision)
            await connection.execute(SQL.drop, before)
            await connection.execute(SQL.left, f"{at - LEFT_MS:013}")

        try:
            while (part := await asyncio.to_thread(next, parts, None)) is not None:
                async with self._database.reading("keeping an upload") as connection:
                    await connection.execute(SQL.add_part, revision, number, part)
                number += 1
            await self._database.transact("keeping an upload", work)
        except BaseException:
            with suppress(StoreUnavailable):
                async with self._database.reading("leaving out an upload") as connection:
                    await connection.execute(SQL.drop, revision)
            raise
        return revision

    async def read(self, name: str, revision: str) -> AsyncIterator[bytes]:
        number = 0
        while (part := await self._part(storable(name), revision, number)) is not None:
            yield part
            number += 1

    async def _part(self, name: str, revision: str, number: int) -> bytes | None:
        async with self._database.reading("reading an upload") as connection:
            body: bytes | None = await connection.fetchval(SQL.part, revision, number)
            if body is None and await connection.fetchval(SQL.revision, name) != revision:
                raise NotFound(f"another {name} was uploaded", hint="try again")
        return body

    async def remove(self, name: str, revision: str) -> None:
        name = storable(name)

        async def work(connection: Connection) -> None:
            await connection.execute(SQL.lock, name)
            if await connection.fetchval(SQL.revision, name) == revision:
                await connection.execute(SQL.remove, name, revision)
                await connection.execute(SQL.drop, revision)

        await self._database.transact("removing an upload", work)

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""
