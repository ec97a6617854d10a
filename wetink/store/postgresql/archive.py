"""Archive: past opens within the operator's limits of age and size.

No open waits for it: a task writes the opens in batches. A crash of the server may lose the last second.
"""

from collections.abc import Callable, Sequence

from wetink.ports.ledger import Opened
from wetink.store.archive import (
    DAY_MS,
    LAST,
    MOST_WAITING,
    SPREAD_BITS,
    ArchiveRow,
    first_key,
    key_of,
    name_of,
    opened_of,
    recipient_of,
    row_of,
    text_of,
)
from wetink.store.postgresql.batch import BatchWriter, Queue
from wetink.store.postgresql.database import Connection, Database
from wetink.store.queries import queries

SQL = queries(__package__, "archive_queries.sql")
AT_MOST = 2_000
"""Opens that one statement removes."""
HOUR_MS = 3_600_000


class PostgresArchive:
    """`ports.ledger.Archive` over a few tables."""

    def __init__(self, database: Database, clock: Callable[[], int], *, days: int, most_bytes: int) -> None:
        """Read and write `database`. `clock` returns Unix ms. With 0 days, nothing is kept."""
        self._database, self._clock, self._days, self._most = database, clock, days, most_bytes
        self.writer = BatchWriter("kept opens", database, {"opens": Queue(_write, MOST_WAITING)})

    @property
    def lost(self) -> int:
        """Number of opens that were dropped."""
        return self.writer.lost

    def keep(self, opened: Opened) -> None:
        if self._days and (row := row_of(opened)) is not None:
            self.writer.put("opens", row)

    async def find(self, decision_id: str) -> Opened | None:
        try:
            key = key_of(decision_id)
        except ValueError:
            return None
        await self.writer.flush()
        async with self._database.reading("reading the archive") as connection:
            row = await connection.fetchrow(SQL.find, key)
        found = _opened(row) if row is not None else None
        return found if found is not None and found.decision.id == decision_id else None

    async def newest(
        self, until: int, limit: int, *, recipients: Sequence[str] | None = None, block: str = ""
    ) -> Sequence[Opened]:
        await self.writer.flush()
        end = first_key(until + 1)
        async with self._database.reading("reading the archive") as connection:
            if recipients is not None:
                rows = await connection.fetch(
                    SQL.of_recipients, end, limit, [recipient_of(each) for each in recipients]
                )
            elif block:
                rows = await connection.fetch(SQL.of_block, end, limit, block)
            else:
                rows = await connection.fetch(SQL.newest, end, limit)
        opens = [_opened(row) for row in rows]
        return [each for each in opens if not block or each.decision.block == block]

    async def tidy(self) -> bool:
        end = first_key(self._clock() - self._days * DAY_MS)

        async def remove(connection: Connection) -> int:
            gone = int(await connection.fetchval(SQL.outlived, end, AT_MOST))
            if await connection.fetchval(SQL.used) > self._most:
                gone += int(await connection.fetchval(SQL.outlived, first_key(LAST), AT_MOST))
            await connection.execute(SQL.empty_hours)
            return gone

        async def remove_texts(connection: Connection) -> None:
            await connection.execute(SQL.exclude)
            await connection.execute(SQL.unused_texts)

        gone = await self._database.transact("tidying the archive", remove, durable=False)
        if gone:
            await self._database.transact("tidying the archive", remove_texts, durable=False)
        return gone >= AT_MOST

    async def close(self) -> None:
        """Write the waiting rows. A second call does nothing."""
        await self.writer.close()


def _opened(row: Sequence[bytes]) -> Opened:
    body, block, template = row
    return opened_of(body, block, template.decode())


async def _write(connection: Connection, waiting: Sequence[ArchiveRow]) -> None:
    """Write opens, inside a transaction. Texts are written with each batch: unused ones may have been removed."""
    texts: dict[int, tuple[int, bytes]] = {}
    rows = []
    for row in waiting:
        written, hour = text_of(row.block), (row.key >> SPREAD_BITS) // HOUR_MS
        parts = name_of(written), name_of(row.template)
        for name, text in zip(parts, (written, row.template), strict=True):
            used = max(hour, texts[name][0] if name in texts else 0)
            texts[name] = used, text.encode()
        rows.append((row.key, row.recipient, row.name, *parts, row.body))
    await connection.execute(SQL.share)
    kept = [(name, used, text) for name, (used, text) in sorted(texts.items())]
    await connection.execute(SQL.insert_texts, *zip(*kept, strict=True))
    await connection.execute(SQL.insert, *zip(*sorted(rows), strict=True))
