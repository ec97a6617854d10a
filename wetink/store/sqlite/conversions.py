"""Conversions: a projection of the log with the events that concern conversions, and their current owners.

Each event name has its own cursor. Order events are followed from the first message on, events of other goals from the
first request for them. A new goal therefore counts earlier events as well.

Each day, hour and minute has a count of its changes, its revision. An event counts for its own time and for those of
its order's other events, a change of owners for the times of all events of the profiles around it.
"""

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import apsw

from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.conversion import ConversionEvent
from wetink.core.signals.goal import ORDER_EVENTS
from wetink.ports import NAMES, Revision
from wetink.store.codec import decode_event, identifier
from wetink.store.queries import queries, script
from wetink.store.sqlite.connection import fetch, in_thread, snapshot, translated
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.profiles import People

SQL = queries(__package__, "conversion_queries.sql")

SLICE = 20_000
"""Messages scanned in one step."""


BATCH = 100
"""Order ids, or events without one, read at a time. This bounds the memory of a report of any span."""

MOVES = 5_000
"""Changes of owners that are followed in one step."""

MOST_AROUND = 20_000
"""Identifiers that are looked at for these. If there are more, all conversions count as changed: a page's key may claim
any number of them."""

OWNERS = 5_000
Members: TypeAlias = dict[Identifier, tuple[Identifier, ...]]
"""The identifiers of the profiles that own events."""

Batch: TypeAlias = tuple[str, str]
"""A query for some events of a span, and its keys (JSON)."""


class Step(NamedTuple):
    """The next slice for `write`: its event names, start and end, and the rows found.

    It also has the last of the changes of owners that it covers, and the times (Unix ms) of the conversions that these
    concern; None for all times.
    """

    names: Sequence[str]
    start: int
    seq: int
    rows: Sequence[tuple[object, ...]]
    replays: int
    moved: int
    times: Sequence[int] | None


def prepare(db: apsw.Connection) -> None:
    """Create missing tables. Orders are followed from the start."""
    db.execute(script(__package__, "conversions.sql"))
    db.executemany(SQL.follow, [(name, 0) for name in sorted(ORDER_EVENTS)])


def behind(db: apsw.Connection, names: Collection[str] | None = None) -> dict[str, int]:
    """Return the event names that lag behind the log, each with its last scanned `seq`.

    Without `names`, all followed names are checked.
    """
    followed, last = dict(fetch(db, SQL.followed)), int(db.execute(SQL.last_seq).get)
    places = {name: followed.get(name, 0) for name in (followed if names is None else names)}
    return {name: seq for name, seq in places.items() if seq < last}


def messages_behind(db: apsw.Connection) -> int:
    """Return the number of messages that the projection lags behind the log."""
    return max((int(db.execute(SQL.last_seq).get) - seq for seq in behind(db).values()), default=0)


def next_step(
    db: apsw.Connection, names: Collection[str] | None = None, until: int = FOREVER, moves: int = FOREVER
) -> Step | None:
    """Return the next slice, up to the message `until` and the change of owners `moves`; None at the end."""
    with snapshot(db):
        moved = int(db.execute(SQL.last_owner_change, (moves, MOVES)).get)
        times = _times_around(db, moved) if moved else ()
        places = behind(db, names)
        start = min(places.values(), default=until)
        if start >= until:
            return Step((), 0, 0, (), 0, moved, times) if moved else None
        mine = [name for name, seq in places.items() if seq == start]
        ends = {start + SLICE, int(db.execute(SQL.last_seq).get), *(seq for seq in places.values() if seq > start)}
        last = min(ends)
        rows = fetch(db, SQL.in_messages, (start, last, json.dumps(mine)))
        return Step(mine, start, last, [_row(row) for row in rows], db.execute(SQL.replays).get, moved, times)


def _times_around(db: apsw.Connection, moved: int) -> list[int] | None:
    """Return the times of the conversions that changes of owners up to `moved` may concern; None for all."""
    around = [column for (column,) in fetch(db, SQL.about_owners, (moved, MOST_AROUND + 1))]
    if len(around) > MOST_AROUND:
        return None
    return [at for (at,) in fetch(db, SQL.times_of, (json.dumps(around),))]


