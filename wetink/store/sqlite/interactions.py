"""Interactions: writes opens and clicks into the ledger's file, with daily sums and their effects on exposures.

Few statements each handle many rows: a statement for each row would pass Python's lock back and forth with the event
loop. Classifying all rows again takes many short transactions, so that other writers wait for milliseconds only. The
daily sums are computed aside in the meantime, and replace the existing ones in the end.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import apsw
import msgspec
from msgspec.structs import replace

from wetink.core.client_classification import RULES_VERSION, Facts, Kind, classify, in_hindsight
from wetink.core.signals.attribution import AGAIN_MS, PROVED_MS, Touch
from wetink.core.signals.report import DAY_MS
from wetink.ports.drawing import Served
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch

SQL = queries(__package__, "contact_queries.sql")
KINDS = ("open", "click")
AT_ONCE = 5_000
"""Recipients summed at once."""
PEOPLE_AT_ONCE = 250
"""Recipients classified in one transaction."""

_BATCH = """CREATE TEMP TABLE IF NOT EXISTS batch (
    recipient, at, kind, block, campaign, variant, taken_for, facts, version, human, arms, implied, once
)"""
_SUMS = """CREATE TEMP TABLE sums (
    day, block, variant, campaign, opens DEFAULT 0, unique_opens DEFAULT 0, machine_opens DEFAULT 0,
    unique_machine_opens DEFAULT 0, clicks DEFAULT 0, unique_clicks DEFAULT 0, machine_clicks DEFAULT 0,
    implied_opens DEFAULT 0, PRIMARY KEY (day, block, variant, campaign)
)"""
LAST = (1 << 63) - 1
"""Higher than any row."""
EARLIEST = -(1 << 61)
"""Before any open or click."""
_rows = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(Facts).decode


def prepare(db: apsw.Connection) -> None:
    """Create the table for a batch, once for each connection that writes opens and clicks."""
    db.execute(_BATCH)


def added(old: tuple[Any, int], new: tuple[Any, int]) -> tuple[Any, int]:
    """Return the sum of two counts of the same picture and day."""
    return old[0], old[1] + new[1]


def count_pictures(db: apsw.Connection, served: Sequence[tuple[tuple[Served, int], int]]) -> None:
    """Add delivered pictures to the daily counts, inside a transaction."""
    sums = [(day, what.block, what.variant, what.campaign, count) for (what, day), count in served]
    db.execute(SQL.pictures, (_rows(sums).decode(),))


def count(db: apsw.Connection, touches: Sequence[Touch]) -> None:
    """Write opens and clicks, inside a transaction."""
    db.execute("DELETE FROM temp.batch")
    db.execute(SQL.batch, (_rows([_row(touch) for touch in touches]).decode(),))
    if any(touch.once for touch in touches):
        db.execute(SQL.drop_again, {"again": AGAIN_MS})
    _prove(db, touches)
    for query in (SQL.changed, SQL.count, SQL.count_firsts, SQL.insert, SQL.expose):
        db.execute(query, {"last": LAST} if query is SQL.count_firsts else None)


def _prove(db: apsw.Connection, touches: Sequence[Touch]) -> None:
    """Add the opens that people's clicks prove. A real open that comes later replaces the proven one."""
    for row, at, block, variant, campaign, new, *taken in fetch(db, SQL.confirmed, (PROVED_MS,)):
        db.execute(SQL.confirm, (*taken, row))
        db.execute(SQL.changed_at, (at,))
        db.execute(SQL.confirm_day, (day_of(at), block, variant, campaign))
        db.execute(SQL.drop, (new,))
    clicks = _unproved(touches)
    if clicks:
        clicked = [(touch.recipient, touch.at, touch.block, touch.campaign) for touch in clicks]
        found = fetch(db, SQL.unproved, (_rows(clicked).decode(), PROVED_MS))
        implied = [_row(replace(clicks[index], kind="open", implied=True)) for (index,) in found]
        db.execute(SQL.batch, (_rows(implied).decode(),))


def _unproved(touches: Sequence[Touch]) -> list[Touch]:
    """Return each person's first click on each block without an open near it among these."""
    clicks = [touch for touch in touches if touch.kind == "click" and touch.human]
    if not clicks:
        return []
    seen: dict[tuple[str, str, str], list[int]] = {}
    for touch in touches:
        if touch.kind == "open" and touch.human:
            seen.setdefault((touch.recipient, touch.block, touch.campaign), []).append(touch.at)
    first: dict[tuple[str, str, str], Touch] = {}
    for touch in sorted(clicks, key=lambda each: each.at):
        key = touch.recipient, touch.block, touch.campaign
        if not any(abs(touch.at - at) < PROVED_MS for at in seen.get(key, ())):
            first.setdefault(key, touch)
    return list(first.values())


