"""Ledger: decisions, opens and clicks, in their own file.

They never wait for ingest's lock, and an open is answered before its commit is on disk: a power cut may lose the last
second's statistics, but no message. An open does not wait for another process that holds the file either: its decision
stays in memory and is written later (see `Late`).
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import msgspec
from msgspec.structs import replace

from wetink.core.blocks.block import MARKS, Decision, Onlooker, settled, stands
from wetink.core.client_classification import Kind
from wetink.core.errors import StoreUnavailable
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DayCount
from wetink.ports.drawing import Served
from wetink.ports.ledger import Group, Listed, Revision, TouchPlace, TouchQuery
from wetink.store.interactions import added, asked_of, counted, encode_json, join, quarter_of, touch_of
from wetink.store.queries import queries, script
from wetink.store.sqlite import interactions, rollups
from wetink.store.sqlite.batch import THREAD_BUSY_MS, Batch, BatchWriter, Queue, passing, transaction
from wetink.store.sqlite.connection import (
    HOT_KB,
    LOOP_BUSY_MS,
    Version,
    connect,
    fetch,
    first,
    in_thread,
    refuse_older,
    translated,
    unavailable,
)

logger = logging.getLogger(__name__)
SQL = queries(__package__, "ledger_queries.sql")
SQL_CONTACTS = interactions.SQL
MOST_DECISIONS, MOST_ROWS = 10_000, 10_000
"""Limits of waiting decisions and rows. Further ones are dropped."""
MOST_TOUCHES = MOST_PICTURES = 50_000
"""Limits of waiting opens and clicks, and of waiting counts of pictures. Further ones are lost."""
REMEMBERED = 10_000
"""Decisions that a process caches while no other connection writes."""

Key: TypeAlias = tuple[str, str, str]
"""Recipient, block, campaign."""
AudiencesOf: TypeAlias = Callable[[Collection[str]], Mapping[str, Sequence[str]]]
"""Returns the audiences of recipients (`kind:value`) by recipient."""
Row: TypeAlias = tuple[str, tuple[Any, ...]]
"""A statement and its values."""
_Job: TypeAlias = tuple[Decision, int, int, Onlooker, "asyncio.Future[tuple[Decision, bool]]"]
"""A decision, its slot, its time to live (ms), the kind of fetch, and the future of the caller."""
_Outcome: TypeAlias = tuple[Decision, bool] | Exception

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode


class Late:
    """Decisions and promises that wait to be written: another process holds the file, or the disk is full.

    The event loop adds and reads them; a thread writes and removes them.
    """

    def __init__(self, writer: BatchWriter) -> None:
        """Write them with `writer`, as its kinds `decisions` and `rows`."""
        self._writer = writer
        self.decisions: dict[Key, tuple[Decision, int]] = {}
        self.promises: dict[tuple[str, str], dict[str, Any]] = {}
        self.locked = False
        """Whether a write has failed and none has succeeded since: the event loop does not try again."""

    def decide(self, key: Key, decision: Decision, served: int) -> None:
        """Add a decision and its slots, in place of the earlier one."""
        kept = decision, served
        with self._writer.mutex:
            self.locked = True
            if self._writer.put("decisions", (key, kept), key):
                self.decisions[key] = kept

    def promise(self, recipient: str, block: str, promise: Mapping[str, Any], rows: Sequence[Row]) -> None:
        """Add promises that were not given before, with their rows."""
        with self._writer.mutex:
            given = self.promises.setdefault((recipient, block), {})
            given.update({name: value for name, value in promise.items() if name not in given})
            for row in rows:
                self.row(row)

    def row(self, row: Row) -> None:
        """Add a statement. It runs before opens and clicks are counted."""
        with self._writer.mutex:
            self.locked = True
            self._writer.put("rows", row)

    def tried(self, taken: Batch, written: bool) -> None:
        """Drop written ones. Called under the writer's mutex."""
        if not written:
            return
        for key, kept in taken["decisions"]:
            if self.decisions.get(key) is kept:
                del self.decisions[key]
        if not self._writer.pending("decisions") and not self._writer.pending("rows"):
            self.locked = False
            self.promises.clear()


