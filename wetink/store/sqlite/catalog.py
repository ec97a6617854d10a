"""Catalog: a projection of the log and of imports, written in slices by the rules of `core.catalog.catalog`.

A read includes the part of the log that is not here yet: it plans the same changes for its products, and writes
nothing. Functions that write run inside the caller's transaction.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import apsw
import msgspec

from wetink.core.catalog.catalog import (
    CHANGES,
    FORGET_EVERY,
    MOST_BEHIND,
    REMEMBERED,
    SLICE,
    Change,
    Changes,
    Current,
    Facts,
    Held,
    Memory,
    Pending,
    Standing,
    Statement,
    plan,
    statements,
    unnamed,
    words_of,
)
from wetink.core.errors import StoreUnavailable
from wetink.core.events.event import Product
from wetink.ports.storage import KEPT_IMPORTS
from wetink.store.codec import decode_facts, encode, fingerprint, pack, unpack
from wetink.store.queries import queries
from wetink.store.sqlite.batch import write_in_halves
from wetink.store.sqlite.connection import fetch, first, snapshot, translated
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.recent import RecentEvents

logger = logging.getLogger(__name__)
SQL = queries(__package__, "catalog_queries.sql")

FEW = 8
"""Products looked up one by one, which takes half as long as looking up a list of them."""
AT_ONCE = 100
"""Products that the event loop reads at once. More are read in a thread."""
MOST_WORDS = 8
SEARCH_SECONDS = 0.05
"""How long a search waits for the catalog to follow the log, in seconds. Then it searches the older state."""

_WORD = re.compile(r"\w+")
_KEY = itemgetter(0)
_json = msgspec.json.Encoder().encode


class Cursor(NamedTuple):
    """The projection's position in the log and the imports, and its number of other writes."""

    seq: int
    imported: int
    generation: int


class Step(NamedTuple):
    """The next slice for `write`: the cursor it was planned at, its end, and its changes."""

    seen: Cursor
    seq: int
    imported: int
    said: Sequence[Statement]
    changes: Changes


def cursor(db: apsw.Connection) -> Cursor:
    """Return the projection's cursor."""
    return Cursor(*first(db, SQL.cursor))


def behind(db: apsw.Connection) -> int:
    """Return the number of messages that the projection lags behind the log."""
    seq, _, _, last = first(db, SQL.place)
    return int(last - seq)


def next_step(db: apsw.Connection, recent: RecentEvents, memory: Memory[Cursor] | None = None) -> Step | None:
    """Return the next slice; None at the end of the log. Imports apply at their position in the log."""
    memory = memory or Memory[Cursor]()
    with snapshot(db):
        seen = cursor(db)
        imported = first(db, SQL.next_import, (seen.imported,))
        if imported is not None and imported[1] <= seen.seq:
            id_, _, at, packed = imported
            said = [(at, each) for each in unpack(packed)]
            return _noted(memory, Step(seen, seen.seq, id_, said, _planned(db, said, memory.of(seen))))
        ends = [seen.seq + SLICE, int(db.execute(SQL.last_seq).get), *([imported[1]] if imported is not None else [])]
        if (last := min(ends)) <= seen.seq:
            return None
        said = statements(event for _, event in recent.between(db, seen.seq, last))
        return _noted(memory, Step(seen, last, seen.imported, said, _planned(db, said, memory.of(seen))))


def _noted(memory: Memory[Cursor], step: Step) -> Step:
    memory.leaves(Cursor(step.seq, step.imported, step.seen.generation))
    return step


def write(db: apsw.Connection, step: Step) -> None:
    """Write a step unless another process has written since its cursor. Invalid statements are left out."""
    db.execute(SQL.advance, (step.seq, step.imported, *step.seen))
    if db.changes():
        write_in_halves(db, step.said, lambda some: _put(db, step.changes if some is step.said else _planned(db, some)))


def take(db: apsw.Connection, seqs: Iterable[int]) -> None:
    """Apply the events of renewed messages out of turn."""
    _put(db, _planned(db, statements(event for seq in seqs for _, event in RecentEvents().between(db, seq - 1, seq))))
    db.execute(SQL.next_generation)