def write(db: apsw.Connection, step: Step) -> None:
    """Write a step, unless another process has, or messages were renewed since."""
    if step.moved:
        if step.times is None:
            db.execute(SQL.changed_everywhere)
        elif step.times:
            db.execute(SQL.changed_at, (json.dumps(step.times),))
        db.execute(SQL.forget_owner_changes, (step.moved,))
    followed = dict(fetch(db, SQL.followed))
    if db.execute(SQL.replays).get != step.replays or any(followed.get(each, 0) != step.start for each in step.names):
        return
    _insert(db, step.rows)
    db.executemany(SQL.follow_to, [(name, step.seq) for name in step.names])


def _insert(db: apsw.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Write rows, and count the changes."""
    if rows:
        db.executemany(SQL.insert, rows)
        times = fetch(db, SQL.times_about, (json.dumps([row[2:] for row in rows]),))
        db.execute(SQL.changed_at, (json.dumps([at for (at,) in times]),))


def take(db: apsw.Connection, seqs: Iterable[int]) -> None:
    """Apply renewed messages out of turn."""
    names = json.dumps([name for name, _ in fetch(db, SQL.followed)])
    for seq in seqs:
        _insert(db, [_row(row) for row in fetch(db, SQL.in_messages, (seq - 1, seq, names))])


def reset(db: apsw.Connection) -> None:
    """Empty the projection and start over."""
    db.execute(SQL.empty)
    db.execute(SQL.changed_everywhere)


def between(db: apsw.Connection, names: Collection[str], since: int, until: int) -> list[Batch]:
    """Return the batches of events in [since, until), for `read`."""
    span = (json.dumps(list(names)), since, until)
    ids, places = [id for (id,) in fetch(db, SQL.ids_between, span)], fetch(db, SQL.places_between, span)
    return [
        (query, json.dumps(found[start : start + BATCH]))
        for query, found in ((SQL.of_ids, ids), (SQL.of_places, places))
        for start in range(0, len(found), BATCH)
    ]


def read(db: apsw.Connection, names: Collection[str], batch: Batch, members: Members) -> list[ConversionEvent]:
    """Return the events of a batch, with all other events of the same ids.

    `members` caches the identifiers of up to `OWNERS` owners from batch to batch.
    """
    people, found = People(db), []
    if len(members) > OWNERS:
        members.clear()
    query, keys = batch
    for body, column in fetch(db, query, (json.dumps(list(names)), keys)):
        event = decode_event(body)
        owner = people.root_of_event(identifier(column), event.at, event.level)
        if owner not in members:
            members[owner] = people.leading(owner, FOREVER - 1, NAMES)
        found.append(ConversionEvent(event, owner, members[owner]))
    return found


class SQLiteConversions:
    """`ports.Conversions` over the main file. `write_step` writes the rows of a slice of the log."""

    def __init__(self, database: Database, write_step: Callable[[Step], None]) -> None:
        self._database, self._write_step = database, write_step

    async def outcomes(
        self, names: Collection[str], since: int, until: int
    ) -> AsyncIterator[Sequence[ConversionEvent]]:
        members: Members = {}
        for batch in await self._between(names, since, until):
            with translated("reading conversions"):
                found = await self._database.in_reader(lambda db: read(db, names, batch, members))  # noqa: B023 (awaited)
            yield found

    @in_thread
    def revisions(self, names: Collection[str], since: int, until: int, width: int) -> Mapping[int, Revision]:
        with translated("following conversions"):
            rows = fetch(self._followed(names), SQL.changes, (width, since, until))
        return {start: f"{changes}-{of_all}" for start, changes, of_all in rows}

    @in_thread
    def _between(self, names: Collection[str], since: int, until: int) -> list[Batch]:
        with translated("reading conversions"):
            return between(self._followed(names), names, since, until)

    def _followed(self, names: Collection[str]) -> apsw.Connection:
        """Return a connection that reads the projection after all messages received so far.

        It may wait for another process, so it does not take one of the readers, which opens need as well.
        """
        db = self._database.reading
        last, moves = db.execute(SQL.last_seq).get, db.execute(SQL.newest_owner_change).get
        while (step := next_step(db, names, last, moves)) is not None:
            self._write_step(step)
        return db


def _row(found: tuple[Any, ...]) -> tuple[object, ...]:
    """Return the row of an event: its name and order id, and its key in the cluster."""
    *place, name, body = found
    event = decode_event(body)
    return name, event.order.order_id if event.order is not None else "", *place
