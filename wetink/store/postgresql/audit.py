"""Audit: API tokens, and the log of changes."""

from collections.abc import Sequence
from typing import Any

from wetink.core.access.account import ApiToken
from wetink.core.access.audit import Entry
from wetink.core.errors import NotFound
from wetink.store.accounts import entry_row, token_of, token_row
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "token_queries.sql")
LAST = 2**63 - 1


class PostgresApiTokens:
    """`ports.accounts.ApiTokens` over one table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def add(self, token: ApiToken) -> None:
        async with self._database.reading("adding an API token") as connection:
            await connection.execute(SQL.add, *map(_storable, token_row(token)))

    async def all(self) -> Sequence[ApiToken]:
        async with self._database.reading("listing API tokens") as connection:
            return [token_of(row) for row in await connection.fetch(SQL.all)]

    async def get(self, id_: str) -> ApiToken | None:
        async with self._database.reading("looking up an API token") as connection:
            row = await connection.fetchrow(SQL.get, storable(id_))
        return token_of(row) if row else None

    async def note_use(self, id_: str, now: int) -> None:
        async with self._database.reading("noting the use of an API token") as connection:
            await connection.execute(SQL.note_use, id_, now)

    async def revoke(self, id_: str, now: int) -> None:
        async with self._database.reading("ending an API token") as connection:
            if await connection.fetchval(SQL.revoke, storable(id_), now) is None:
                raise NotFound("there is no such token", hint="reload the page")


class PostgresAuditLog:
    """`ports.accounts.AuditLog` over one table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def write(self, entry: Entry) -> None:
        async with self._database.reading("writing the audit log") as connection:
            await connection.execute(SQL.write, *map(_storable, entry_row(entry)))

    async def read(
        self,
        limit: int,
        *,
        before: int | None = None,
        actor: str = "",
        thing: str = "",
        since: int = 0,
        until: int | None = None,
    ) -> Sequence[Entry]:
        last = until if until is not None else LAST
        async with self._database.reading("reading the audit log") as connection:
            given = before or LAST, storable(actor), storable(thing), since, last, limit
            return [Entry(*row) for row in await connection.fetch(SQL.read, *given)]

    async def actors(self) -> Sequence[str]:
        async with self._database.reading("reading the audit log") as connection:
            return [actor for (actor,) in await connection.fetch(SQL.actors)]


def _storable(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value
