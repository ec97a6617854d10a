"""The SQLite store: reads on the caller's own connection, writes through the writer."""

import asyncio
import contextlib
import itertools
import json
import logging
import threading
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from wetink.core.app.poll import Tally
from wetink.core.catalog.price_history import Change
from wetink.core.errors import StoreUnavailable
from wetink.core.events.event import Event, Product
from wetink.core.events.stored_event import Entry
from wetink.core.identity import FOREVER, Contested
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.conversion import Outcome
from wetink.ports import ENTRY_BYTES, NAMES, Profile, Receipt, Received, Record
from wetink.store.sqlite import (
    catalog,
    commit,
    conversions,
    earlier,
    identity,
    profiles,
    recent_ids,
    replay,
    senders,
    summaries,
    votes,
)
from wetink.store.sqlite.batch import apart
from wetink.store.sqlite.codec import VERDICTS, decode_problems, entries, events, identifier, who
from wetink.store.sqlite.connection import HOT_KB, LOOP_BUSY_MS, connect, fetch, first, snapshot, translated
from wetink.store.sqlite.profiles import FEW, People, of_stretch
from wetink.store.sqlite.projections import CONVERSIONS, Projections
from wetink.store.sqlite.queries import read, script
from wetink.store.sqlite.statements import Statements
from wetink.store.sqlite.version import Version
from wetink.store.sqlite.writer import Writer

SQL = read("queries.sql")

logger = logging.getLogger(__name__)

T = TypeVar("T")

SLICES = 10
"""Slices of the log that are derived in one go: on a busy machine the next may be a second away."""
SEARCH_SECONDS = 0.05
"""How long a search waits for the catalog to follow the log: without its end it finds what it found before."""


