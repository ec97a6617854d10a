"""Lessons: what events teach the catalog. Runs inside a transaction that the writer opened."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import apsw
import msgspec

from wetink.core.catalog import SAME_WORD_MS, Facts, learn, product
from wetink.core.event import Event, Product
from wetink.core.outside import Change
from wetink.store.sqlite import revisions
from wetink.store.sqlite.codec import decode_facts, encode, fingerprint
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

CHANGES, FORGET_EVERY = 50, 16
"""Changes that are told of each product; of more than them, the oldest go with every so-manyth change or so."""

Words: TypeAlias = tuple[str, ...]

MOST_WORDS = 8
_WORD = re.compile(r"\w+")
_KEY = itemgetter(0)
_json = msgspec.json.Encoder().encode

REMEMBERED = 20_000
"""Products whose facts a process remembers, to see that an event says nothing new."""


class Lessons:
    """Teaches the catalog in one process.

    What others revise is forgotten first (see `revisions`); all else that is said of a product only ever gets newer, so
    what is not new to facts remembered from earlier is not new to those in the file either.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._revision = -1
        self._remembered: dict[str, Facts] = {}
        self._said: dict[str, tuple[Product, int]] = {}  # the last words on each, and when

    def teach(self, db: apsw.Connection, events: Iterable[Event]) -> None:
        """Take in what trusted events say of their products."""
        self._catch_up(db)
        told = [
            (said, event.at)
            for event in events
            for said in event.products
            if said.key and not self._repeated(said, event.at)
        ]
        if not told:
            return
        fresh: dict[str, Facts] = {}
        there = stored(db, {said.sku for said, _ in told if said.sku and said.sku not in self._remembered})
        news = _News()
        for said, at in told:
            self._learn(db, said, at, fresh, there, news)
        news.write(db)
        if news.revised:
            self._revision = revisions.note(db, news.revised)
        if len(self._remembered) + len(fresh) > REMEMBERED:
            self.forget()
        self._remembered.update(fresh)

    def _catch_up(self, db: apsw.Connection) -> None:
        """Forget what others have revised."""
        self._revision, revised = revisions.since(db, self._revision)
        if revised is None:
            self.forget()
        elif revised:
            self._said.clear()  # some are by a product id
            for key in revised:
                self._remembered.pop(key, None)

    def _repeated(self, said: Product, at: int) -> bool:
        """Whether these are the very words of about that time."""
        last = self._said.get(said.key)
        if last is not None and -SAME_WORD_MS < at - last[1] < SAME_WORD_MS and said == last[0]:
            return True
        if last is None or at >= last[1]:
            self._said[said.key] = (said, at)
        return False

    def _learn(
        self,
        db: apsw.Connection,
        said: Product,
        at: int,
        fresh: dict[str, Facts],
        there: Mapping[str, Facts],
        news: "_News",
    ) -> None:
        key = said.key if said.sku else news.aliases.get(said.key) or main_key(db, said.key)
        remembered = self._remembered.get(key)
        if remembered is not None and key not in fresh and not learn(dict(remembered), said, at):
            return
        facts = fresh.get(key)
        if facts is None:
            facts = fresh[key] = dict(there[key]) if key in there else _facts(db, key)
        before = dict(facts)
        if learn(facts, said, at):
            news.facts[key] = facts
            if any(facts[field][1] != value for field, (_, value) in before.items()):
                news.revised.add(key)
            if (offer := _offer(facts)) != _offer(before):
                news.changes.append((key, at, *offer))
            if _words_of(facts) != _words_of(before):
                news.reworded[key] = None
            if said.sku and said.product_id and said.product_id != said.sku:
                news.aliases[said.product_id] = said.sku

    def forget(self) -> None:
        """Remember nothing: the transaction that taught it was undone."""
        self._remembered.clear()
        self._said.clear()


def unlearn(db: apsw.Connection, keys: Collection[str]) -> None:
    """Forget all that is known under these keys: many products were taken for one. What leads to them goes, too."""
    for key in sorted(keys):
        for statement in (SQL.delete_product, SQL.delete_changes, SQL.delete_product_aliases, SQL.delete_unworded):
            db.execute(statement, (key,))
        db.execute(SQL.delete_words, (fingerprint("product", key),))
    if keys:
        revisions.note(db, keys)


