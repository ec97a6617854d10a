"""Lessons: what events teach the catalog. Runs inside a transaction that the writer opened."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import apsw

from wetink.core.catalog import SAME_WORD_MS, Facts, learn, product
from wetink.core.event import Event, Product
from wetink.core.shop import Change
from wetink.store.sqlite.codec import decode_facts, encode, fingerprint
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

CHANGES, FORGET_EVERY = 50, 16
"""Changes that are told of each product; of more than them, the oldest go with every so-manyth change or so."""

Words: TypeAlias = tuple[str, ...]

MOST_WORDS = 8
_WORD = re.compile(r"\w+")

REMEMBERED = 20_000
"""Products whose facts a process remembers, to see that an event says nothing new."""


class Lessons:
    """Teaches the catalog in one process.

    Words on a product only ever get newer, so what is not new to facts remembered from earlier is not new to those in
    the file either, whichever process wrote them since: only then need they be read.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._remembered: dict[str, Facts] = {}
        self._said: dict[str, tuple[Product, int]] = {}  # the last words on each, and when

    def teach(self, db: apsw.Connection, events: Iterable[Event]) -> None:
        """Take in what trusted events say of their products."""
        fresh: dict[str, Facts] = {}
        changed: dict[str, Facts] = {}
        before: dict[str, Words] = {}
        for event in events:
            for said in event.products:
                if said.key and not self._repeated(said, event.at):
                    self._learn(db, said, event.at, fresh, changed, before)
        if changed:
            db.executemany(SQL.upsert_product, [(key, encode(facts)) for key, facts in changed.items()])
            for key, facts in changed.items():
                _reword(db, key, before[key], facts)
        if len(self._remembered) + len(fresh) > REMEMBERED:
            self.forget()
        self._remembered.update(fresh)

    def _repeated(self, said: Product, at: int) -> bool:
        """Whether these are the very words of a moment ago."""
        last = self._said.get(said.key)
        if last is not None and 0 <= at - last[1] < SAME_WORD_MS and said == last[0]:
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
        changed: dict[str, Facts],
        before: dict[str, Words],
    ) -> None:
        key = said.key if said.sku else main_key(db, said.key)
        remembered = self._remembered.get(key)
        if remembered is not None and key not in fresh and not learn(dict(remembered), said, at):
            return
        facts = fresh.get(key)
        if facts is None:
            facts = fresh[key] = _facts(db, key)
        if key not in before:
            before[key] = _words_of(facts)
        offer = _offer(facts)
        if learn(facts, said, at):
            changed[key] = facts
            if _offer(facts) != offer:
                db.execute(SQL.insert_change, (key, at, *_offer(facts)))
                if at % FORGET_EVERY == 0:
                    db.execute(SQL.forget_changes, (key, CHANGES))
            if said.sku and said.product_id and said.product_id != said.sku:
                db.execute(SQL.insert_product_alias, (said.product_id, said.sku))

    def forget(self) -> None:
        """Remember nothing: the transaction that taught it was undone."""
        self._remembered.clear()
        self._said.clear()


def _offer(facts: Facts) -> tuple[float | None, str, int | None]:
    """Return price, availability and stock."""
    price, availability, stock = facts.get("price"), facts.get("availability"), facts.get("stock")
    return price[1] if price else None, availability[1] if availability else "", stock[1] if stock else None


def _words_of(facts: Facts) -> Words:
    """Return name, brand and category."""
    return tuple([facts[field][1] if field in facts else "" for field in ("name", "brand", "category")])


def _reword(db: apsw.Connection, key: str, before: Words, facts: Facts) -> None:
    """Put new words where they can be searched."""
    words = _words_of(facts)
    if words != before:
        row = fingerprint("product", key)
        db.execute(SQL.delete_words, (row,))
        db.execute(SQL.insert_words, (row, key, *words))


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


def main_key(db: apsw.Connection, key: str) -> str:
    """Return the sku that a product id goes with, else the key itself."""
    row = first(db, SQL.product_alias, (key,))
    return row[0] if row else key


def _facts(db: apsw.Connection, key: str) -> dict[str, tuple[int, Any]]:
    row = first(db, SQL.product, (key,))
    return decode_facts(row[0]) if row else {}