def take_import(db: apsw.Connection, recent: RecentEvents, at: int, products: Sequence[Product]) -> None:
    """Apply an import's products at a time (Unix ms), and store the new ones for a rebuild.

    The log's earlier messages are applied first. During a rebuild that takes too long, and the import waits for its
    turn.
    """
    if behind(db) <= MOST_BEHIND:
        while (step := next_step(db, recent)) is not None:
            write(db, step)
    said = [(at, each) for each in products if each.key]
    held_ = held(db, {each.key for _, each in said})
    changes = plan(said, held_)
    if behind(db):
        changes, new = Changes(), [each for _, each in said]
    else:
        new = [each for _, each in said if changes.key_of(each, held_) in changes.facts]
    if new:
        db.execute(SQL.insert_import, (at, pack(new)))
    if changes.facts:
        db.execute(SQL.imported, (db.last_insert_rowid(),))
        db.execute(SQL.next_generation)
        _put(db, changes)


def forget(db: apsw.Connection, keys: Collection[str]) -> None:
    """Delete all data under these keys, which were placeholders, and the product ids that lead to them."""
    for key in sorted(keys):
        for statement in (SQL.delete_product, SQL.delete_changes, SQL.delete_product_aliases):
            db.execute(statement, (key,))
        db.execute(SQL.delete_words, (fingerprint("product", key),))
    db.execute(SQL.next_generation)


def _put(db: apsw.Connection, changes: Changes) -> None:
    if changes.facts:
        db.executemany(SQL.upsert_product, [(key, encode(facts)) for key, facts in sorted(changes.facts.items())])
    if changes.history:
        rows = sorted(changes.history, key=_KEY)
        db.executemany(SQL.insert_change, [(key, now.at, now.price, now.availability, now.stock) for key, now in rows])
        for key in {key for key, now in rows if now.at % FORGET_EVERY == 0}:
            db.execute(SQL.forget_changes, (key, CHANGES))
    if changes.skus:
        db.executemany(SQL.insert_product_alias, sorted(changes.skus.items()))
    _word(db, {key: changes.facts[key] for key in sorted(changes.reworded)})


def _word(db: apsw.Connection, facts: Mapping[str, Facts]) -> None:
    """Replace the search words of these products."""
    rows = [(fingerprint("product", key), key, *words_of(each)) for key, each in facts.items()]
    db.executemany(SQL.delete_words, [row[:1] for row in rows])
    db.executemany(SQL.insert_words, rows)


def held(db: apsw.Connection, keys: Collection[str]) -> Held:
    """Return the projection's data of these products, by key, sku or product id."""
    if not keys:
        return Held()
    skus = _skus(db, keys)
    return Held(_facts(db, {*keys, *skus.values()}), skus)


def _facts(db: apsw.Connection, keys: Collection[str]) -> dict[str, Facts]:
    if len(keys) <= FEW:
        found = [(key, first(db, SQL.product, (key,))) for key in keys]
        return {key: decode_facts(row[0]) for key, row in found if row is not None}
    rows = db.execute(SQL.products, (_json(list(keys)).decode(),))
    return {key: decode_facts(facts) for key, facts in rows}


def _skus(db: apsw.Connection, keys: Iterable[str]) -> dict[str, str]:
    return dict(fetch(db, SQL.skus, (_json(list(keys)).decode(),)))


def _planned(db: apsw.Connection, said: Sequence[Statement], standing: Standing | None = None) -> Changes:
    standing = standing or Standing()
    return plan(said, held(db, standing.lacking(said)), standing)


def _stored(db: apsw.Connection, keys: Collection[str]) -> Current:
    facts = _facts(db, keys)
    missing = [key for key in keys if key not in facts]
    skus = _skus(db, missing) if missing else {}
    return Current({**facts, **_facts(db, skus.values())} if skus else facts, skus)


class Tail:
    """The log's statements beyond the projection, read once, and reads that include them."""

    def __init__(self, recent: RecentEvents) -> None:
        """Start without statements. Read the log's events from `recent`."""
        self._recent = recent
        self._mutex = threading.Lock()
        self._seen, self._last = Cursor(0, 0, -1), 0
        self._pending = Pending()

    def products(self, db: apsw.Connection, keys: Collection[str]) -> Mapping[str, Product]:
        """Return products by key, sku or product id. Unknown ones are left out."""
        if not behind(db):
            return _stored(db, keys).products(keys)
        with snapshot(db), self._mutex:
            return (self._current(db, keys) if self._catch_up(db) else _stored(db, keys)).products(keys)

    def changes(self, db: apsw.Connection, keys: Collection[str]) -> Mapping[str, Sequence[Change]]:
        """Return the changes in price and stock by product, oldest first."""
        with snapshot(db), self._mutex:
            now = self._current(db, keys) if self._catch_up(db) else Current({}, _skus(db, keys))
            found: dict[str, Sequence[Change]] = {}
            for key in dict.fromkeys(keys):
                sku = now.skus.get(key, key)
                stored = [Change(*row) for row in fetch(db, SQL.changes, (sku, CHANGES))]
                if changes := now.changes(sku, stored):
                    found[key] = changes
        return found

    def _current(self, db: apsw.Connection, keys: Collection[str]) -> Current:
        """Return the projection's data of these products, with the log's statements beyond it."""
        names = self._pending.names(keys)
        return self._pending.current(names, held(db, names), self._seen.seq)

    def _catch_up(self, db: apsw.Connection) -> bool:
        """Read the log's statements beyond the projection. Returns whether there are any."""
        *seen, end = first(db, SQL.place)
        now = Cursor(*seen)
        last = min(end, now.seq + MOST_BEHIND)
        if now.seq >= self._last or now.generation != self._seen.generation or len(self._pending) > 2 * MOST_BEHIND:
            self._pending, self._last = Pending(), now.seq
        self._seen = now
        if last > self._last:
            events = self._recent.between(db, self._last, last)
            said = [(seq, each) for seq, event in events for each in statements((event,))]
            self._pending.add(said, _skus(db, unnamed(said)))
            self._last = last
        return bool(self._pending)