class _News:
    """What is new of products, to be written in one go. Their words follow later: see `word`."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self.changes: list[tuple[str, int, float | None, str, int | None]] = []
        self.reworded: dict[str, None] = {}
        self.revised: set[str] = set()
        self.aliases: dict[str, str] = {}

    def write(self, db: apsw.Connection) -> None:
        """Write it."""
        if self.facts:
            db.executemany(SQL.upsert_product, [(key, encode(self.facts[key])) for key in sorted(self.facts)])
        if self.changes:
            db.executemany(SQL.insert_change, sorted(self.changes, key=_KEY))
            for key in {key for key, at, *_ in self.changes if at % FORGET_EVERY == 0}:
                db.execute(SQL.forget_changes, (key, CHANGES))
        if self.reworded:
            db.executemany(SQL.insert_unworded, [(key,) for key in sorted(self.reworded)])
        if self.aliases:
            db.executemany(SQL.insert_product_alias, sorted(self.aliases.items()))


def _offer(facts: Facts) -> tuple[float | None, str, int | None]:
    """Return price, availability and stock."""
    price, availability, stock = facts.get("price"), facts.get("availability"), facts.get("stock")
    return price[1] if price else None, availability[1] if availability else "", stock[1] if stock else None


def _words_of(facts: Facts) -> Words:
    """Return name, brand and category."""
    return tuple([facts[field][1] if field in facts else "" for field in ("name", "brand", "category")])


def tell(db: apsw.Connection, at: int, products: Sequence[Product]) -> None:
    """Have the catalog learn what the shop itself says of products at a time (Unix ms)."""
    Lessons().teach(db, [Event("track", at, "", "catalog", products=tuple(products))])


def unworded(db: apsw.Connection) -> bool:
    """Whether some products have words that cannot be searched yet."""
    return first(db, SQL.unworded, (1,)) is not None


def word(db: apsw.Connection, limit: int) -> bool:
    """Put the words of so many products where they can be searched; return whether there are more."""
    keys: list[tuple[str]] = fetch(db, SQL.unworded, (limit,))
    rows = [(fingerprint("product", key), key, *_words_of(_facts(db, key))) for (key,) in keys]
    db.executemany(SQL.delete_words, [(row[0],) for row in rows])
    db.executemany(SQL.insert_words, rows)
    db.executemany(SQL.delete_unworded, keys)
    return len(keys) == limit


def changes(db: apsw.Connection, keys: Iterable[str]) -> Mapping[str, Sequence[Change]]:
    """Return the history of these products' price and stock, oldest first."""
    found = {key: fetch(db, SQL.changes, (main_key(db, key), CHANGES)) for key in dict.fromkeys(keys)}
    return {key: tuple(Change(*row) for row in reversed(rows)) for key, rows in found.items() if rows}


def search(db: apsw.Connection, text: str, limit: int) -> Sequence[Product]:
    """Return the products that have every word of `text`, or a word that starts so, the best first."""
    words = [f'"{word}"*' for word in _WORD.findall(text)[:MOST_WORDS]]
    if not words:
        return ()
    keys = [key for (key,) in fetch(db, SQL.search, (" ".join(words), limit))]
    return list(known(db, keys).values())


def known(db: apsw.Connection, keys: Iterable[str]) -> Mapping[str, Product]:
    """Return the catalog's facts by key, sku or product id; unknown ones are left out."""
    found: dict[str, Product] = {}
    for key in dict.fromkeys(keys):
        facts = _facts(db, key) or _facts(db, main_key(db, key))
        if facts:
            found[key] = product(facts)
    return found


def stored(db: apsw.Connection, keys: Collection[str]) -> dict[str, Facts]:
    """Return the facts of all these products, found in one go; those the catalog does not know have none."""
    found: dict[str, Facts] = {key: {} for key in keys}
    if found:
        found.update(
            (key, decode_facts(facts)) for key, facts in db.execute(SQL.products, (_json(list(found)).decode(),))
        )
    return found


def main_key(db: apsw.Connection, key: str) -> str:
    """Return the sku that a product id goes with, else the key itself."""
    row = first(db, SQL.product_alias, (key,))
    return row[0] if row else key


def _facts(db: apsw.Connection, key: str) -> dict[str, tuple[int, Any]]:
    row = first(db, SQL.product, (key,))
    return decode_facts(row[0]) if row else {}
