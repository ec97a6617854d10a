"""Summaries: what profiles' events come to, made at leisure, and dropped by whatever could make them wrong.

An event that comes with a newer time than its profile's summary has is found when the summary is read. Whoever writes
anything else that changes whose events are whose, or what they say, calls `drop` in the same transaction: late events
(a duplicate that moves one is late), claims that move a stretch, aliases, replays.
"""

from collections.abc import Callable, Iterable, Sequence

import apsw

from wetink.core.entry import Entry
from wetink.core.identifier import Identifier
from wetink.core.identity import FOREVER
from wetink.store.sqlite.codec import entries, fingerprint, identifier
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.people import People, Stretch
from wetink.store.sqlite.queries import read

SQL = read("summaries_queries.sql")

FEWEST, MOST = 12, 1_000
"""Events of those that have a summary: fewer are folded as fast, and no fold looks at more."""
MEMBERS = 4
"""Identifiers whose events a summary may be of."""
QUIET_MS = 30 * 60_000
"""How long somebody has been quiet before they get one: a visit is over."""

Make = Callable[[Sequence[Entry]], bytes]


def find(db: apsw.Connection, of: Identifier, rules: int) -> bytes | None:
    """Return the summary of whoever `of` means, None without one by these rules that still holds."""
    return _kept(db, People(db).owner(of, FOREVER - 1), rules)


def _kept(db: apsw.Connection, column: str, rules: int) -> bytes | None:
    row = first(db, SQL.summary, (_id(column), column, rules))
    return row[0] if row else None


def _id(column: str) -> int:
    return fingerprint("summary", column)


def horizon(db: apsw.Connection) -> int:
    """Return the time from which on events are not late (Unix ms); -1 while there is no summary at all."""
    newest: int = db.execute(SQL.horizon).get
    return newest


def drop(db: apsw.Connection, columns: Iterable[str]) -> None:
    """Drop every summary that events filed under these identifiers may be in."""
    if horizon(db) < 0:
        return
    people, seen, waiting = People(db), set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        waiting += people.members(column)
        waiting += [owner for (owner,) in fetch(db, SQL.owners, (column,))]
    db.executemany(SQL.delete, [(_id(column),) for column in seen])


def drop_all(db: apsw.Connection) -> None:
    """Drop them all."""
    db.execute(SQL.delete_all)


def behind(db: apsw.Connection, rules: int, now: int, limit: int) -> bool:
    """Whether there are messages for `go_on` to look at."""
    seq: int = db.execute(SQL.summarized, (rules,)).get
    return bool(db.execute(SQL.quiet, (seq, seq + limit, now - QUIET_MS)).get > seq)


def go_on(db: apsw.Connection, make: Make, rules: int, now: int, limit: int) -> None:
    """Make summaries of those whom the next `limit` messages are of, who have been quiet before `now` (Unix ms)."""
    seq: int = db.execute(SQL.summarized, (rules,)).get
    newest = -1
    end: int = db.execute(SQL.quiet, (seq, seq + limit, now - QUIET_MS)).get
    people = People(db)
    heard_from = [column for (column,) in fetch(db, SQL.heard_from, (seq, end))]
    owners = {people.owner(identifier(column), FOREVER - 1) for column in heard_from}
    for owner in {member for each in owners for member in people.members(each)}:
        if _kept(db, owner, rules) is None:
            newest = max(newest, _put(db, make, rules, owner, now))
    db.execute(SQL.go_on, (end, rules, newest))


def _put(db: apsw.Connection, make: Make, rules: int, owner: str, now: int) -> int:
    """Make one; return the newest time in it, -1 for none made."""
    people = People(db)
    stretches = people.stretches(identifier(owner), FOREVER - 1)
    columns = list(dict.fromkeys([owner, *(column for column, _, _ in stretches)]))
    if len(columns) > MEMBERS:
        return -1
    rows = _rows(db, stretches)
    until = max((key_time for key_time, _, _ in rows), default=0)
    if not FEWEST <= len(rows) < MOST or max(until, max(at for _, at, _ in rows)) > now - QUIET_MS:
        return -1
    body = make(entries([body for _, _, body in rows]))
    db.execute(SQL.put, (_id(owner), owner, rules, until, *(columns[1:] + [""] * MEMBERS)[: MEMBERS - 1], body))
    return until


def _rows(db: apsw.Connection, stretches: Iterable[Stretch]) -> list[tuple[int, int, bytes]]:
    rows: list[tuple[int, int, bytes]] = []
    for column, since, until in stretches:
        rows += fetch(db, SQL.rows, (column, since, until, MOST))
    return rows