def search(db: apsw.Connection, text: str, limit: int) -> list[str]:
    """Return the keys of products that have every word of `text`, or words that begin so, the best match first."""
    words = [f'"{word}"*' for word in _WORD.findall(text)[:MOST_WORDS]]
    return [key for (key,) in fetch(db, SQL.search, (" ".join(words), limit))] if words else []


class SQLiteCatalog:
    """`ports.Catalog` over the main file. `follow` updates the projections, for a maximum of seconds."""

    def __init__(self, database: Database, follow: Callable[[float], bool]) -> None:
        self._database, self._follow, self._tail = database, follow, Tail(database.recent_events)
        self._version: int | None = None
        self._known: dict[str, Product | None] = {}  # at that version

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        with translated("reading the catalog"):
            version = self._database.version()
            if version is None:
                return self._tail.products(self._database.reading, keys)
            if version != self._version or len(self._known) > REMEMBERED:
                self._version, self._known = version, {}
            if len(keys) > AT_ONCE:
                return await self._database.in_reader(lambda db: self._tail.products(db, keys))
            if missing := [key for key in keys if key not in self._known]:
                found = self._tail.products(self._database.reading, missing)
                self._known.update({key: found.get(key) for key in missing})
            return {key: known for key in keys if (known := self._known[key]) is not None}

    async def learn(self, products: Sequence[Product], at: int) -> None:
        odd = await self._database.write(
            lambda db: write_in_halves(db, products, partial(take_import, db, self._database.recent_events, at))
        )
        if odd:
            logger.error("%d products are not in the catalog: %s", len(odd), odd[0])

    async def imported(self, feed: str) -> str:
        with translated("reading what was imported"):
            row = first(self._database.reading, SQL.feed_version, (feed,))
        return str(row[0]) if row is not None else ""

    async def note_import(self, feed: str, version: str) -> None:
        await self._database.write(lambda db: db.execute(SQL.note_feed, (feed, version)))

    async def keep_progress(self, id_: str, state: bytes, at: int) -> None:
        def keep(db: apsw.Connection) -> None:
            db.execute(SQL.keep_progress, (id_, at, state))
            db.execute(SQL.forget_progress, (KEPT_IMPORTS,))

        await self._database.write(keep)

    async def progress(self) -> Sequence[tuple[str, int, bytes]]:
        with translated("reading imports"):
            return list(fetch(self._database.reading, SQL.progress))

    async def keys(self, after: str, limit: int) -> Sequence[str]:
        await self._caught_up()
        with translated("listing products"):
            return [key for (key,) in fetch(self._database.reading, SQL.product_keys, (after, limit))]

    async def changes(self, keys: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        with translated("reading the catalog's history"):
            if len(keys) > AT_ONCE:
                return await self._database.in_reader(lambda db: self._tail.changes(db, keys))
            return self._tail.changes(self._database.reading, keys)

    async def search(self, text: str, limit: int = 24) -> Sequence[Product]:
        await self._caught_up()
        with translated("searching the catalog"):
            found = search(self._database.reading, text, limit)
            return list(self._tail.products(self._database.reading, found).values())

    async def _caught_up(self) -> None:
        """Let the catalog follow the log for a moment if it lags."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SEARCH_SECONDS
        try:
            while behind(self._database.reading) and (left := until - loop.time()) > 0:
                await asyncio.to_thread(self._follow, left)
        except StoreUnavailable as error:
            logger.warning("what is newest of the catalog cannot be found yet: %s", error)