class Sums:
    """The sums of all days, computed aside for some recipients at a time while others write."""

    def __init__(self, db: apsw.Connection) -> None:
        """Start empty. Rows written from now on are added in the end."""
        self._db, self._last = db, db.execute(SQL.last_contact).get
        prepare(db)
        db.execute("DROP TABLE IF EXISTS temp.sums")
        db.execute(_SUMS)

    def add(self, recipients: Sequence[str]) -> None:
        """Add all rows of these recipients, and update their exposures. Inside a transaction."""
        listed = _rows(recipients).decode()
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


def _aside(query: str) -> str:
    return query.replace("INTO daily", "INTO temp.sums")


def day_of(at: int) -> int:
    """Return the first millisecond of the day (UTC) of a moment."""
    return at - at % DAY_MS


def _row(touch: Touch) -> tuple[object, ...]:
    arms = _rows(touch.arms).decode() if touch.arms else ""
    return (
        *(touch.recipient, touch.at, KINDS.index(touch.kind), touch.block, touch.campaign, touch.variant),
        *(
            touch.fetch_class,
            _rows(touch.facts).decode(),
            touch.version,
            int(touch.human),
            arms,
            int(touch.implied),
            int(touch.once),
        ),
    )


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
    families = _families(fetch(db, SQL.heirs))
    yield from families
    related = {each for family in families for each in family}
    last = ""
    while rows := fetch(db, SQL.recipients, (last, PEOPLE_AT_ONCE)):
        last = rows[-1][0]
        if alone := [recipient for (recipient,) in rows if recipient not in related]:
            yield alone


def _families(heirs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return groups of recipients from pairs of an heir and the recipient it follows.

    >>> [sorted(each) for each in _families([("b", "a"), ("d", "c"), ("c", "b"), ("y", "x")])]
    [['a', 'b', 'c', 'd'], ['x', 'y']]
    """
    family: dict[str, list[str]] = {}
    for heir, origin in heirs:
        one, other = family.setdefault(heir, [heir]), family.setdefault(origin, [origin])
        if one is not other:
            one += other
            family.update(dict.fromkeys(other, one))
    return list({id(each): each for each in family.values()}.values())


def _classify(db: apsw.Connection, people: Sequence[str], counts: Callable[[str, Kind], bool]) -> int:
    """Classify some people's opens and clicks. Inside a transaction. Returns the number of changes."""
    changed = 0
    wanted: dict[tuple[str, str, str, int], int] = {}
    rows = fetch(db, SQL.touches_of, (_rows(people).decode(),))
    for (recipient, campaign), group in groupby(rows, key=lambda row: (row[1], row[5])):
        email, counted = list(group), list[tuple[str, int, bool, int]]()
        told = [(at, kind == 1, block, _facts(facts)) for _, _, at, kind, block, _, _, facts in email]
        for row, facts in zip(email, in_hindsight(told), strict=True):
            fetch_class = classify(facts).kind
            changed += fetch_class != row[6]
            human = counts(row[4], fetch_class)
            db.execute(SQL.retake, (fetch_class, _rows(facts).decode(), RULES_VERSION, human, row[0]))
            if human:
                counted.append((row[4], row[2], row[3] == 1, row[0]))
        wanted |= {(recipient, campaign, block, at): click for block, at, click in _proved(counted)}
    for row, *about in fetch(db, SQL.implied_of, (_rows(people).decode(),)):
        who, at, block, campaign = about
        if wanted.pop((who, campaign, block, at), None) is None:
            db.execute(SQL.deny, (row,))
    for click in wanted.values():
        db.execute(SQL.imply_again, (click,))
    return changed


def _proved(email: Sequence[tuple[str, int, bool, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield the opens that clicks of one email prove: block, time (Unix ms) and the click.

    `email` has people's actions, the oldest first: block, time, whether it is a click, and its row.

    >>> list(_proved([("a", 5, False, 1), ("a", 9, True, 2), ("b", 9, True, 3), ("b", 10, True, 4)]))
    [('b', 9, 3)]
    """
    seen: dict[str, list[int]] = {}
    for block, at, click, _ in email:
        if not click:
            seen.setdefault(block, []).append(at)
    for block, at, click, row in email:
        known = seen.setdefault(block, [])
        if click and not any(abs(at - each) < PROVED_MS for each in known):
            known.append(at)
            yield block, at, row
