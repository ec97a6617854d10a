"""Contacts: opens and clicks into the ledger's file, with the sums of each day and what they say of exposures.

Everything is done by few statements over many rows: a statement for each row would pass Python's lock to and fro with
the event loop.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import apsw
import msgspec

from wetink.core.report import DAY_MS
from wetink.core.touch import Touch
from wetink.ports.ledger import Served
from wetink.store.sqlite.connection import fetch
from wetink.store.sqlite.queries import read

SQL = read("contact_queries.sql")
KINDS = ("open", "click")
AT_ONCE = 5_000
"""Recipients whose contacts are summed up anew at once."""

_BATCH = """CREATE TEMP TABLE IF NOT EXISTS batch (
    recipient, at, kind, block, campaign, variant, taken_for, facts, version, human, arms
)"""
_rows = msgspec.json.Encoder().encode


def write(db: apsw.Connection, touches: Sequence[Touch], served: Mapping[tuple[Served, int], int]) -> None:
    """Write opens, clicks and how many pictures were sent on which day, in one transaction."""
    with _transaction(db):
        if served:
            sums = [(day, what.block, what.variant, what.campaign, count) for (what, day), count in served.items()]
            db.execute(SQL.pictures, (_rows(sums).decode(),))
        if touches:
            db.execute(SQL.batch, (_rows([_row(touch) for touch in touches]).decode(),))
            for query in (SQL.count, SQL.count_firsts, SQL.insert, SQL.expose):
                db.execute(query)


def sum_up(db: apsw.Connection) -> None:
    """Work out the sums of all days anew, inside a transaction, as after contacts were classed anew. Pictures stay."""
    db.execute(_BATCH)
    db.execute(SQL.clear_days)
    db.execute(SQL.clear_exposures)
    head, known, tail = SQL.count_firsts.partition("WHERE NOT EXISTS")
    firsts = f"{head}WHERE true {tail[tail.index('GROUP BY 1, 2, 3, 4') :]}" if known else head
    last = ""
    while names := fetch(db, SQL.recipients, (last, AT_ONCE)):
        db.execute("DELETE FROM temp.batch")
        db.execute(SQL.batch_again, (last, names[-1][0]))
        for query in (SQL.count, firsts, SQL.expose):
            db.execute(query)
        last = names[-1][0]
    db.execute("DELETE FROM temp.batch")


def day_of(at: int) -> int:
    """Return the first millisecond of the day (UTC) of a moment."""
    return at - at % DAY_MS


def _row(touch: Touch) -> tuple[object, ...]:
    arms = _rows(touch.arms).decode() if touch.arms else ""
    return (
        *(touch.recipient, touch.at, KINDS.index(touch.kind), touch.block, touch.campaign, touch.variant),
        *(touch.taken_for, _rows(touch.facts).decode(), touch.version, int(touch.human), arms),
    )


@contextmanager
def _transaction(db: apsw.Connection) -> Iterator[None]:
    """Open a write transaction with an empty table for the batch."""
    db.execute(_BATCH)
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("DELETE FROM temp.batch")
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
