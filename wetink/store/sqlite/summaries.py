"""Summaries: what profiles' events come to, made at leisure, and dropped by whatever could make them wrong.

An open only looks one up. So whoever writes an event calls `heard` in the same transaction, and whoever changes whose
events are whose, or what they say, calls `drop`: claims that move a stretch, aliases, replays.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence

import apsw
import msgspec

from wetink.core.events.event import Entry
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.ports import ENTRY_BYTES
from wetink.store.sqlite.codec import entries, fingerprint, identifier
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.people import FEW, People, Stretch, of_stretch
from wetink.store.sqlite.queries import read

logger = logging.getLogger(__name__)
SQL = read("summaries_queries.sql")

FEWEST, MOST = 12, 1_000
"""Events of those that have a summary: fewer are folded as fast, and no fold looks at more."""
QUIET_MS = 30 * 60_000
"""How long somebody has been quiet before they get one: a visit is over."""

_json = msgspec.json.Encoder().encode

Make = Callable[[Sequence[Entry]], bytes]


def find(db: apsw.Connection, of: Identifier, rules: int) -> bytes | None:
    """Return the summary of whoever `of` means, None without one by these rules that still holds."""
    return _kept(db, People(db).owner(of, FOREVER - 1), rules)


def _kept(db: apsw.Connection, column: str, rules: int) -> bytes | None:
    row = first(db, SQL.summary, (_id(column), column, rules))
    return row[0] if row else None


def _id(column: str) -> int:
    return fingerprint("summary", column)


def heard(db: apsw.Connection, columns: Collection[str]) -> None:
    """Drop every summary that events filed under these identifiers went into: more of them have come in."""
    if not columns or not db.execute(SQL.some).get:
        return
    listed = _json(list(map(_id, columns))).decode()
    db.execute(SQL.delete, (listed,))
    if ids := [id_ for (id_,) in fetch(db, SQL.with_them, (listed,))]:
        db.execute(SQL.delete, (_json(ids).decode(),))
        db.execute(SQL.delete_with, (listed,))


def drop(db: apsw.Connection, columns: Iterable[str]) -> None:
    """Drop every summary that events filed under these identifiers may be in, or may come to be in."""
    people, seen, waiting = People(db), set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        waiting += people.members(column)
        waiting += [owner for (owner,) in fetch(db, SQL.owners, (column,))]
    heard(db, seen)


def drop_all(db: apsw.Connection) -> None:
    """Drop them all."""
    db.execute(SQL.delete_all)


def behind(db: apsw.Connection, rules: int, now: int, limit: int) -> bool:
    """Whether there are messages for `go_on` to look at."""
    seq: int = db.execute(SQL.place, (rules,)).get
    return bool(db.execute(SQL.quiet, (seq, seq + limit, now - QUIET_MS)).get > seq)


def go_on(db: apsw.Connection, make: Make, rules: int, now: int, limit: int) -> None:
    """Make summaries of those whom the next `limit` messages are of, who have been quiet before `now` (Unix ms)."""
    seq: int = db.execute(SQL.place, (rules,)).get
    end: int = db.execute(SQL.quiet, (seq, seq + limit, now - QUIET_MS)).get
    people = People(db)
    heard_from = [column for (column,) in fetch(db, SQL.heard_from, (seq, end))]
    owners = {people.owner(identifier(column), FOREVER - 1) for column in heard_from}
    for owner in {member for each in owners for member in people.members(each)}:
        if _kept(db, owner, rules) is None:
            _put(db, make, rules, owner, now)
    db.execute(SQL.go_on, (end, rules))


def _put(db: apsw.Connection, make: Make, rules: int, owner: str, now: int) -> None:
    people = People(db)
    stretches = people.stretches(identifier(owner), FOREVER - 1, FEW + 1)
    if len(stretches) > FEW:
        return  # looking through so many would hold up whoever writes
    rows = _rows(db, stretches)
    if not FEWEST <= len(rows) < MOST or max(max(key_time, at) for key_time, at, _ in rows) > now - QUIET_MS:
        return
    if sum([len(body) for *_, body in rows]) > ENTRY_BYTES:
        return  # an open folds the newest of them alone
    try:
        summary = make(entries([body for _, _, body in rows]))
    except Exception:  # of one person: opens fold their events, and the others get their summaries
        logger.exception("a person cannot be summed up")
        return
    db.execute(SQL.put, (_id(owner), owner, rules, summary))
    others = {column for column, *_ in stretches} - {owner}
    db.executemany(SQL.put_with, [(_id(column), _id(owner)) for column in others])


def _rows(db: apsw.Connection, stretches: Iterable[Stretch]) -> list[tuple[int, int, bytes]]:
    rows: list[tuple[int, int, bytes]] = []
    for column, since, until, moves in stretches:
        found = fetch(db, SQL.rows, (column, since, until, MOST))
        rows += found if moves == "all" else [row for row in found if of_stretch(row[2:], moves)]
    return rows
