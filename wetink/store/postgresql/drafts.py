"""Drafts: the unpublished content files as rows."""

from collections.abc import Sequence

from wetink.ports.content import Draft, overtaken
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "draft_queries.sql")


class PostgresDrafts:
    """`ports.content.Drafts` over one table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def get(self, path: str) -> Draft | None:
        async with self._database.reading("reading a draft") as connection:
            return await _there(connection, path)

    async def all(self) -> Sequence[Draft]:
        async with self._database.reading("reading drafts") as connection:
            return [Draft(*row) for row in await connection.fetch(SQL.all)]

    async def put(self, path: str, body: bytes | None, base: str, expected_revision: int, by: str, at: int) -> Draft:
        by = storable(by)
        statement, given = (SQL.change, [expected_revision]) if expected_revision else (SQL.begin, [])

        async def work(connection: Connection) -> Draft:
            revision = await connection.fetchval(statement, path, body, base, by, at, *given)
            if revision is None:
                raise overtaken(await _there(connection, path), path)
            return Draft(path, body, base, revision, by, at)

        return await self._database.transact("saving a draft", work)

    async def drop(self, path: str, expected_revision: int) -> None:
        async def work(connection: Connection) -> None:
            if await connection.fetchval(SQL.drop, path, expected_revision) is None:
                there = await _there(connection, path)
                if there is not None:
                    raise overtaken(there, path)

        await self._database.transact("dropping a draft", work)

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""


async def _there(connection: Connection, path: str) -> Draft | None:
    row = await connection.fetchrow(SQL.get, path)
    return Draft(*row) if row is not None else None