class SQLiteStore(senders.SQLiteSenders):
    """`ports.Store` over one SQLite file. Any number of processes may open the same one."""

    def __init__(self, folder: Path, *, synchronous: str = "") -> None:
        """Open (or make) the store in a folder. `synchronous` is for tests that weaken it on purpose."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "wetink.db"
        self._statements = Statements()
        self._writer = Writer(self._path, folder / "wetink.lock", self._statements, synchronous=synchronous)
        self._writer.alone.run(_prepare)
        self._readers = threading.local()
        self._opened: list[apsw.Connection] = []
        self._projections = Projections(
            self._path, folder / "wetink.lock", lambda: self._db, self._statements, synchronous
        )
        self._tail = catalog.Tail(self._statements)
        self._version = Version(lambda: self._db)
        self._long = ThreadPoolExecutor(2, "long-read")

    @property
    def _db(self) -> apsw.Connection:
        """The calling thread's own reading connection."""
        db: apsw.Connection | None = getattr(self._readers, "db", None)
        if db is None:
            with translated("opening the store"):
                main = threading.current_thread() is threading.main_thread()  # where the event loop is
                db = connect(self._path, busy_ms=LOOP_BUSY_MS, cache_kb=HOT_KB) if main else connect(self._path)
                db.execute("PRAGMA query_only = ON")
                profiles.prepare(db)
            self._readers.db = db
            self._opened.append(db)
        return db

    @property
    def alive(self) -> bool:
        """Whether the threads that write go on as they should."""
        return self._writer.alive and self._projections.alive

    def start(self) -> None:
        self._writer.start()

    async def append(self, batch: Sequence[Record]) -> Sequence[Receipt]:
        if not batch:
            return ()
        duplicates = await self._writer.write([commit.prepare(record) for record in batch])
        return [Receipt(record.message_id, again) for record, again in zip(batch, duplicates, strict=True)]

    async def pause(self) -> None:
        await self._writer.pause()

    async def resolve(self, who: Identifier, at: int) -> Identifier:
        with translated("looking up an identifier"):
            return People(self._db).root(who, at)

    async def profile(
        self, who: Identifier, at: int, *, limit: int | None = NAMES, after: Identifier | None = None
    ) -> Profile:
        with translated("reading a profile"):
            if len(People(self._db).stretches(who, at, FEW + 1)) > FEW:
                return await self._aside(lambda db: People(db).profile(who, at, limit, after))
            return People(self._db).profile(who, at, limit, after)

    async def _aside(self, read: Callable[[apsw.Connection], T]) -> T:
        """Read much in a thread, two at a time: what else is asked meanwhile is answered as fast as ever."""
        return await asyncio.get_running_loop().run_in_executor(self._long, lambda: read(self._db))

    async def history(self, who: Identifier, until: int, limit: int = 1000) -> Sequence[Event]:
        found = await self._newest(who, until, limit)
        found.sort()
        return events([body for _, body in found[-limit:]])

    async def entries(self, who: Identifier, until: int, limit: int = 1000) -> Sequence[Entry]:
        found = await self._newest(who, until, limit)
        if len(found) > limit or sum([len(body) for _, body in found]) > ENTRY_BYTES:
            found.sort(reverse=True)
            sizes = itertools.accumulate(len(body) for _, body in found[:limit])
            found = found[: bisect_right(list(sizes), ENTRY_BYTES)]
        return entries([body for _, body in found])

    async def _newest(self, who: Identifier, until: int, limit: int) -> list[tuple[int, bytes]]:
        """Return when, and what, of at least the newest `limit` events, in no order."""
        with translated("reading a history"):
            found = self._newest_of_few(who, until, limit)
            if found is None:
                found = await self._aside(lambda db: People(db).newest(who, until, limit))
            return found

    def _newest_of_few(self, who: Identifier, until: int, limit: int) -> list[tuple[int, bytes]] | None:
        """Return the same; None of somebody whose events lie in many places."""
        db = self._db
        found: list[tuple[int, bytes]] = []
        with snapshot(db):
            stretches = People(db).stretches(who, until, FEW + 1)
            if len(stretches) > FEW:
                return None
            for column, since, end, moves in stretches:
                span = (column, since, min(end, until + 1))
                rows = fetch(db, SQL.newest_events, (*span, limit))
                if len(rows) == limit:  # there may be more: those without a time of their own stand at the far end
                    rows = list({*rows, *fetch(db, SQL.untimed_events, (*span, limit))})
                found += rows if moves == "all" else [row for row in rows if of_stretch(row[1:], moves)]
        return found

    async def summary(self, who: Identifier, rules: int) -> bytes | None:
        with translated("reading a summary"):
            return summaries.find(self._db, who, rules)

    def recall(self, who: Identifier) -> Sequence[Entry]:
        with translated("reading a history"):
            found = self._newest_of_few(who, FOREVER - 1, summaries.MOST)  # nobody else has a summary
        return entries([body for _, body in found or ()])

    async def summarize(self, make: Callable[[Sequence[Entry]], bytes], rules: int, now: int, limit: int) -> bool:
        with translated("looking for whom to sum up"):
            if not summaries.behind(self._db, rules, now, limit):
                return False
        await self._writer.alone.soon(lambda db: summaries.go_on(db, make, rules, now, limit))
        return True

    @contextlib.contextmanager
    def steady(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(snapshot(self._db))
            except (apsw.Error, StoreUnavailable):
                logger.warning("what is read may be of different moments", exc_info=True)
            yield

    async def version(self) -> int:
        return self._version.now()

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        with translated("reading the catalog"):
            return self._tail.products(self._db, keys)

    async def learn(self, products: Sequence[Product], at: int) -> None:
        odd = await self._writer.alone.soon(
            lambda db: apart(db, products, partial(catalog.take_import, db, self._statements, at))
        )
        if odd:
            logger.error("%d products are not in the catalog: %s", len(odd), odd[0])

    async def changes(self, keys: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        with translated("reading the catalog's history"):
            return self._tail.changes(self._db, keys)

    async def search(self, text: str, limit: int = 24) -> Sequence[Product]:
        await self._caught_up()
        with translated("searching the catalog"):
            keys = catalog.search(self._db, text, limit)
            return list(self._tail.products(self._db, keys).values())

    async def vote(self, poll: str, voter: Identifier, option: int, at: int) -> None:
        await self._writer.alone.soon(lambda db: votes.vote(db, poll, voter, option, at))

    async def tally(self, poll: str, voter: Identifier | None) -> Tally:
        with translated("counting votes"):
            return votes.tally(self._db, poll, voter)

    async def settle(self) -> bool:
        for _ in range(SLICES):
            if not await asyncio.to_thread(self._projections.step):
                return False
        return True

    async def behind(self) -> Mapping[str, int]:
        return self._projections.behind()

    async def reset(self, projection: str) -> None:
        await asyncio.to_thread(self._projections.reset, projection)

    async def _caught_up(self) -> None:
        """Have the catalog follow the log for a moment, if it is behind."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SEARCH_SECONDS
        try:
            while catalog.behind(self._db) and (left := until - loop.time()) > 0:
                await asyncio.to_thread(self._projections.step, left)
        except StoreUnavailable as error:
            logger.warning("what is newest of the catalog cannot be found yet: %s", error)

    async def keys(self, after: str, limit: int) -> Sequence[str]:
        await self._caught_up()
        with translated("listing products"):
            return [key for (key,) in fetch(self._db, catalog.SQL.product_keys, (after, limit))]

    async def events_after(self, seq: int, names: Collection[str], limit: int) -> tuple[int, Sequence[Event]]:
        with translated("following the log"):
            last = min(seq + limit, self._db.execute(SQL.last_seq).get)
            if last <= seq:
                return seq, ()
            rows = fetch(self._db, SQL.event_messages_after, (seq, last, json.dumps(list(names))))
            return last, events([body for (body,) in rows])

    async def place_of(self, received: int) -> int:
        with translated("following the log"):
            low, high = 0, int(self._db.execute(SQL.last_seq).get)
            while low < high:
                middle = (low + high) // 2
                row = first(self._db, SQL.received_from, (middle + 1,))
                if row is None or row[0] >= received:
                    high = middle
                else:
                    low = middle + 1
            return low

    async def messages(self, *, limit: int = 50, before: int | None = None, verdict: str = "") -> Sequence[Received]:
        top = FOREVER if before is None else before
        with translated("reading messages"):
            if verdict:
                rows = fetch(self._db, SQL.messages_of_verdict, (VERDICTS.index(verdict), top, limit))
            else:
                rows = fetch(self._db, SQL.messages, (top, limit))
        return [_received(*row) for row in rows]

    async def messages_after(self, seq: int, limit: int) -> Sequence[Received]:
        with translated("reading messages"):
            return [_received(*row) for row in fetch(self._db, SQL.messages_after, (seq, limit))]

    async def renew(self, pairs: Sequence[tuple[Received, Record]], *, dry: bool = False) -> Sequence[bool]:
        if dry:
            with translated("reading events"):
                return replay.renew(self._db, pairs, dry=True)

        def work(db: apsw.Connection) -> list[bool]:
            changed = replay.renew(db, pairs)
            if any(changed):
                db.execute(SQL.count_replay)
            return changed

        renewed: list[bool] = await self._writer.alone.soon(work)
        return renewed

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        with translated("looking for contested identifiers"):
            rows = fetch(self._db, SQL.contested, (since, limit))
        return [Contested(identifier(column), claimers, at) for column, claimers, at in rows]

    async def replays(self) -> int:
        with translated("looking for replays"):
            return int(self._db.execute(SQL.replays).get)

    async def profiles(self, *, limit: int = 50, search: str = "") -> Sequence[Profile]:
        with translated("listing profiles"):
            return People(self._db).found(search, limit) if search else People(self._db).recent(limit)

    async def outcomes(self, names: Collection[str], since: int, until: int) -> Sequence[Outcome]:
        return await asyncio.to_thread(self._outcomes, names, since, until)

    def _outcomes(self, names: Collection[str], since: int, until: int) -> list[Outcome]:
        with translated("reading conversions"):
            last = self._db.execute(SQL.last_seq).get
            while (step := conversions.next_step(self._db, names, last)) is not None:
                self._projections.write([(CONVERSIONS, step)])
            return conversions.between(self._db, names, since, until)

    async def rebuild(self) -> None:
        """Work out all holdings and groups of users anew from the log. Changes nothing if all is well."""
        await self._writer.alone.soon(identity.rebuild)

    async def close(self) -> None:
        await self._writer.close()
        self._long.shutdown()
        await asyncio.to_thread(self._projections.close)
        for db in self._opened:
            db.close()
        self._opened.clear()
        self._readers = threading.local()


def _prepare(db: apsw.Connection) -> None:
    whole = earlier.set_aside(db)
    commit.grow(db)
    db.execute(script("schema.sql") + script("summaries.sql"))
    earlier.take_over(db, whole=whole)
    senders.prepare(db)
    catalog.prepare(db)
    conversions.prepare(db)
    recent_ids.prepare(db)


def _received(*row: Any) -> Received:
    seq, source, message_id, received, verdict, problems, type_, name, column, raw = row
    return Received(
        seq,
        source,
        message_id,
        received,
        VERDICTS[verdict],
        decode_problems(problems) if problems else (),
        type_,
        name,
        None if column == who(None) else identifier(column),
        raw,
    )
