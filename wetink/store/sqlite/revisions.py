"""Revisions: of which products something else was said than before, for whoever remembers what was said.

Noted in the transaction that writes it. A word that is only repeated, or the first there is, makes nobody wrong.
"""

from collections.abc import Collection

import apsw

from wetink.store.sqlite.connection import fetch
from wetink.store.sqlite.queries import read

SQL = read("queries.sql")

KEPT = 10_000
"""Revisions that are told of: who missed more of them had better forget everything."""


def newest(db: apsw.Connection) -> int:
    """Return the number of the newest revision, 0 while there is none."""
    number: int = db.execute(SQL.newest_revision).get
    return number


def note(db: apsw.Connection, keys: Collection[str]) -> int:
    """Note a revision of each of these products; return the number of the newest."""
    db.executemany(SQL.insert_revision, [(key,) for key in sorted(keys)])
    number = newest(db)
    db.execute(SQL.delete_revisions, (number - KEPT,))
    return number


def since(db: apsw.Connection, number: int) -> tuple[int, Collection[str] | None]:
    """Return the newest number, and the products that were revised after `number`; None for all there may be."""
    now = newest(db)
    if now == number:
        return now, ()
    if not 0 <= now - number <= KEPT:
        return now, None
    return now, {key for (key,) in fetch(db, SQL.revised_since, (number,))}
