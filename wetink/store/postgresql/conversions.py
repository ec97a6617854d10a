"""Conversions: a projection of the log with the events that concern conversions.

Each event name has its own cursor. Order events are followed from the first message on, events of other goals from the
first request for them. A new goal therefore counts earlier events as well. Writing a row again changes nothing, so a
report writes what followers cannot see yet and leaves the cursor where it is.

Each day, hour and minute has a count of its changes, its revision. An event counts for its own time and for those of
its order's other events, a change of owners for the times of all events of the profiles around it.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from wetink.core.identity.holding import FOREVER
from wetink.core.signals.conversion import ConversionEvent
from wetink.core.signals.goal import ORDER_EVENTS
from wetink.ports import NAMES, Profile, Revision
from wetink.store.codec import decode_event
from wetink.store.postgresql.catalog import columns
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.profiles import leading
from wetink.store.queries import queries

SQL = queries(__package__, "conversion_queries.sql")

SLICE = 20_000
"""Messages scanned in one step."""
PAGE = 1_000
"""Events of a span that are listed at a time."""
BATCH = 100
"""Order ids, or events without one, read at a time. This bounds the memory of a report of any span."""
MOST = 1 << 62
"""A position after all others."""

MOVES = 5_000
"""Changes of owners that are followed in one step."""
MOST_AROUND = 20_000
"""Identifiers that are looked at for these. If there are more, all conversions count as changed."""

OWNERS = 5_000
Members: TypeAlias = dict[str, Profile]
"""The profiles that own events by the column values of their roots, up to `OWNERS` from batch to batch."""

Row: TypeAlias = tuple[int, str, str]
"""A message's fingerprint, its event's name, and the order id."""


class Step(NamedTuple):
    """The next slice for `write`: its event names, its end and the rows found. With an end of 0, cursors stay."""

    names: Sequence[str]
    seq: int
    rows: Sequence[Row]
    generation: int
    messages: int = 0


class Places(NamedTuple):
    """How far each name has been followed, the end of the log, the number of replays, and if owners have changed."""

    last: int
    generation: int
    moved: bool
    followed: Mapping[str, int]

    def behind(self, names: Collection[str] | None = None) -> dict[str, int]:
        """Return the names that lag behind the log, each with its position: of `names`, or of all that are followed."""
        places = {name: self.followed.get(name, 0) for name in (self.followed if names is None else names)}
        return {name: seq for name, seq in places.items() if seq < self.last}


async def places(db: Connection) -> Places:
    """Return how far the projection has come."""
    last, generation, moved, names, seqs = await db.fetchrow(SQL.places)
    followed = dict.fromkeys(ORDER_EVENTS, 0) | dict(zip(names, seqs, strict=True))
    return Places(last, generation, moved, followed)


async def next_step(db: Connection, now: Places, names: Collection[str] | None = None) -> Step | None:
    """Return the next slice of these names, or of all that are followed; None at the end."""
    if not (behind := now.behind(names)):
        return None
    start = min(behind.values())
    mine = sorted(name for name, seq in behind.items() if seq == start)
    until = min([now.last, *(seq for seq in behind.values() if seq > start)])
    rows, seq, count = await _slice(db, mine, start, until)
    return Step(mine, until if count < SLICE else seq, rows, now.generation, count)


async def _slice(db: Connection, names: Sequence[str], after: int, until: int) -> tuple[list[Row], int, int]:
    """Return the events of some names in (after, until], the end of the slice and the number of its messages."""
    *rows, (end, count, *_) = await db.fetch(SQL.slice, after, until, list(names), SLICE)
    return [(print_, name, _order(body)) for _, print_, name, _, body in rows], end or after, count


def _order(body: bytes) -> str:
    order = decode_event(body).order
    return order.order_id if order is not None else ""


async def write(db: Connection, step: Step) -> bool:
    """Write a step unless messages were renewed since. Returns whether it is written."""
    await db.execute(SQL.hold, [print_ for print_, _, _ in step.rows])
    build, generation = await db.fetchrow(SQL.current)
    if generation != step.generation:
        return False
    await _put(db, step.rows, build)
    if step.seq:
        await db.execute(SQL.followed, list(step.names), step.seq)
    return True


async def take(db: Connection, fingerprints: Collection[int]) -> None:
    """Apply renewed messages out of turn."""
    build = await db.fetchval(SQL.next_generation)
    await db.execute(SQL.changed, list(fingerprints))
    await db.execute(SQL.delete, list(fingerprints))
    rows = await db.fetch(SQL.renewed, list(fingerprints))
    await _put(db, [(print_, name, _order(body)) for print_, name, body in rows], build)


async def _put(db: Connection, rows: Sequence[Row], build: int) -> None:
    """Write rows, and count the changes."""
    if rows and (new := await db.fetch(SQL.insert, *columns(rows), build)):
        await db.execute(SQL.changed, [print_ for (print_,) in new])


async def follow_owners(db: Connection) -> None:
    """Count the changes that changes of owners make."""
    await db.execute(SQL.current)
    moves = await db.fetch(SQL.owner_changes, MOVES)
    around = await db.fetch(SQL.around, list({each for _, *pair in moves for each in pair}), MOST_AROUND + 1)
    if len(around) > MOST_AROUND:
        await db.execute(SQL.changed_everywhere)
    else:
        await db.execute(SQL.changed_around, [who for (who,) in around])
    await db.execute(SQL.forget_owner_changes, [id_ for id_, *_ in moves])


async def step(database: Database, names: Collection[str] | None = None) -> bool:
    """Write one slice of these names, or of all that are followed. Returns whether there may be more."""
    async with database.reading("following the log") as db:
        now = await places(db)
        found = await next_step(db, now, names)
    if found is not None:
        await _write(database, found)
    if now.moved:
        await database.transact("following the owners of conversions", follow_owners)
    return found is not None or now.moved


async def _write(database: Database, step: Step) -> bool:
    return await database.transact("writing conversions", lambda db: write(db, step))


async def place(db: Connection) -> int:
    """Return how far all names have been followed in the log."""
    return min((await places(db)).followed.values())


async def differing(db: Connection, fingerprints: Collection[int]) -> set[int]:
    """Return the messages among some whose rows differ from their events."""
    stored = {print_: tuple(row) for print_, *row in await db.fetch(SQL.stored, list(fingerprints))}
    rows = await db.fetch(SQL.renewed, list(fingerprints))
    right = {print_: (name, _order(body), True) for print_, name, body in rows}
    return {print_ for print_ in stored.keys() | right.keys() if stored.get(print_) != right.get(print_)}


async def _begin_rebuild(db: Connection) -> int:
    await db.execute(SQL.changed_everywhere)
    build: int = await db.fetchval(SQL.next_build)
    return build


async def rebuild(database: Database, progress: Callable[[int], object]) -> None:
    """Derive all rows again, then remove those that were not. Reads see both until then."""
    build = await database.transact("rebuilding conversions", _begin_rebuild)
    async with database.reading("rebuilding conversions") as db:
        now = await places(db)
        left = await db.fetchval(SQL.count)
    progress(left)
    after, names = 0, sorted(now.followed)
    while after < now.last:
        async with database.reading("rebuilding conversions") as db:
            generation = (await places(db)).generation
            rows, end, count = await _slice(db, names, after, now.last)
        if await _write(database, Step((), 0, rows, generation)):
            after, left = end if count == SLICE else now.last, max(left - count, 1)
            progress(left)
    while (
        await database.transact("removing old conversions", lambda db: db.execute(SQL.delete_old, build, SLICE))
        != "DELETE 0"
    ):
        pass
    progress(0)


class PostgresConversions:
    """`ports.Conversions`."""

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database = database

    async def outcomes(
        self, names: Collection[str], since: int, until: int
    ) -> AsyncIterator[Sequence[ConversionEvent]]:
        await self._caught_up(names)
        members: Members = {}
        done: list[str] = []
        for name in sorted(set(names)):
            at, print_ = since, -MOST
            while rows := await self._page(name, at, print_, since, until, done):
                at, print_ = rows[-1]["at"], rows[-1]["fingerprint"]
                ids = list(dict.fromkeys(row["id"] for row in rows if row["id"] and not row["repeated"]))
                alone = [row["fingerprint"] for row in rows if not row["id"]]
                for query, keys in ((SQL.of_ids, ids), (SQL.of_places, alone)):
                    for start in range(0, len(keys), BATCH):
                        yield await self._read(query, names, keys[start : start + BATCH], members)
            done.append(name)

    async def revisions(self, names: Collection[str], since: int, until: int, width: int) -> Mapping[int, Revision]:
        await self._caught_up(names)
        async with self._database.reading("reading conversions") as db:
            rows = await db.fetch(SQL.changes, width, since, until)
        return {start: f"{changes}-{of_all}" for start, changes, of_all in rows}

    async def _page(
        self, name: str, at: int, print_: int, since: int, until: int, done: Sequence[str]
    ) -> Sequence[Any]:
        async with self._database.reading("reading conversions") as db:
            rows: Sequence[Any] = await db.fetch(SQL.page, name, at, print_, since, until, done, PAGE)
        return rows

    async def _caught_up(self, names: Collection[str]) -> None:
        """Follow the log to its end, and write the events after it that this report has to see."""
        while await step(self._database, names):
            pass
        after, more = 0, True
        while more:
            async with self._database.reading("reading conversions") as db:
                now = await places(db)
                after = max(after, now.last)
                rows, end, count = await _slice(db, sorted(names), after, MOST)
            if not rows or await _write(self._database, Step((), 0, rows, now.generation)):
                after, more = end, count == SLICE

    async def _read(
        self, query: str, names: Collection[str], keys: Sequence[Any], members: Members
    ) -> list[ConversionEvent]:
        if len(members) > OWNERS:
            members.clear()
        async with self._database.reading("reading conversions") as db:
            rows = await db.fetch(query, list(names), keys)
            new = list({root for root, _ in rows} - members.keys())
            members.update(await leading(db, new, FOREVER - 1, NAMES) if new else {})
        return [
            ConversionEvent(decode_event(body), members[root].root, members[root].identifiers) for root, body in rows
        ]
