"""Inspection: the facts about the tables of a database."""

from collections.abc import Mapping, Sequence

from wetink.ports.inspection import Checked, Part
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

    async def faults(self) -> Sequence[str]:
        return ()  # PostgreSQL checks pages as it reads them (data checksums); amcheck is for its operator

    async def sample(self, part: Part, limit: int | None, *, repair: bool = False) -> Checked | None:
        return None
