"""Catalog: a projection of the log and of imports, written in slices by the rules of `core.catalog.catalog`.

An import has a position in the log, as a message has. A read includes the part of the log that is not here yet: it
plans the same changes for its products, and writes nothing. Functions that write run inside the caller's transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from wetink.core.catalog.catalog import (
    CHANGES,
    FORGET_EVERY,
    SLICE,
    Change,
    Changes,
    Facts,
    Held,
    Memory,
    Standing,
    Statement,
    plan,
    statements,
    words_of,
)
from wetink.core.catalog.search import MOST_WORDS, words
from wetink.core.errors import StoreUnavailable
from wetink.core.events.event import Product
from wetink.ports.storage import KEPT_IMPORTS
from wetink.store.codec import decode_facts, encode, events, pack, unpack
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.tail import Tail, is_text
from wetink.store.queries import queries

logger = logging.getLogger(__name__)
SQL = queries(__package__, "catalog_queries.sql")

IMPORTS, IMPORTED = 8, 500
"""Imports of a slice, and products of an import."""
MOST_INDEXED = 1_000
"""Words of a product that a search finds."""
FOLLOW_SECONDS = 2.0
"""How long an import waits for the catalog to contain it, in seconds. Reads include it anyway."""
SEARCH_SECONDS = 0.05
"""How long a search waits for the catalog to follow the log, in seconds. Then it searches the older state."""
LARGEST = 1 << 63
_SEQ = itemgetter(0)


class State(NamedTuple):
    """The projection's position in the log, the build of its rows, and the number of its writes out of turn."""

    seq: int
    build: int
    generation: int


class Step(NamedTuple):
    """The next slice for `write`: the state it was planned in, its end, its changes, and the messages in it."""

    seen: State
    seq: int
    changes: Changes
    messages: int
    """The number of messages read, perhaps some beyond the end."""


async def next_step(db: Connection, seen: State, end: int, memory: Memory[State]) -> Step | None:
    """Return the slice after `seen`; None at the end. All messages before `end` must be visible to `db`."""
    *rows, (last_read, _, count) = await db.fetch(SQL.slice, seen.seq, end, SLICE)
    imports = await db.fetch(SQL.imports, seen.seq, end, IMPORTS)
    limits = [last_read] if count == SLICE else []
    limits += [imports[-1][0]] if len(imports) == IMPORTS else []
    last = min(limits, default=max([last_read or 0, *(seq for seq, _, _ in imports)]))
    if last <= seen.seq:
        return None
    bodies = events([body for _, body, _ in rows])
    said = [(seq, statements((event,))) for (seq, _, _), event in zip(rows, bodies, strict=True)]
    said += [(seq, [(at, each) for each in unpack(products)]) for seq, at, products in imports]
    in_order = [each for seq, some in sorted(said, key=_SEQ) if seq <= last for each in some]
    changes = await _planned(db, in_order, seen.build, memory.of(seen))
    memory.leaves(State(last, seen.build, seen.generation))
    return Step(seen, last, changes, count)


async def write(db: Connection, step: Step) -> bool:
    """Write a step unless another process has written since its state. Returns whether it is written."""
    if await db.execute(SQL.advance, "catalog", step.seq, *step.seen) != "UPDATE 1":
        return False
    await put(db, step.seen.build, step.changes)
    return True


async def take(db: Connection, fingerprints: Collection[int]) -> None:
    """Apply the events of renewed messages out of turn."""
    build = await db.fetchval(SQL.next_generation, "catalog")
    found = events([body for (body,) in await db.fetch(SQL.events, list(fingerprints))])
    await put(db, build, await _planned(db, statements(found), build, Standing()))


async def place(db: Connection) -> int:
    """Return how far the catalog has followed the log."""
    return int(await db.fetchval(SQL.place, "catalog"))


async def differing(db: Connection, fingerprints: Collection[int]) -> set[str]:
    """Return the keys of products that lack something of these messages."""
    _, build, *_ = await db.fetchrow(SQL.place, "catalog")
    found = events([body for (body,) in await db.fetch(SQL.events, list(fingerprints))])
    changes = await _planned(db, statements(found), build, Standing())
    return {key for key, facts in changes.facts.items() if _storable(key, facts)}


async def forget(db: Connection, keys: Collection[str]) -> None:
    """Delete all data under these keys, which were placeholders, and the product ids that lead to them."""
    build = await db.fetchval(SQL.next_generation, "catalog")
    for statement in (SQL.delete_products, SQL.delete_changes, SQL.delete_aliases):
        await db.execute(statement, list(keys), build)


async def put(db: Connection, build: int, changes: Changes) -> None:
    """Write changes to the rows of a build. Products whose values cannot be stored are left out."""
    odd = {key for key, facts in changes.facts.items() if not _storable(key, facts)}
    if odd:
        logger.error("%d products are not in the catalog, such as %.200r", len(odd), min(odd))
    rows = [(key, encode(facts)) for key, facts in sorted(changes.facts.items()) if key not in odd]
    if same := [row for row in rows if row[0] not in changes.reworded]:
        await db.execute(SQL.put_facts, build, *columns(same))
    if new := [(*row, _vector(changes.facts[row[0]])) for row in rows if row[0] in changes.reworded]:
        await db.execute(SQL.put_words, build, *columns(new))
    await _put_history(db, build, {(key, now.at): now for key, now in changes.history if key not in odd})
    if aliases := [(id_, sku) for id_, sku in sorted(changes.skus.items()) if sku not in odd and is_text(id_)]:
        await db.execute(SQL.put_aliases, build, *columns(aliases))


