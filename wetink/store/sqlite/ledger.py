"""The ledger: decisions, opens and clicks, in a file of their own.

They never wait for ingest's lock, and a commit need not reach the disk before an open is answered: what a power cut
can take is the last second's statistics, not a message.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import apsw
import msgspec

from wetink.core.block import Decision, stands
from wetink.ports import BlockCount, Touch
from wetink.store.sqlite.connection import connect, fetch, first, translated
from wetink.store.sqlite.queries import read, script

logger = logging.getLogger(__name__)
SQL = read("ledger_queries.sql")
KINDS = ("open", "click")
FLUSH_SECONDS = 0.5

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode


class SQLiteLedger:
    """`ports.Ledger` over one SQLite file, shared by all processes. Used from one thread, its event loop's."""

    def __init__(self, folder: Path) -> None:
        """Open (or make) the ledger in a folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "opens.db"
        self._db = connect(self._path, durable=False)
        with translated("opening the ledger"):
            self._db.execute(script("ledger.sql"))
        self._waiting: list[Touch] = []
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wetink-ledger", daemon=True)
        self._thread.start()

    async def settle(self, decision: Decision, slot: int, ttl_ms: int) -> tuple[Decision, bool]:
        """See `ports.Ledger.settle`."""
        with translated("settling a decision"):
            kept = self._kept(decision, slot, ttl_ms)
            if kept is not None:
                return kept, False
            self._db.execute("BEGIN IMMEDIATE")
            try:
                kept = self._kept(decision, slot, ttl_ms)  # another process may have been quicker
                if kept is None:
                    key = (decision.recipient, decision.block, decision.campaign)
                    self._db.execute(SQL.keep, (*key, decision.at, 1 << slot, _encode(decision)))
            finally:
                self._db.execute("COMMIT")
            return (decision, True) if kept is None else (kept, False)

    def _kept(self, fresh: Decision, slot: int, ttl_ms: int) -> Decision | None:
        key = (fresh.recipient, fresh.block, fresh.campaign)
        row = first(self._db, SQL.current, key)
        if row is None:
            return None
        served, body = row
        current = _decode(body)
        if not stands(current, served, fresh, slot, ttl_ms):
            return None
        if not served >> slot & 1:
            self._db.execute(SQL.serve, (served | 1 << slot, *key))
        return current

    async def current(self, block: str, recipient: str, campaign: str) -> Decision | None:
        """See `ports.Ledger.current`."""
        with translated("reading a decision"):
            row = first(self._db, SQL.current, (recipient, block, campaign))
        return _decode(row[1]) if row is not None else None

    async def record(self, touch: Touch) -> None:
        """See `ports.Ledger.record`."""
        with self._mutex:
            self._waiting.append(touch)

    async def touches(self, recipients: Sequence[str], since: int, until: int) -> Sequence[Touch]:
        """See `ports.Ledger.touches`."""
        self.flush()
        with translated("reading opens and clicks"):
            found = [
                Touch(KINDS[kind], block, recipient, campaign, at, variant)
                for each in dict.fromkeys(recipients)
                for recipient, at, kind, block, campaign, variant in fetch(
                    self._db, SQL.touches_of, (each, since, until)
                )
            ]
        return sorted(found, key=lambda touch: touch.at)

    async def counts(self, since: int, until: int) -> Sequence[BlockCount]:
        """See `ports.Ledger.counts`."""
        self.flush()
        with translated("counting opens and clicks"):
            return [BlockCount(*row) for row in fetch(self._db, SQL.counts, (since, until))]

    def flush(self) -> None:
        """Write what waits. Never raises: a lost statistic must not lose an open."""
        with self._mutex:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            db = connect(self._path, durable=False)
            try:
                with db:
                    db.executemany(
                        SQL.insert_touch,
                        [(t.recipient, t.at, KINDS.index(t.kind), t.block, t.campaign, t.variant) for t in waiting],
                    )
            finally:
                db.close()
        except apsw.Error:
            logger.exception("%d opens and clicks were not counted", len(waiting))

    async def close(self) -> None:
        """Write what waits and let go. Calling it twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        self.flush()
        self._db.close()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self.flush()
