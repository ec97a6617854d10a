"""Archive: past opens in their own file, within the operator's limits of age and size.

No open waits for it: a thread writes the opens in batches. A power cut may lose the last second.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wetink.ports.ledger import Opened
from wetink.store.archive import (
    DAY_MS,
    MOST_WAITING,
    ArchiveRow,
    first_key,
    key_of,
    name_of,
    opened_of,
    recipient_of,
    row_of,
    text_of,
)
from wetink.store.interactions import encode_json
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import THREAD_BUSY_MS, BatchWriter, Queue
from wetink.store.sqlite.connection import LOOP_BUSY_MS, connect, fetch, first, in_thread, insert, translated

SQL = queries(__package__, "archive_queries.sql")
AT_MOST = 2_000
"""Opens that one statement removes."""


class SQLiteArchive:
    """`ports.Archive` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path, clock: Callable[[], int], *, days: int, most_bytes: int) -> None:
        """Open the archive in a folder, or create it. `clock` returns Unix ms. With 0 days, nothing is kept."""
        self._clock, self._days, self._most = clock, days, most_bytes
        self._db = connect(folder / "archive.db", durable=False, busy_ms=LOOP_BUSY_MS)
        self._writing = connect(folder / "archive.db", durable=False, busy_ms=THREAD_BUSY_MS)
        with translated("opening the archive"):
            self._writing.execute(script(__package__, "archive.sql"))
        self.writer = BatchWriter("kept opens", self._writing, {"opens": Queue(self._write, MOST_WAITING)})

    @property
    def lost(self) -> int:
        """Number of opens that were dropped."""
        return self.writer.lost

    def keep(self, opened: Opened) -> None:
        if not self._days:
            return
        row = row_of(opened)
        if row is not None:
            self.writer.put("opens", row)

    async def find(self, decision_id: str) -> Opened | None:
        try:
            where = key_of(decision_id)
        except ValueError:
            return None
        await asyncio.to_thread(self.flush)
        with translated("reading the archive"):
            found = self._found(where)
        return found if found is not None and found.decision.id == decision_id else None

    def _found(self, where: int) -> Opened | None:
        row = first(self._db, SQL.find, (where,))
        return opened_of(*row) if row is not None else None

    async def newest(
        self, until: int, limit: int, *, recipients: Sequence[str] | None = None, block: str = ""
    ) -> Sequence[Opened]:
        await asyncio.to_thread(self.flush)
        end = first_key(until + 1)
        with translated("reading the archive"):
            if recipients is not None:
                whose = [recipient_of(each) for each in recipients]
                rows = [row for who in whose for row in fetch(self._db, SQL.of_recipient, (who, end, limit))]
            elif block:
                rows = fetch(self._db, SQL.of_block, (block, end, limit))
            else:
                rows = fetch(self._db, SQL.newest, (end, limit))
            opens = [self._found(where) for (where,) in sorted(rows, reverse=True)[:limit]]
        return [each for each in opens if each is not None and (not block or each.decision.block == block)]

    def flush(self) -> bool:
        """Write the waiting rows. Returns whether none are left. Never raises: rows that cannot be written wait."""
        return self.writer.flush()

    def _write(self, waiting: Sequence[ArchiveRow]) -> None:
        texts: dict[int, str] = {}
        rows: list[tuple[Any, ...]] = []
        for where, who, name, block, template, body in waiting:
            written = text_of(block)
            parts = name_of(written), name_of(template)
            texts.update(zip(parts, (written, template), strict=True))
            rows.append((where, who, name, *parts, body))
        # Texts are written with each batch: another process may have removed unused ones in the meantime.
        self._writing.execute(SQL.insert_texts, (encode_json(texts).decode(),))
        insert(self._writing, SQL.insert, rows)

    @in_thread
    def tidy(self) -> bool:
        with self.writer.writing, translated("tidying the archive"):
            gone = self._changed(SQL.outlived, (first_key(self._clock() - self._days * DAY_MS),))
            pages, size = first(self._writing, SQL.used)
            if pages * size > self._most:
                gone += self._changed(SQL.oldest, ())
            if gone:
                self._writing.execute(SQL.unused_texts)
        return gone >= AT_MOST

    def _changed(self, query: str, values: tuple[int, ...]) -> int:
        before = self._writing.total_changes()
        self._writing.execute(query, values)
        return self._writing.total_changes() - before

    async def close(self) -> None:
        """Write the waiting rows and close the file. A second call does nothing."""
        await asyncio.to_thread(self.writer.close)
        self._db.close()
        self._writing.close()
