"""Conversions: a projection of the log, which events of it say something of a conversion, and whose they are now.

Each name of an event has a cursor of its own: orders are followed from the first message on, the events of other goals
from when somebody first asks for them. A goal that is made today counts what came before it.
"""

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import apsw

from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.conversion import ConversionEvent
from wetink.core.signals.goal import ORDER_EVENTS
from wetink.ports import NAMES
from wetink.store.sqlite.codec import decode_event, identifier
from wetink.store.sqlite.connection import fetch, first, in_thread, read, script, snapshot, translated
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.people import People

SQL = read("conversion_queries.sql")

SLICE = 20_000
"""Messages that are gone through in one go."""


BATCH = 100
"""Order ids, or events without one, that are read at a time: reports of any span take the memory of so many."""

OWNERS = 5_000
Members: TypeAlias = dict[Identifier, tuple[Identifier, ...]]
"""The names of the profiles that own events."""

Batch: TypeAlias = tuple[str, str]
"""A query for some events of a span, and what it finds them by (JSON)."""


class Step(NamedTuple):
    """What the next slice comes to, for `write`: the names it is of, where it leads, and the rows it found."""

    names: Sequence[str]
    start: int
    seq: int
    rows: Sequence[tuple[object, ...]]
    replays: int


def prepare(db: apsw.Connection) -> None:
    """Make what is missing in a file; take over what an earlier version noted of orders."""
    db.execute(script("conversions.sql"))
    place = db.execute(SQL.last_seq).get if first(db, SQL.had_purchases) is None else 0
    db.executemany(SQL.follow, [(name, place) for name in sorted(ORDER_EVENTS)])
    db.execute("DROP TABLE IF EXISTS purchase")


def behind(db: apsw.Connection, names: Collection[str] | None = None) -> dict[str, int]:
    """Return the names for which messages have not been gone through, each with the last `seq` that has.

    Without `names`, those of all that somebody has asked for.
    """
    followed, last = dict(fetch(db, SQL.followed)), int(db.execute(SQL.last_seq).get)
    places = {name: followed.get(name, 0) for name in (followed if names is None else names)}
    return {name: seq for name, seq in places.items() if seq < last}


def messages_behind(db: apsw.Connection) -> int:
    """Return by how many messages the projection is behind the log."""
    return max((int(db.execute(SQL.last_seq).get) - seq for seq in behind(db).values()), default=0)


def next_step(db: apsw.Connection, names: Collection[str] | None = None, until: int = FOREVER) -> Step | None:
    """Return what the next messages come to, up to `until`; None when there are no more."""
    with snapshot(db):
        places = behind(db, names)
        start = min(places.values(), default=until)
        if start >= until:
            return None
        mine = [name for name, seq in places.items() if seq == start]
        ends = {start + SLICE, int(db.execute(SQL.last_seq).get), *(seq for seq in places.values() if seq > start)}
        last = min(ends)
        rows = fetch(db, SQL.in_messages, (start, last, json.dumps(mine)))
        return Step(mine, start, last, [_row(row) for row in rows], db.execute(SQL.replays).get)


def write(db: apsw.Connection, step: Step) -> None:
    """Note what was found, unless somebody else has, or messages were renewed since."""
    followed = dict(fetch(db, SQL.followed))
    if db.execute(SQL.replays).get != step.replays or any(followed.get(each, 0) != step.start for each in step.names):
        return
    db.executemany(SQL.insert, step.rows)
    db.executemany(SQL.follow_to, [(name, step.seq) for name in step.names])


def take(db: apsw.Connection, seqs: Iterable[int]) -> None:
    """Note what some messages say out of turn: they were renewed."""
    names = json.dumps([name for name, _ in fetch(db, SQL.followed)])
    for seq in seqs:
        db.executemany(SQL.insert, [_row(row) for row in fetch(db, SQL.in_messages, (seq - 1, seq, names))])


def reset(db: apsw.Connection) -> None:
    """Empty the projection and begin anew."""
    db.execute(SQL.empty)


def between(db: apsw.Connection, names: Collection[str], since: int, until: int) -> list[Batch]:
    """Return what is told in [since, until), in batches for `told`."""
    span = (json.dumps(list(names)), since, until)
    ids, places = [id for (id,) in fetch(db, SQL.ids_between, span)], fetch(db, SQL.places_between, span)
    return [
        (query, json.dumps(found[start : start + BATCH]))
        for query, found in ((SQL.of_ids, ids), (SQL.of_places, places))
        for start in range(0, len(found), BATCH)
    ]


def told(db: apsw.Connection, names: Collection[str], batch: Batch, members: Members) -> list[ConversionEvent]:
    """Return the events of a batch, with whatever else is ever told of the same ids.

    `members` remembers the names of owners from batch to batch, of up to `OWNERS` of them.
    """
    people, told = People(db), []
    if len(members) > OWNERS:
        members.clear()
    query, keys = batch
    for body, column in fetch(db, query, (json.dumps(list(names)), keys)):
        event = decode_event(body)
        owner = people.root_of_event(identifier(column), event.at, event.level)
        if owner not in members:
            members[owner] = people.profile(owner, FOREVER - 1, NAMES).identifiers
        told.append(ConversionEvent(event, owner, members[owner]))
    return told


class SQLiteConversions:
    """`ports.Conversions` over the main file. `write_step` writes what a slice of the log comes to."""

    def __init__(self, database: Database, write_step: Callable[[Step], None]) -> None:
        """Read there."""
        self._database, self._write_step = database, write_step

    async def outcomes(
        self, names: Collection[str], since: int, until: int
    ) -> AsyncIterator[Sequence[ConversionEvent]]:
        members: Members = {}
        for batch in await self._between(names, since, until):
            yield await self._told(names, batch, members)

    @in_thread
    def _between(self, names: Collection[str], since: int, until: int) -> list[Batch]:
        with translated("reading conversions"):
            db = self._database.reading
            last = db.execute(SQL.last_seq).get
            while (step := next_step(db, names, last)) is not None:
                self._write_step(step)
            return between(db, names, since, until)

    @in_thread
    def _told(self, names: Collection[str], batch: Batch, members: Members) -> list[ConversionEvent]:
        with translated("reading conversions"):
            return told(self._database.reading, names, batch, members)


def _row(found: tuple[Any, ...]) -> tuple[object, ...]:
    """Return the values of an event that was found, behind those of its place in the cluster."""
    *place, name, body = found
    event = decode_event(body)
    return name, event.order.order_id if event.order is not None else "", *place
