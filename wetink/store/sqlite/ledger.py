"""The ledger: decisions, opens and clicks, in a file of their own.

They never wait for ingest's lock, and a commit need not reach the disk before an open is answered: what a power cut
can take is the last second's statistics, not a message.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import apsw
import msgspec

from wetink.core.block import Decision, stands
from wetink.core.errors import StoreUnavailable
from wetink.core.fetch import MACHINES, RULES_VERSION, Facts, Kind, classify, in_hindsight
from wetink.core.report import DayCount
from wetink.core.touch import Touch
from wetink.ports.ledger import Onlooker, Served
from wetink.store.sqlite import contacts
from wetink.store.sqlite.connection import connect, fetch, first, translated
from wetink.store.sqlite.queries import read, script
from wetink.store.sqlite.version import Version

logger = logging.getLogger(__name__)
SQL = read("ledger_queries.sql")
SQL_CONTACTS = contacts.SQL
KINDS = contacts.KINDS
MARKS: dict[Onlooker, int] = {"person": 1 << 31, "machine": 1 << 30, "nobody": 0}
"""Beside the bits of the slots that a decision was served in: by whom one of them was counted."""
FLUSH_SECONDS = 0.5
REMEMBERED = 10_000
"""Decisions a process remembers while no other connection writes."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode
_rows = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(Facts).decode
_NO_FACTS = Facts()
_arms = msgspec.json.Decoder(dict[str, str]).decode


class SQLiteLedger:
    """`ports.Ledger` over one SQLite file, shared by all processes. Used from one thread, its event loop's."""

    def __init__(self, folder: Path) -> None:
        """Open (or make) the ledger in a folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "opens.db"
        self._db = connect(self._path, durable=False)
        self._flushing = connect(self._path, durable=False)
        with translated("opening the ledger"):
            self._db.execute(script("ledger.sql"))
            self._db.execute(script("exposures.sql"))
            _grow(self._db)
        self._unsettled: list[tuple[Decision, int, int, Onlooker, asyncio.Future[tuple[Decision, bool]]]] = []
        self._remembered: dict[tuple[str, str, str], tuple[Decision, int] | None] = {}
        self._file_version = Version(lambda: self._db)
        self._version = -1  # what is remembered is of
        self._waiting: list[Touch] = []
        self._served: dict[tuple[Served, int], int] = {}
        self._mutex, self._flush_mutex = threading.Lock(), threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wetink-ledger", daemon=True)
        self._thread.start()

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        """See `ports.ledger.Ledger.settle`. All that ask in one turn of the event loop share a transaction."""
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
        outcomes: list[tuple[Decision, bool]] = []
        try:
            with translated("settling a decision"):
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    outcomes = [self._settled(decision, slot, ttl, by) for decision, slot, ttl, by, _ in waiting]
                finally:
                    self._db.execute("COMMIT")
        except StoreUnavailable as error:
            for *_, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (*_, future), outcome in zip(waiting, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)

    def _settled(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        key = (decision.recipient, decision.block, decision.campaign)
        kept = self._standing(decision, slot, ttl_ms)
        mark = 1 << slot | MARKS[by]
        if kept is None:
            self._db.execute(SQL.keep, (*key, decision.at, mark, _encode(decision)))
            self._remember(key, decision, mark)
            return decision, by != "nobody"
        current, served = kept
        if served & mark != mark:
            self._db.execute(SQL.serve, (served | mark, *key))
            self._remember(key, current, served | mark)
        return current, not served & MARKS[by] and by != "nobody"

    def _standing(self, fresh: Decision, slot: int, ttl_ms: int) -> tuple[Decision, int] | None:
        """Return the kept decision that still answers this open, with the slots it was served in."""
        found = self._found((fresh.recipient, fresh.block, fresh.campaign))
        return found if found is not None and stands(*found, fresh, slot, ttl_ms) else None

    def _found(self, key: tuple[str, str, str]) -> tuple[Decision, int] | None:
        version = self._file_version.now()
        if version != self._version or len(self._remembered) > REMEMBERED:
            self._version, self._remembered = version, {}
        if key not in self._remembered:
            with translated("reading a decision"):
                row = first(self._db, SQL.current, key)
            self._remembered[key] = (_decode(row[1]), row[0]) if row is not None else None
        return self._remembered[key]

    def _remember(self, key: tuple[str, str, str], decision: Decision, served: int) -> None:
        self._remembered[key] = (decision, served)

    async def current(self, block: str, recipient: str, campaign: str) -> Decision | None:
        """See `ports.Ledger.current`."""
        found = self._found((recipient, block, campaign))
        return found[0] if found is not None else None

    async def promised(self, block: str, recipient: str) -> Mapping[str, Any]:
        """See `ports.Ledger.promised`."""
        with translated("reading promises"):
            return {
                name: msgspec.msgpack.decode(value) for name, value in fetch(self._db, SQL.promised, (recipient, block))
            }

    async def promise(self, block: str, recipient: str, promise: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `ports.Ledger.promise`."""
        with translated("keeping a promise"), self._db:
            for name, value in promise.items():
                self._db.execute(SQL.promise, (recipient, block, name, _encode(value)))
        return await self.promised(block, recipient)

    async def record(self, touch: Touch) -> None:
        """See `ports.Ledger.record`."""
        with self._mutex:
            self._waiting.append(touch)

    async def touches(self, recipients: Sequence[str], since: int, until: int) -> Sequence[Touch]:
        """See `ports.Ledger.touches`."""
        self.flush()
        with translated("reading opens and clicks"):
            found = _touches(self._db, dict.fromkeys(recipients, (since, until)))
        return sorted(found, key=lambda touch: touch.at)

    async def touches_within(self, spans: Mapping[str, tuple[int, int]]) -> Sequence[Touch]:
        """See `ports.Ledger.touches_within`. In a thread of its own: there may be hundreds of thousands."""
        self.flush()
        return await asyncio.to_thread(self._touches_within, spans)

    def _touches_within(self, spans: Mapping[str, tuple[int, int]]) -> list[Touch]:
        with translated("reading opens and clicks"):
            db = connect(self._path, durable=False)
            try:
                return _touches(db, spans)
            finally:
                db.close()

    async def contacts(self, block: str, recipient: str) -> tuple[int, int]:
        """See `ports.Ledger.contacts`."""
        self.flush()
        with translated("counting a person's opens and clicks"):
            counted = dict(fetch(self._db, SQL.contacts_of, (recipient, block)))
        return counted.get(0, 0), counted.get(1, 0)

    async def reclassify(self, counts: Callable[[str, Kind], bool]) -> int:
        """See `ports.Ledger.reclassify`."""
        self.flush()
        changed = 0
        with translated("classifying opens and clicks"):
            rows = fetch(self._db, SQL.all_touches)
            with self._db:
                for (_, _), group in groupby(rows, key=lambda row: (row[1], row[5])):
                    email = list(group)
                    told = [(at, kind == 1, block, _facts(facts)) for _, _, at, kind, block, _, _, facts in email]
                    for row, facts in zip(email, in_hindsight(told), strict=True):
                        taken_for = classify(facts).kind
                        changed += taken_for != row[6]
                        human = counts(row[4], taken_for)
                        self._db.execute(SQL.retake, (taken_for, _rows(facts).decode(), RULES_VERSION, human, row[0]))
                contacts.sum_up(self._db)
        return changed

    def served(self, served: Served, at: int) -> None:
        """See `ports.Ledger.served`."""
        key = served, contacts.day_of(at)
        with self._mutex:
            self._served[key] = self._served.get(key, 0) + 1

    async def days(self, since: int, until: int) -> Sequence[DayCount]:
        """See `ports.Ledger.days`."""
        self.flush()
        with translated("counting opens and clicks"):
            return [DayCount(*row) for row in fetch(self._db, SQL_CONTACTS.days, (since, until))]

    def flush(self) -> None:
        """Write what waits. Never raises: a lost statistic must not lose an open."""
        with self._mutex:
            waiting, self._waiting = self._waiting, []
            served, self._served = self._served, {}
        if not waiting and not served:
            return
        try:
            with self._flush_mutex:
                contacts.write(self._flushing, waiting, served)
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
        self._flushing.close()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self.flush()


