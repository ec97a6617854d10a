"""Secrets: rows that every process reads each second."""

from collections.abc import Mapping

from wetink.core.errors import Conflict
from wetink.store.postgresql.database import Database
from wetink.store.queries import queries

SQL = queries(__package__, "secret_queries.sql")


class PostgresSecrets:
    """`ports.keys.Secrets` over one table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def all(self) -> Mapping[str, str]:
        async with self._database.reading("reading the secrets") as connection:
            return dict(await connection.fetch(SQL.all))

    async def keep(self, name: str, value: str) -> None:
        async with self._database.reading("keeping a secret") as connection:
            await connection.execute(SQL.keep, name, value)

    async def replace(self, name: str, known: str, value: str) -> None:
        async with self._database.reading("replacing a secret") as connection:
            if await connection.fetchval(SQL.replace, name, known, value) is None:
                raise Conflict(f"the secret {name} was replaced by somebody else", hint="try again")

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""
