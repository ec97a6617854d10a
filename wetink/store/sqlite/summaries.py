"""Summaries: what profiles' events come to, made at leisure, and dropped by whatever could make them wrong.

An open only looks one up. So whoever writes an event calls `heard` in the same transaction, and whoever changes whose
events are whose, or what they say, calls `drop`: claims that move a stretch, aliases, replays.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import apsw
import msgspec

from wetink.core.events.event import Entry
from wetink.core.identity.holding import FOREVER
from wetink.ports import ENTRIES, ENTRY_BYTES, Revision
from wetink.store.sqlite.codec import entries, fingerprint, identifier
from wetink.store.sqlite.codec import who as column_of
from wetink.store.sqlite.connection import fetch, first
from wetink.store.sqlite.people import People, revision_of
from wetink.store.sqlite.queries import read

logger = logging.getLogger(__name__)
SQL = read("summaries_queries.sql")

FEWEST = 12
"""Events of those that have a summary: fewer are folded as fast."""
QUIET_MS = 30 * 60_000
"""How long somebody has been quiet before they get one: a visit is over."""

_json = msgspec.json.Encoder().encode

Make = Callable[[Sequence[Entry]], bytes]


class Summary(NamedTuple):
    """What was kept of a profile, of all its events: none of them is newer than `newest` (Unix ms)."""

    root: str
    revision: Revision
    newest: int
    body: bytes


def find(db: apsw.Connection, column: str, rules: int) -> Summary | None:
    """Return the summary of whoever an identifier stands for, None without one by these rules that still holds."""
    row = first(db, SQL.summary, (_id(column), column, rules))
    return Summary(*row) if row else None


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
        if find(db, owner, rules) is None:
            _put(db, make, rules, owner, now)
    db.execute(SQL.go_on, (end, rules))


def _put(db: apsw.Connection, make: Make, rules: int, owner: str, now: int) -> None:
    people, who = People(db), identifier(owner)
    found = people.newest_of_few(who, FOREVER - 1, ENTRIES)
    if found is None or not FEWEST <= len(found.rows) < ENTRIES:
        return  # of many stretches: looking through so many would hold up whoever writes
    newest = max(at for at, _ in found.rows)
    if newest > now - QUIET_MS or sum([len(body) for _, body in found.rows]) > ENTRY_BYTES:
        return  # of more bytes an open folds the newest alone
    try:
        summary = make(entries([body for _, body in found.rows]))
    except Exception:  # of one person: opens fold their events, and the others get their summaries
        logger.exception("a person cannot be summed up")
        return
    root = people.root(who, FOREVER - 1)
    db.execute(SQL.put, (_id(owner), owner, rules, column_of(root), revision_of(found, root), newest, summary))
    others = {column for column, *_ in people.stretches(who, FOREVER - 1)} - {owner}
    db.executemany(SQL.put_with, [(_id(column), _id(owner)) for column in others])