async def _put_history(db: Connection, build: int, history: Mapping[tuple[str, int], Change]) -> None:
    if history:
        rows = [(key, at, now.price, now.availability, now.stock) for (key, at), now in sorted(history.items())]
        await db.execute(SQL.put_changes, build, *columns(rows))
        if old := sorted({key for key, at in history if at % FORGET_EVERY == 0}):
            await db.execute(SQL.forget_changes, build, old, CHANGES)


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the columns of some rows, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]


def _vector(facts: Facts) -> str:
    """Return the search words of a product as the text of a `tsvector`, each with its position and the field's weight.

    >>> _vector({"name": (1, "Blue lamp"), "brand": (1, "Tide")})
    "'blue':1A 'lamp':2A 'tide':3C"
    """
    fields = zip(words_of(facts), "ACB", strict=True)
    found = [(word, weight) for text, weight in fields for word in words(text)][:MOST_INDEXED]
    return " ".join(f"'{word}':{place}{weight}" for place, (word, weight) in enumerate(found, 1))


def _storable(key: str, facts: Facts) -> bool:
    """Return whether PostgreSQL can store a product: its texts, its stock (64 bits), and all values as msgpack."""
    _, availability = facts.get("availability", (0, ""))
    _, stock = facts.get("stock", (0, 0))
    try:
        encode(facts)
    except (ValueError, OverflowError):
        return False
    return is_text(key) and is_text(availability) and -LARGEST <= stock < LARGEST


async def held(db: Connection, keys: Collection[str], build: int) -> Held:
    """Return the stored data of these products, by key, sku or product id."""
    names = [key for key in keys if is_text(key)]
    if not names:
        return Held()
    skus = dict(await db.fetch(SQL.skus, names, build))
    rows = await db.fetch(SQL.facts, list({*names, *skus.values()}), build)
    return Held({key: decode_facts(facts) for key, facts in rows}, skus)


async def _planned(db: Connection, said: Sequence[Statement], build: int, standing: Standing) -> Changes:
    return plan(said, await held(db, standing.lacking(said), build), standing)


class PostgresCatalog:
    """`ports.Catalog`. `follow` takes one step of the projections and returns whether there may be more."""

    def __init__(self, database: Database, follow: Callable[[], Awaitable[bool]]) -> None:
        """Read and write `database`."""
        self._database, self._follow, self._tail = database, follow, Tail(database)

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        if not keys:
            return {}
        return (await self._tail.current(keys)).now.products(keys)

    async def learn(self, products: Sequence[Product], at: int) -> None:
        said = [(at, each) for each in products if each.key]
        if odd := [each for _, each in said if not _sound(each)]:
            logger.error("%d products are not in the catalog, such as %.200r", len(odd), odd[0])
            said = [(at, each) for _, each in said if _sound(each)]
        if not said:
            return
        view = await self._tail.current([each.key for _, each in said])
        known = Held(view.now.facts, view.now.skus)
        changes = plan(said, known)
        new = [each for _, each in said if not view.whole or changes.key_of(each, known) in changes.facts]
        if not new:
            return
        some = [pack(new[start : start + IMPORTED]) for start in range(0, len(new), IMPORTED)]
        rows = await self._database.transact("importing products", lambda db: db.fetch(SQL.insert_imports, at, some))
        await self._followed(FOLLOW_SECONDS, max(seq for (seq,) in rows))

    async def imported(self, feed: str) -> str:
        async with self._database.reading("reading what was imported") as db:
            return str(await db.fetchval(SQL.feed_version, feed) or "")

    async def note_import(self, feed: str, version: str) -> None:
        async with self._database.reading("noting an import") as db:
            await db.execute(SQL.note_feed, feed, version)

    async def keep_progress(self, id_: str, state: bytes, at: int) -> None:
        async with self._database.reading("noting an import") as db:
            await db.execute(SQL.keep_progress, id_, at, state)
            await db.execute(SQL.forget_progress, KEPT_IMPORTS)

    async def progress(self) -> Sequence[tuple[str, int, bytes]]:
        async with self._database.reading("reading imports") as db:
            return [(id_, at, state) for id_, at, state in await db.fetch(SQL.progress)]

    async def keys(self, after: str, limit: int) -> Sequence[str]:
        await self._followed(SEARCH_SECONDS)
        async with self._database.reading("listing products") as db:
            return [key for (key,) in await db.fetch(SQL.product_keys, after, limit)]

    async def changes(self, keys: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        view = await self._tail.current(keys, changes=CHANGES)
        found = {key: view.changes_of(key) for key in dict.fromkeys(keys)}
        return {key: changes for key, changes in found.items() if changes}

    async def search(self, text: str, limit: int = 24) -> Sequence[Product]:
        wanted = " & ".join(f"'{word}':*" for word in words(text)[:MOST_WORDS])
        if not wanted:
            return []
        await self._followed(SEARCH_SECONDS)
        given = SQL.search, wanted, limit
        rows = await self._database.read("searching the catalog", lambda db: db.fetch(*given))
        found = [key for (key,) in rows]
        return list((await self.products(found)).values())

    async def _followed(self, seconds: float, until: int = LARGEST) -> None:
        """Let the catalog follow the log for a moment, to a position or to the end."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        try:
            while (
                loop.time() < end and not self._database.away and await self._place() < until and await self._follow()
            ):
                pass
        except StoreUnavailable as error:
            logger.warning("what is newest of the catalog cannot be found yet: %s", error)

    async def _place(self) -> int:
        async with self._database.reading("following the log") as db:
            return await place(db)


def _sound(product: Product) -> bool:
    try:
        encode(product)
    except (ValueError, OverflowError):
        return False
    return is_text(product.key)
