"""Inspection: the facts about the tables of a database."""

from collections.abc import Mapping

from wetink.store.postgresql.database import Database
from wetink.store.queries import queries

SQL = queries(__package__, "inspection_queries.sql")


class PostgresInspection:
    """`ports.inspection.Inspection`."""

    def __init__(self, database: Database) -> None:
        """Report on `database`."""
        self._database = database

    async def sizes(self) -> Mapping[str, int]:
        async with self._database.reading("measuring the tables") as db:
            return dict(await db.fetch(SQL.sizes))