def _touches(db: apsw.Connection, spans: Mapping[str, tuple[int, int]]) -> list[Touch]:
    rows = fetch(db, SQL.touches_within, (_rows(spans).decode(),))
    return [
        Touch(
            *(KINDS[kind], block, who, campaign, at, variant, taken_for),
            _NO_FACTS if facts == "{}" else _facts(facts),
            version,
            bool(human),
            _arms(arms) if arms else {},
        )
        for who, at, kind, block, campaign, variant, taken_for, facts, version, human, arms in rows
    ]


def _grow(db: apsw.Connection) -> None:
    """Bring a file of an earlier version up to this one."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if not any(row[1] == "human" for row in db.execute("PRAGMA table_info(contact)")):
            machines = ", ".join(f"'{kind}'" for kind in MACHINES)
            db.execute("ALTER TABLE contact ADD COLUMN human INTEGER NOT NULL DEFAULT 1")
            db.execute(f"UPDATE contact SET human = 0 WHERE taken_for IN ({machines})")  # noqa: S608 (our own words)
        if not any(row[1] == "arms" for row in db.execute("PRAGMA table_info(contact)")):
            db.execute("ALTER TABLE contact ADD COLUMN arms TEXT NOT NULL DEFAULT ''")
            contacts.sum_up(db)
            db.execute("DROP INDEX IF EXISTS contact_by_time")
            db.execute("DROP INDEX IF EXISTS contact_counted")
    finally:
        db.execute("COMMIT")
