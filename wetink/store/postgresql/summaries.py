"""Summaries: what the events of quiet people come to, so that an open need not read these.

A summary is made while all identifiers of its profile are locked. A writer of an event holds a lock on the identifier
that it is filed under, and whoever changes a holding one on its sides; each then deletes the summaries concerned. So
either a writer sees a summary, or its maker sees what was written.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from wetink.core.events.event import Entry
from wetink.core.identity.holding import FOREVER
from wetink.core.profile.summary import Summary
from wetink.ports import ENTRIES, ENTRY_BYTES
from wetink.store.codec import PARKED, entries
from wetink.store.postgresql.database import Connection, Database
from wetink.store.queries import queries

logger = logging.getLogger(__name__)
SQL = queries(__package__, "profile_queries.sql")

FEWEST = 12
"""Minimum events for a summary: fewer are folded as fast."""
QUIET_MS = 30 * 60_000
"""How long a person must be quiet before they get a summary, in milliseconds: a visit is over."""
FEW = 64
"""Most identifiers of a profile that gets a summary: more would hold up too many writers."""

Make = Callable[[Sequence[Entry]], Summary]


async def summarize(database: Database, make: Make, rules: int, now: int, limit: int) -> bool:
    """Make summaries of the people of the next `limit` messages who were quiet before `now` (Unix ms).

    Returns whether there were such messages.
    """
    async with database.reading("looking for people to summarize") as db:
        place = await db.fetchval(SQL.summary_place, rules)
        rows = await db.fetch(SQL.next_messages, place, limit)
        end = max((seq for seq, _, received in rows if received <= now - QUIET_MS), default=None)
        if end is None:
            return False
        senders = {column for seq, column, _ in rows if seq <= end and column != PARKED}
        owners = [owner for (owner,) in await db.fetch(SQL.owners_of, list(senders), FOREVER - 1)]
        done = {owner for (owner,) in await db.fetch(SQL.summarized, owners, rules)}
    for owner in owners:
        if owner not in done:
            work = partial(_put, make=make, rules=rules, owner=owner, now=now)
            await database.transact("storing a summary", work, durable=False)
    async with database.reading("storing summaries") as db:
        await db.execute(SQL.go_on, rules, end, place)
    return True


async def _put(db: Connection, *, make: Make, rules: int, owner: str, now: int) -> None:
    members = await db.fetchval(SQL.lock_profile, owner, FEW)
    if members is None:
        return
    # Twice the bytes of an open, so that a profile with more than those shows.
    head, *rows = await db.fetch(SQL.load, [owner], [""], [FOREVER - 1], None, False, ENTRIES, 2 * ENTRY_BYTES)
    bodies = [row[5] for row in rows]
    if not FEWEST <= len(bodies) < ENTRIES or sum(map(len, bodies)) > ENTRY_BYTES:
        return  # with more, an open folds only the newest
    read = entries(bodies)
    newest = max(entry.at for entry in read)
    if newest > now - QUIET_MS:
        return
    try:
        summary = make(read)
    except Exception:  # one person; opens fold their events, and the others get summaries
        logger.exception("a profile cannot be summarized")
        return
    others = [member for member in members if member != owner]
    parts = summary.person, summary.history
    await db.execute(SQL.put_summary, owner, rules, head[1], head[2], newest, *parts, others)