class SQLiteLedger:
    """`ports.Ledger` over one SQLite file, shared by all processes. Used from one thread, its event loop's."""

    def __init__(self, folder: Path, audiences_of: AudiencesOf = lambda recipients: {}) -> None:
        """Open the file in a folder. `audiences_of` returns the audiences of recipients, in the writing thread."""
        self._audiences_of = audiences_of
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "opens.db"
        self._db = connect(self._path, durable=False, busy_ms=LOOP_BUSY_MS, cache_kb=HOT_KB)
        self._flushing = connect(self._path, durable=False, busy_ms=THREAD_BUSY_MS)
        self._reading, self._reads = connect(self._path, durable=False), threading.Lock()  # for threads, one at a time
        with translated("opening the ledger"):
            refuse_older(self._flushing, "contact", {"contact.fetch_class", "daily.implied_opens"})
            for db in (self._flushing, self._reading):
                interactions.prepare(db)
            rollups.create(self._flushing)
            self._flushing.execute(script(__package__, "exposures.sql"))
        self._unsettled: list[_Job] = []
        self._remembered: dict[Key, tuple[Decision, int] | None] = {}
        self._file_version = Version(lambda: self._db)
        self._version = -1  # the version of the cache
        queues = {
            "decisions": Queue(self._keep, MOST_DECISIONS),
            "rows": Queue(lambda rows: [self._flushing.execute(*row) for row in rows], MOST_ROWS),
            "pictures": Queue(partial(interactions.count_pictures, self._flushing), MOST_PICTURES, added),
            "touches": Queue(self._count, MOST_TOUCHES),
        }
        self.writer = BatchWriter(
            "opens, clicks or decisions", self._flushing, queues, tried=lambda *how: self.late.tried(*how)
        )
        self.late = Late(self.writer)

    @property
    def lost(self) -> int:
        """Number of opens, clicks and decisions that could never be written."""
        return self.writer.lost

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        kept = self._standing(decision, slot, ttl_ms)
        mark = 1 << slot | MARKS[by]
        if kept is not None and kept[1] & mark == mark:
            return kept[0], False
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[tuple[Decision, bool]] = loop.create_future()
        self._unsettled.append((decision, slot, ttl_ms, by, settled))
        if len(self._unsettled) == 1:
            loop.call_soon(self._settle)
        return await settled

    def _settle(self) -> None:
        waiting, self._unsettled = self._unsettled, []
        try:
            outcomes = None if self.late.locked else self._together(waiting)
        except apsw.Error as error:  # another process has the file, or the disk is full: opens are decided even so
            logger.warning("what opens get is written later: %s", error, exc_info=not passing(error))
            outcomes = None
        if outcomes is None:
            outcomes = [self._settled(*job[:4], late=True) for job in waiting]
        for (*_, future), outcome in zip(waiting, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _together(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        """Settle many in one transaction. Raises apsw.Error: nothing was written."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._settled(*job[:4], late=False) for job in jobs]
            self._db.execute("COMMIT")
        except BaseException:
            self._remembered = {}
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return outcomes

    def _settled(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker, *, late: bool) -> _Outcome:
        """Settle one of many. An error is returned as its own outcome."""
        try:
            return self._kept(decision, slot, ttl_ms, by, late=late)
        except StoreUnavailable as error:
            return error
        except apsw.Error:
            raise
        except Exception as error:
            logger.exception("a decision of %s could not be settled", decision.block)
            return error

    def _kept(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker, *, late: bool) -> tuple[Decision, bool]:
        key = (decision.recipient, decision.block, decision.campaign)
        kept = self._standing(decision, slot, ttl_ms)
        state, first = settled(kept, decision, slot, ttl_ms, by)
        current, served = state
        if kept is None or kept[1] != served:
            if late:
                self.late.decide(key, current, served)
            else:
                if kept is None:
                    self._db.execute(SQL.keep, (*key, decision.at, served, _encode(decision)))
                else:
                    self._db.execute(SQL.serve, (served, *key))
                self._remembered[key] = state
        return current, first

    def _standing(self, fresh: Decision, slot: int, ttl_ms: int) -> tuple[Decision, int] | None:
        """Return the kept decision that still answers this open, with its served slots; None without one."""
        found = self._found((fresh.recipient, fresh.block, fresh.campaign))
        return found if found is not None and stands(*found, fresh, slot, ttl_ms) else None

    def _found(self, key: Key) -> tuple[Decision, int] | None:
        if self.late.locked and (late := self.late.decisions.get(key)) is not None:
            return late
        version = self._file_version.now()
        if version != self._version or len(self._remembered) > REMEMBERED:
            self._version, self._remembered = version, {}
        if key not in self._remembered:
            with translated("reading a decision"):
                row = first(self._db, SQL.current, key)
            self._remembered[key] = (_decode(row[1]), row[0]) if row is not None else None
        return self._remembered[key]

    async def current(self, block: str, recipient: str, campaign: str, since: int = 0) -> Decision | None:
        found = self._found((recipient, block, campaign))
        return found[0] if found is not None and found[0].at >= since else None

    async def promised(self, block: str, recipient: str) -> Mapping[str, Any]:
        with translated("reading promises"):
            kept = {
                name: msgspec.msgpack.decode(value) for name, value in fetch(self._db, SQL.promised, (recipient, block))
            }
        return {**self.late.promises[recipient, block], **kept} if (recipient, block) in self.late.promises else kept

    async def promise(self, block: str, recipient: str, promise: Mapping[str, Any]) -> Mapping[str, Any]:
        rows = [(SQL.promise, (recipient, block, name, _encode(value))) for name, value in promise.items()]
        if not self._written(rows):
            self.late.promise(recipient, block, promise, rows)
        return await self.promised(block, recipient)

    def _written(self, rows: Sequence[Row]) -> bool:
        """Write rows at once if the file is free. Returns whether they were written."""
        if self.late.locked:
            return False
        try:
            with self._db:
                for row in rows:
                    self._db.execute(*row)
        except apsw.Error as error:
            if not passing(error):
                with translated("keeping a promise"):
                    raise
            logger.warning("a promise is written later: %s", error)
            return False
        return True

    async def record(self, touch: Touch) -> None:
        self.writer.put("touches", touch)

    async def touches(self, recipients: Sequence[str], since: int, until: int) -> Sequence[Touch]:
        await asyncio.to_thread(self.flush)
        with translated("reading opens and clicks"):
            found = _touches(self._db, dict.fromkeys(recipients, (since, until)))
        return sorted(found, key=lambda touch: touch.at)

    @in_thread
    def touches_within(self, spans: Mapping[str, tuple[int, int]]) -> Sequence[Touch]:
        self.flush()
        with translated("reading opens and clicks"), self._reads:
            return _touches(self._reading, spans)

    @in_thread
    def revisions(self, times: Sequence[int]) -> Sequence[Revision]:
        self.flush()
        with translated("following opens and clicks"), self._reads:
            rows = fetch(self._reading, SQL_CONTACTS.changes_before, (encode_json(times).decode(),))
        return [str(changes) for (changes,) in rows]

    async def contacts(self, block: str, recipient: str) -> tuple[int, int]:
        # Not acquired if a thread is writing and waits for the file.
        alone = self.writer.writing.acquire(timeout=LOOP_BUSY_MS / 1000)
        try:
            waiting = [each.kind for each in self.writer.pending("touches") if counted(each, recipient, block)]
            with translated("counting a person's opens and clicks"):
                sums = dict(fetch(self._db, SQL.contacts_of, (recipient, block)))
        finally:
            if alone:
                self.writer.writing.release()
        return sums.get(0, 0) + waiting.count("open"), sums.get(1, 0) + waiting.count("click")

    @in_thread
    def reclassify(self, counts: Callable[[str, Kind], bool]) -> int:
        self.flush()
        with translated("classifying opens and clicks"):
            db = connect(self._path, durable=False)
            try:
                return interactions.classify_anew(db, counts)
            finally:
                db.close()

    def served(self, served: Served, at: int) -> None:
        what = served, quarter_of(at)
        self.writer.put("pictures", (what, 1), what)

    @in_thread
    def apply(self, groups: Sequence[Group]) -> None:
        db = self._flushing
        with self.writer.writing:
            try:
                db.execute("PRAGMA synchronous = FULL")
                with transaction(db):
                    new = join([group for group in groups if first(db, SQL.apply, (group.id, group.at)) is not None])
                    self._keep([((each.recipient, each.block, each.campaign), (each, s)) for each, s in new.decisions])
                    interactions.count_pictures(db, [((what, quarter_of(at)), 1) for what, at in new.served])
                    self._count(new.touches)
            except apsw.Error as error:
                if not passing(error):
                    raise
                raise unavailable(error, "recording opens and clicks") from error
            finally:
                db.execute("PRAGMA synchronous = NORMAL")

    @in_thread
    def forget_applied(self, before: int) -> None:
        with self.writer.writing, translated("forgetting groups of opens"):
            self._flushing.execute(SQL.forget_applied, (before,))

    @in_thread
    def sums(
        self,
        periods: Sequence[tuple[int, int]],
        by: Collection[str],
        *,
        blocks: Sequence[str] | None = None,
        campaign: str | None = None,
    ) -> Sequence[DayCount]:
        self.flush()
        with translated("counting opens and clicks"), self._reads:
            return rollups.sums(self._reading, periods, by, blocks, campaign)

    @in_thread
    def listed(self, wanted: TouchQuery, limit: int, before: TouchPlace | None = None) -> Sequence[Listed]:
        self.flush()
        query = SQL_CONTACTS.listed if wanted.recipients is None else SQL_CONTACTS.listed_of
        with translated("listing opens and clicks"), self._reads:
            rows = fetch(self._reading, query, rollups.as_json(asked_of(wanted, limit, before)))
        return [Listed(touch_of(row[:-1]), (row[1], row[-1])) for row in rows]

    def flush(self) -> bool:
        """Write the waiting rows. Returns whether none are left. Never raises: rows that cannot be written wait."""
        return self.writer.flush()

    def _count(self, touches: Sequence[Touch]) -> None:
        audiences = self._audiences_of({touch.recipient for touch in touches})
        known = [replace(each, audiences=tuple(audiences.get(each.recipient, ()))) for each in touches]
        interactions.count(self._flushing, known if audiences else touches)

    def _keep(self, decisions: Sequence[tuple[Key, tuple[Decision, int]]]) -> None:
        """Write decisions made while the file could not be written. A newer stored one stays."""
        for key, (decision, served) in decisions:
            row = first(self._flushing, SQL.current, key)
            kept = _decode(row[1]) if row is not None else None
            if kept is None or kept.at < decision.at:
                self._flushing.execute(SQL.keep, (*key, decision.at, served, _encode(decision)))
            elif kept.id == decision.id:
                self._flushing.execute(SQL.serve, (row[0] | served, *key))

    async def close(self) -> None:
        """Write the waiting rows and close the file. A second call does nothing."""
        await asyncio.to_thread(self.writer.close)
        for db in (self._db, self._flushing, self._reading):
            db.close()


def _touches(db: apsw.Connection, spans: Mapping[str, tuple[int, int]]) -> list[Touch]:
    return [touch_of(row) for row in fetch(db, SQL.touches_within, (encode_json(spans).decode(),))]
