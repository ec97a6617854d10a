"""Summaries: makes them of people who have been quiet for a while, and drops those that may be wrong.

An open only reads one (`profiles.summary_of`). So code that writes an event calls `drop_summaries_of` in the same
transaction, and code that changes the owners or the contents of events calls `drop_summaries_about`: claims that move a
stretch, aliases, replays.
"""

import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import apsw
import msgspec

from wetink.core.identity.holding import FOREVER
from wetink.ports import ENTRIES, ENTRY_BYTES
from wetink.store.codec import entries, identifier, who
from wetink.store.sqlite.connection import fetch, translated
from wetink.store.sqlite.profiles import SUMMARIES, Make, People, revision_of, summary_id, summary_of

if TYPE_CHECKING:
    from wetink.store.sqlite.database import Database

logger = logging.getLogger(__name__)

FEWEST = 12
"""Minimum events for a summary: fewer are folded as fast."""

QUIET_MS = 30 * 60_000
"""How long a person must be quiet before they get a summary, in milliseconds: a visit is over."""

_json = msgspec.json.Encoder().encode


def drop_summaries_of(db: apsw.Connection, columns: Collection[str]) -> None:
    """Drop every summary that includes events filed under these identifiers: new ones have come."""
    if not columns or not db.execute(SUMMARIES.some).get:
        return
    listed = _json(list(map(summary_id, columns))).decode()
    db.execute(SUMMARIES.delete, (listed,))
    if ids := [id_ for (id_,) in fetch(db, SUMMARIES.with_them, (listed,))]:
        db.execute(SUMMARIES.delete, (_json(ids).decode(),))
        db.execute(SUMMARIES.delete_with, (listed,))


def drop_summaries_about(db: apsw.Connection, columns: Iterable[str]) -> None:
    """Drop every summary that includes, or may come to include, events filed under these identifiers."""
    people, seen, waiting = People(db), set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        waiting += people.members(column)
        waiting += [owner for (owner,) in fetch(db, SUMMARIES.owners, (column,))]
    drop_summaries_of(db, seen)


async def summarize(database: "Database", make: Make, rules: int, now: int, limit: int) -> bool:
    """Make summaries of the people of the next `limit` messages who were quiet before `now` (Unix ms).

    Returns whether there were such messages. Raises StoreUnavailable.
    """
    with translated("looking for people to summarize"):
        *_, behind = _slice(database.reading, rules, now, limit)
    if behind:
        await database.write(lambda db: _summarize(db, make, rules, now, limit))
    return behind


def _slice(db: apsw.Connection, rules: int, now: int, limit: int) -> tuple[int, int, bool]:
    """Return the next (seq, seq] of messages to process, and whether there are any."""
    seq: int = db.execute(SUMMARIES.place, (rules,)).get
    end: int = db.execute(SUMMARIES.quiet, (seq, seq + limit, now - QUIET_MS)).get
    return seq, end, end > seq


def _summarize(db: apsw.Connection, make: Make, rules: int, now: int, limit: int) -> None:
    seq, end, _ = _slice(db, rules, now, limit)
    people = People(db)
    senders = [column for (column,) in fetch(db, SUMMARIES.heard_from, (seq, end))]
    owners = {people.owner(identifier(column), FOREVER - 1) for column in senders}
    for owner in {member for each in owners for member in people.members(each)}:
        if summary_of(db, owner, rules, brief=True) is None:
            _put(db, make, rules, owner, now)
    db.execute(SUMMARIES.go_on, (end, rules))


def _put(db: apsw.Connection, make: Make, rules: int, owner: str, now: int) -> None:
    people, whose = People(db), identifier(owner)
    found = people.newest_of_few(whose, FOREVER - 1, ENTRIES)
    if found is None or not FEWEST <= len(found.rows) < ENTRIES:
        return  # many stretches take too long and would delay writers
    newest = max(at for at, _ in found.rows)
    if newest > now - QUIET_MS or sum([len(body) for _, body in found.rows]) > ENTRY_BYTES:
        return  # with more bytes, an open folds only the newest
    try:
        summary = make(entries([body for _, body in found.rows]))
    except Exception:  # one person; opens fold their events, and the others get summaries
        logger.exception("a person cannot be summed up")
        return
    root = people.root(whose, FOREVER - 1)
    parts = summary.person, summary.history
    db.execute(SUMMARIES.put, (summary_id(owner), owner, rules, who(root), revision_of(found, root), newest, *parts))
    others = {column for column, *_ in people.stretches(whose, FOREVER - 1)} - {owner}
    db.executemany(SUMMARIES.put_with, [(summary_id(column), summary_id(owner)) for column in others])
