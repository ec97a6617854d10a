"""Lessons: what events teach the catalog. Runs inside a transaction that the writer opened."""

from collections.abc import Iterable, Mapping
from typing import Any

import apsw

from wetink.core.catalog import Facts, learn, product
from wetink.core.event import Event, Product
from wetink.store.sqlite.codec import decode_facts, encode
from wetink.store.sqlite.connection import first
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

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

    def teach(self, db: apsw.Connection, events: Iterable[Event]) -> None:
        """Take in what trusted events say of their products."""
        fresh: dict[str, Facts] = {}
        changed: dict[str, Facts] = {}
        for event in events:
            for said in event.products:
                if not said.key:
                    continue
                key = said.key if said.sku else main_key(db, said.key)
                remembered = self._remembered.get(key)
                if remembered is not None and key not in fresh and not learn(dict(remembered), said, event.at):
                    continue
                facts = fresh.get(key)
                if facts is None:
                    facts = fresh[key] = _facts(db, key)
                if learn(facts, said, event.at):
                    changed[key] = facts
                    if said.sku and said.product_id and said.product_id != said.sku:
                        db.execute(SQL.insert_product_alias, (said.product_id, said.sku))
        if changed:
            db.executemany(SQL.upsert_product, [(key, encode(facts)) for key, facts in changed.items()])
        if len(self._remembered) + len(fresh) > REMEMBERED:
            self._remembered.clear()
        self._remembered.update(fresh)

    def forget(self) -> None:
        """Remember nothing: the transaction that taught it was undone."""
        self._remembered.clear()


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
