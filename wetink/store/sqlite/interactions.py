"""Interactions: writes opens and clicks into the ledger's file, with sums by time and their effects on exposures.

Few statements each handle many rows: a statement for each row would pass Python's lock back and forth with the event
loop. Classifying all rows again takes many short transactions, so that other writers wait for milliseconds only. The
sums are computed aside in the meantime, and replace the existing ones in the end.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apsw
from msgspec.structs import replace

from wetink.core.client_classification import RULES_VERSION, Kind
from wetink.core.signals.attribution import AGAIN_MS, PROVED_MS, Touch
from wetink.ports.drawing import Served
from wetink.store.interactions import (
    EARLIEST,
    encode_json,
    families,
    parts_in,
    quarter_of,
    reclassified,
    row_of,
    unproved,
)
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch, insert

SQL = queries(__package__, "contact_queries.sql")
PEOPLE_AT_ONCE = 250
"""Recipients classified in one transaction."""

_BATCH = """CREATE TEMP TABLE IF NOT EXISTS batch (
    recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, once, audiences,
    first
)"""
_SUMS = """CREATE TEMP TABLE {} (
    day, block, variant, campaign, {}opens DEFAULT 0, unique_opens DEFAULT 0, machine_opens DEFAULT 0,
    unique_machine_opens DEFAULT 0, clicks DEFAULT 0, unique_clicks DEFAULT 0, machine_clicks DEFAULT 0,
    implied_opens DEFAULT 0, PRIMARY KEY (day, block, variant, campaign{})
)"""
LAST = (1 << 63) - 1
"""Higher than any row."""


def prepare(db: apsw.Connection) -> None:
    """Create the table for a batch and the function of parts, once for each connection that uses them."""
    db.create_scalar_function("parts_in", _parts_in, 3, deterministic=True)
    db.execute(_BATCH)


def _parts_in(*given: Any) -> str:
    return encode_json(parts_in(*given)).decode()


def count_pictures(db: apsw.Connection, served: Sequence[tuple[tuple[Served, int], int]]) -> None:
    """Add delivered pictures to the counts, inside a transaction."""
    sums = [(quarter, what.block, what.variant, what.campaign, count) for (what, quarter), count in served]
    db.execute(SQL.pictures, (encode_json(sums).decode(),))


def count(db: apsw.Connection, touches: Sequence[Touch]) -> None:
    """Write opens and clicks, inside a transaction."""
    db.execute("DELETE FROM temp.batch")
    insert(db, "INSERT INTO temp.batch VALUES", [_row_of(touch) for touch in touches])
    if any(touch.once for touch in touches):
        db.execute(SQL.drop_again, {"again": AGAIN_MS})
    _prove(db, touches)
    db.execute(SQL.mark_firsts, {"last": LAST})
    for query in (SQL.changed, SQL.count, SQL.count_parts, SQL.insert, SQL.expose):
        db.execute(query)


def _row_of(touch: Touch) -> tuple[Any, ...]:
    *row, audiences = row_of(touch)
    return *row, touch.once, audiences, False


def _prove(db: apsw.Connection, touches: Sequence[Touch]) -> None:
    """Add the opens that people's clicks prove. A real open that comes later replaces the proven one."""
    for row, at, block, variant, campaign, new, *taken in fetch(db, SQL.confirmed, (PROVED_MS,)):
        db.execute(SQL.leave_parts, (row,))
        db.execute(SQL.confirm, (*taken, row))
        db.execute(SQL.enter_parts, (row,))
        db.execute(SQL.confirm_day, (quarter_of(at), block, variant, campaign))
        db.execute(SQL.drop, (new,))
    clicks = unproved(touches)
    if clicks:
        clicked = [(touch.recipient, touch.at, touch.block, touch.campaign) for touch in clicks]
        found = fetch(db, SQL.unproved, (encode_json(clicked).decode(), PROVED_MS))
        implied = [_row_of(replace(clicks[index], kind="open", implied=True, once=False)) for (index,) in found]
        insert(db, "INSERT INTO temp.batch VALUES", implied)


