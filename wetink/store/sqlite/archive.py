"""Archive: past opens in their own file, within the operator's limits of age and size.

No open waits for it: a thread writes the opens in batches. A power cut may lose the last second.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from wetink.core.blocks.block import TIME_DIGITS, Block, Decision, memoize
from wetink.core.profile.person import Moment
from wetink.ports.ledger import Opened
from wetink.store.codec import fingerprint
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import THREAD_BUSY_MS, BatchWriter, Queue
from wetink.store.sqlite.connection import LOOP_BUSY_MS, connect, fetch, first, in_thread, translated

logger = logging.getLogger(__name__)
SQL = queries(__package__, "archive_queries.sql")
DAY_MS = 86_400_000
AT_ONCE, AT_MOST = 100, 2_000
"""Opens that one statement writes, and opens that one removes."""
MOST_WAITING = 20_000
"""Opens that wait to be written. If the disk rejects writes, further ones are dropped."""
SPREAD_BITS = 21
"""Bits of a key that separate opens of the same millisecond."""
LAST = (1 << 63 - SPREAD_BITS) - 1
"""The last millisecond (Unix ms) that a key can hold, in the year 2109."""

_json = msgspec.json.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Decision, Moment]).decode
_block = msgspec.json.Decoder(Block).decode

_Row: TypeAlias = tuple[int, int, str, Block, str, bytes]
"""A row, with the block and the template themselves instead of their names."""


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
        decision, moment = opened.decision, opened.moment
        if moment.latitude is not None or moment.longitude is not None:
            moment = replace(moment, latitude=None, longitude=None)
        try:
            where, body = _place(decision.id), _encode((decision, moment))
        except (TypeError, ValueError, OverflowError):  # a custom app's facts may have any value
            logger.exception("an open of %s was not kept", decision.block)
            return
        who = fingerprint("opened", decision.recipient)
        self.writer.put("opens", (where, who, decision.block, opened.block, opened.template, body))

    async def find(self, decision_id: str) -> Opened | None:
        try:
            where = _place(decision_id)
        except ValueError:
            return None
        await asyncio.to_thread(self.flush)
        with translated("reading the archive"):
            found = self._found(where)
        return found if found is not None and found.decision.id == decision_id else None

    def _found(self, where: int) -> Opened | None:
        row = first(self._db, SQL.find, (where,))
        return Opened(*_decode(row[0]), _block(row[1]), row[2]) if row is not None else None

    async def newest(
        self, until: int, limit: int, *, recipients: Sequence[str] | None = None, block: str = ""
    ) -> Sequence[Opened]:
        await asyncio.to_thread(self.flush)
        end = _places(until + 1)
        with translated("reading the archive"):
            if recipients is not None:
                whose = [fingerprint("opened", each) for each in recipients]
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

    def _write(self, waiting: Sequence[_Row]) -> None:
        texts: dict[int, str] = {}
        rows: list[tuple[Any, ...]] = []
        for where, who, name, block, template, body in waiting:
            written = _written_down(block)
            parts = _name(written), _name(template)
            texts.update(zip(parts, (written, template), strict=True))
            rows.append((where, who, name, *parts, body))
        # One statement writes many rows: one for each would pass Python's lock back and forth with the event loop, and
        # JSON of all rows takes SQLite three times as long to read. Texts are written with each batch: another process
        # may have removed unused ones in the meantime.
        self._writing.execute(SQL.insert_texts, (_json(texts).decode(),))
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            marks = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(some))
            self._writing.execute(f"{SQL.insert} {marks}", [value for row in some for value in row])

    @in_thread
    def tidy(self) -> bool:
        with self.writer.writing, translated("tidying the archive"):
            gone = self._changed(SQL.outlived, (_places(self._clock() - self._days * DAY_MS),))
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


def _place(decision_id: str) -> int:
    """Return the key of a decision, which begins with its time, so that the newest are neighbors. Raises ValueError."""
    at, rest = int(decision_id[:TIME_DIGITS], 16), int(decision_id[TIME_DIGITS:], 16)
    return _places(at) | rest & (1 << SPREAD_BITS) - 1


def _places(at: int) -> int:
    """Return the first key of a time (Unix ms). Times outside the range get the first or the last one."""
    return max(0, min(at, LAST)) << SPREAD_BITS


@memoize
def _written_down(block: Block) -> str:
    return _json(block).decode()


@lru_cache(maxsize=1_000)
def _name(text: str) -> int:
    return fingerprint("text", text)
