"""The archive: what opens got, in a file of its own, for as long as the operator wants and no larger than that.

An open waits for none of it: what is kept is written by a thread, many at a time. A power cut may take the last second.
"""

import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw
import msgspec
from msgspec.structs import replace

from wetink.core.block import Block, Decision
from wetink.core.person import Moment
from wetink.ports.archive import Opened
from wetink.store.sqlite.connection import connect, fetch, first, translated
from wetink.store.sqlite.queries import read, script

logger = logging.getLogger(__name__)
SQL = read("archive_queries.sql")
FLUSH_SECONDS = 0.5
TIDY_SECONDS = 20.0
DAY_MS = 86_400_000
AT_ONCE = 100
"""Opens that one statement writes."""
MOST_WAITING = 20_000
"""Opens that wait to be written: when the disk takes none, the oldest of them are not kept."""

_json = msgspec.json.Encoder().encode
_decision = msgspec.json.Decoder(Decision).decode
_moment = msgspec.json.Decoder(Moment).decode
_block = msgspec.json.Decoder(Block).decode


class SQLiteArchive:
    """`ports.Archive` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path, clock: Callable[[], int], *, days: int, most_bytes: int) -> None:
        """Open (or make) the archive in a folder. `clock` says the time in Unix ms. With 0 days nothing is kept."""
        self._clock, self._days, self._most = clock, days, most_bytes
        self._db = connect(folder / "archive.db", durable=False)
        self._writing = connect(folder / "archive.db", durable=False)
        with translated("opening the archive"):
            self._db.execute(script("archive.sql"))
        self._waiting: deque[Opened] = deque(maxlen=MOST_WAITING)
        self._blocks: dict[str, tuple[Block, str, str]] = {}
        self._texts: dict[str, str] = {}
        self._written: set[str] = set()
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wetink-archive", daemon=True)
        self._thread.start()

    def keep(self, opened: Opened) -> None:
        """See `ports.Archive.keep`."""
        if self._days:
            self._waiting.append(opened)

    async def find(self, decision_id: str) -> Opened | None:
        """See `ports.Archive.find`."""
        self.flush()
        with translated("reading the archive"):
            row = first(self._db, SQL.find, (decision_id,))
        return None if row is None else Opened(_decision(row[0]), _moment(row[1]), _block(row[2]), row[3])

    async def newest(
        self, until: int, limit: int, *, recipients: Sequence[str] | None = None, block: str = ""
    ) -> Sequence[Opened]:
        """See `ports.Archive.newest`."""
        self.flush()
        with translated("reading the archive"):
            if recipients is not None:
                found = [row for each in recipients for row in fetch(self._db, SQL.of_recipient, (each, until, limit))]
            elif block:
                found = fetch(self._db, SQL.of_block, (block, until, limit))
            else:
                found = fetch(self._db, SQL.newest, (until, limit))
        found.sort(key=lambda row: -row[0])
        opens = [await self.find(name) for _, name in found[:limit]]
        return [each for each in opens if each is not None and (not block or each.decision.block == block)]

    def flush(self) -> None:
        """Write what waits. Never raises: a record that is lost must not lose an open."""
        with self._mutex:
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not waiting:
                return
            try:
                self._write(waiting)
            except apsw.Error:
                self._written.clear()
                logger.exception("%d opens were not kept", len(waiting))

    def _write(self, waiting: Sequence[Opened]) -> None:
        parts: dict[str, str] = {}
        rows = []
        for each in waiting:
            decision, moment = each.decision, replace(each.moment, latitude=None, longitude=None)
            try:
                said = _json(decision).decode(), _json(moment).decode()
            except (TypeError, ValueError):  # whatever an app of somebody's puts among its facts
                logger.exception("an open of %s was not kept", decision.block)
                continue
            digests = self._of_block(each.block, parts), self._of_text(each.template, parts)
            rows.append((decision.id, decision.at, decision.recipient, decision.block, *said, *digests))
        # One statement for many: a statement for each would pass Python's lock to and fro with the event loop, and JSON
        # of all of them takes SQLite three times as long to read.
        if parts:
            self._writing.execute(SQL.insert_parts, (_json(parts).decode(),))
        with self._writing:
            for start in range(0, len(rows), AT_ONCE):
                some = rows[start : start + AT_ONCE]
                marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(some))
                self._writing.execute(f"{SQL.insert} {marks}", [value for row in some for value in row])
        self._written.update(parts)

    def _of_block(self, block: Block, parts: dict[str, str]) -> str:
        known = self._blocks.get(block.name)
        if known is None or known[0] is not block:
            text = _json(block).decode()
            known = self._blocks[block.name] = (block, _digest(text), text)
        if known[1] not in self._written:
            parts[known[1]] = known[2]
        return known[1]

    def _of_text(self, text: str, parts: dict[str, str]) -> str:
        if text not in self._texts:
            if len(self._texts) > 1_000:
                self._texts.clear()
            self._texts[text] = _digest(text)
        digest = self._texts[text]
        if digest not in self._written:
            parts[digest] = text
        return digest

    def tidy(self) -> None:
        """Remove what is older than it may be, and the oldest of what is too much. Never raises."""
        try:
            with self._mutex:
                gone = self._changed(SQL.outlived, (self._clock() - self._days * DAY_MS,))
                pages, size = first(self._writing, SQL.used)
                if pages * size > self._most:
                    gone += self._changed(SQL.oldest, ())
                if gone:
                    self._writing.execute(SQL.unused_parts)
                    self._written.clear()
        except apsw.Error:
            logger.exception("the archive cannot be tidied")

    def _changed(self, query: str, values: tuple[int, ...]) -> int:
        before = self._writing.total_changes()
        self._writing.execute(query, values)
        return self._writing.total_changes() - before

    async def close(self) -> None:
        """Write what waits and let go. Calling it twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        self.flush()
        self._db.close()
        self._writing.close()

    def _run(self) -> None:
        tidied = time.monotonic()
        while not self._closing.wait(FLUSH_SECONDS):
            self.flush()
            if time.monotonic() - tidied > TIDY_SECONDS:
                self.tidy()
                tidied = time.monotonic()


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
