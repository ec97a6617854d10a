"""Report cache: sums of reports in a table. A crash of the server may lose the last second."""

from collections.abc import Mapping, Sequence

from wetink.ports import CACHED_MS
from wetink.store.postgresql.database import Connection, Database
from wetink.store.queries import queries

SQL = queries(__package__, "report_cache_queries.sql")


class PostgresReportCache:
    """`ports.ReportCache` over a table."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def get(self, key: bytes, starts: Sequence[int]) -> Mapping[int, bytes]:
        async with self._database.reading("reading sums of reports") as connection:
            return dict(await connection.fetch(SQL.get, key, list(starts)))

    async def put(self, key: bytes, start: int, body: bytes, at: int) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(SQL.put, key, start, at, body)
            await connection.execute(SQL.forget, at - CACHED_MS)

        await self._database.transact("keeping sums of reports", work, durable=False)
