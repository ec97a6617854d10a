"""Interactions: writes opens and clicks into the ledger's file, with sums by time and their effects on exposures.

Few statements each handle many rows: a statement for each row would pass Python's lock back and forth with the event
loop. Classifying all rows again takes many short transactions, so that other writers wait for milliseconds only. The
sums are computed aside in the meantime, and replace the existing ones in the end.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

import apsw
from msgspec.structs import replace

from wetink.core.client_classification import RULES_VERSION, Kind
from wetink.core.signals.attribution import AGAIN_MS, PROVED_MS, Touch
from wetink.core.signals.report import DAY_MS, DayCount
from wetink.ports.drawing import Served
from wetink.store.interactions import (
    EARLIEST,
    encode_json,
    families,
    parts_of,
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
    recipient, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, once
)"""
_SUMS = """CREATE TEMP TABLE sums (
    day, block, variant, campaign, opens DEFAULT 0, unique_opens DEFAULT 0, machine_opens DEFAULT 0,
    unique_machine_opens DEFAULT 0, clicks DEFAULT 0, unique_clicks DEFAULT 0, machine_clicks DEFAULT 0,
    implied_opens DEFAULT 0, PRIMARY KEY (day, block, variant, campaign)
)"""
LAST = (1 << 63) - 1
"""Higher than any row."""


def prepare(db: apsw.Connection) -> None:
    """Create the table for a batch, once for each connection that writes opens and clicks."""
    db.execute(_BATCH)


def count_pictures(db: apsw.Connection, served: Sequence[tuple[tuple[Served, int], int]]) -> None:
    """Add delivered pictures to the counts, inside a transaction."""
    sums = [(quarter, what.block, what.variant, what.campaign, count) for (what, quarter), count in served]
    db.execute(SQL.pictures, (encode_json(sums).decode(),))


def count(db: apsw.Connection, touches: Sequence[Touch]) -> None:
    """Write opens and clicks, inside a transaction."""
    db.execute("DELETE FROM temp.batch")
    insert(db, "INSERT INTO temp.batch VALUES", [(*row_of(touch), touch.once) for touch in touches])
    if any(touch.once for touch in touches):
        db.execute(SQL.drop_again, {"again": AGAIN_MS})
    _prove(db, touches)
    for query in (SQL.changed, SQL.count, SQL.count_firsts, SQL.insert, SQL.expose):
        db.execute(query, {"last": LAST} if query is SQL.count_firsts else None)


def _prove(db: apsw.Connection, touches: Sequence[Touch]) -> None:
    """Add the opens that people's clicks prove. A real open that comes later replaces the proven one."""
    for row, at, block, variant, campaign, new, *taken in fetch(db, SQL.confirmed, (PROVED_MS,)):
        db.execute(SQL.confirm, (*taken, row))
        db.execute(SQL.confirm_day, (quarter_of(at), block, variant, campaign))
        db.execute(SQL.drop, (new,))
    clicks = unproved(touches)
    if clicks:
        clicked = [(touch.recipient, touch.at, touch.block, touch.campaign) for touch in clicks]
        found = fetch(db, SQL.unproved, (encode_json(clicked).decode(), PROVED_MS))
        implied = [(*row_of(replace(clicks[index], kind="open", implied=True)), False) for (index,) in found]
        insert(db, "INSERT INTO temp.batch VALUES", implied)


class Sums:
    """The sums of all time, computed aside for some recipients at a time while others write."""

    def __init__(self, db: apsw.Connection) -> None:
        """Start empty. Rows written from now on are added in the end."""
        self._db, self._last = db, db.execute(SQL.last_contact).get
        prepare(db)
        db.execute("DROP TABLE IF EXISTS temp.sums")
        db.execute(_SUMS)

    def add(self, recipients: Sequence[str]) -> None:
        """Add all rows of these recipients, and update their exposures. Inside a transaction."""
        listed = encode_json(recipients).decode()
        self._db.execute("DELETE FROM temp.batch")
        self._db.execute(SQL.batch_again, {"recipients": listed, "last": LAST})
        self._db.execute(SQL.unexpose, (listed,))
        self._db.execute(SQL.expose)
        self._db.execute("DELETE FROM temp.batch")
        self._db.execute(SQL.batch_again, {"recipients": listed, "last": self._last})
        self._db.execute(_aside(SQL.count))
        self._db.execute(_aside(SQL.count_firsts), {"last": 0})

    def take_over(self) -> None:
        """Replace the stored sums. Inside a transaction."""
        self._db.execute("DELETE FROM temp.batch")
        self._db.execute(SQL.batch_since, {"last": self._last})
        self._db.execute(_aside(SQL.count))
        self._db.execute(_aside(SQL.count_firsts), {"last": self._last})
        self._db.execute(SQL.clear_days)
        self._db.execute(SQL.take_over)


def sums(db: apsw.Connection, periods: Sequence[tuple[int, int]], by: Collection[str], block: str) -> list[DayCount]:
    """Return the sums of periods, as `Ledger.sums` does: of each day by itself, since its rows are in order."""
    days, edges = parts_of(periods)
    parts = [
        (_grouped(SQL.day_sums, by), period, day, day, 1)
        for period, first, last in days
        for day in range(first, last, DAY_MS)
    ]
    parts += [(_grouped(SQL.quarter_sums, by), *edge) for edge in edges]
    found: dict[tuple[int, str, str, str], list[int]] = {}
    for query, period, since, until, sign in parts:
        for row in db.execute(query, {"since": since, "until": until, "only": block}):
            if row[3] is None:  # no rows at all
                continue
            known = found.setdefault((period, *row[:3]), [0] * 9)
            for index, amount in enumerate(row[3:]):
                known[index] += sign * amount
    return [DayCount(*key, *amounts) for key, amounts in sorted(found.items()) if any(amounts)]


def _grouped(query: str, by: Collection[str]) -> str:
    """Return a query for sums apart by some of its columns, with empty text for the others."""
    columns = "block", "variant", "campaign"
    mine = [name for name in columns if name in by]
    shown = ", ".join(name if name in by else "''" for name in columns)
    query = query.replace("SELECT block, variant, campaign", f"SELECT {shown}")
    return query.replace("GROUP BY block, variant, campaign", f"GROUP BY {', '.join(mine)}" if mine else "")


def _aside(query: str) -> str:
    return query.replace("INTO daily", "INTO temp.sums")


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