class Sums:
    """The sums of all time, computed aside for some recipients at a time while others write."""

    def __init__(self, db: apsw.Connection) -> None:
        """Start empty. Rows written from now on are added in the end."""
        self._db, self._last = db, db.execute(SQL.last_contact).get
        prepare(db)
        for table, column in (("sums", ""), ("part_sums", "part")):
            db.execute(f"DROP TABLE IF EXISTS temp.{table}")
            db.execute(_SUMS.format(table, f"{column}, " if column else "", f", {column}" if column else ""))

    def add(self, recipients: Sequence[str]) -> None:
        """Add all rows of these recipients, and update their exposures. Inside a transaction."""
        listed = encode_json(recipients).decode()
        self._db.execute("DELETE FROM temp.batch")
        self._db.execute(SQL.batch_again, {"recipients": listed, "last": LAST})
        self._db.execute(SQL.unexpose, (listed,))
        self._db.execute(SQL.expose)
        self._db.execute("DELETE FROM temp.batch")
        self._db.execute(SQL.batch_again, {"recipients": listed, "last": self._last})
        self._count(0)

    def take_over(self) -> None:
        """Replace the stored sums. Inside a transaction."""
        self._db.execute("DELETE FROM temp.batch")
        self._db.execute(SQL.batch_since, {"last": self._last})
        self._count(self._last)
        self._db.execute(SQL.clear_days)
        self._db.execute(SQL.take_over)
        self._db.execute(SQL.take_over_parts)

    def _count(self, last: int) -> None:
        """Add the batch. What is the first of its kind follows from the rows up to the last one, and the batch."""
        self._db.execute(SQL.mark_firsts, {"last": last})
        for query in (SQL.count, SQL.count_parts):
            self._db.execute(_aside(query))


def _aside(query: str) -> str:
    return query.replace("INTO part_daily", "INTO temp.part_sums").replace("INTO daily", "INTO temp.sums")


def classify_anew(db: apsw.Connection, counts: Callable[[str, Kind], bool]) -> int:
    """Classify the facts of all opens and clicks with the current rules. Returns the number of changes.

    `counts` returns whether a block counts a class of fetch.
    """
    changed, sums = 0, Sums(db)
    for people in _slices(db):
        with transaction(db):
            changed += _classify(db, people, counts)
            sums.add(people)
            db.execute(SQL.changed_at, (EARLIEST,))
    with transaction(db):
        sums.take_over()
    return changed


def _slices(db: apsw.Connection) -> Iterator[list[str]]:
    """Yield all recipients in parts. Recipients that an experiment treats as one person are in the same part."""
    joined = families(fetch(db, SQL.heirs))
    yield from joined
    related = {each for family in joined for each in family}
    last = ""
    while rows := fetch(db, SQL.recipients, (last, PEOPLE_AT_ONCE)):
        last = rows[-1][0]
        if alone := [recipient for (recipient,) in rows if recipient not in related]:
            yield alone


def _classify(db: apsw.Connection, people: Sequence[str], counts: Callable[[str, Kind], bool]) -> int:
    """Classify some people's opens and clicks. Inside a transaction. Returns the number of changes."""
    found = reclassified(fetch(db, SQL.touches_of, (encode_json(people).decode(),)), counts)
    for fetch_class, facts, human, row in found.rows:
        db.execute(SQL.retake, (fetch_class, facts, RULES_VERSION, human, row))
    for row, *about in fetch(db, SQL.implied_of, (encode_json(people).decode(),)):
        who, at, block, campaign = about
        if found.proved.pop((who, campaign, block, at), None) is None:
            db.execute(SQL.deny, (row,))
    for click in found.proved.values():
        db.execute(SQL.imply_again, (click,))
    return found.changed
