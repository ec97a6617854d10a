"""Memberships: the members of audiences at their last computation, and the webhook deliveries about changes."""

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import suppress

from wetink.core.errors import StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import MembershipChange, Move, Outcome, State
from wetink.ports.audiences import Delivery, DeliveryFilter, Moved, Point
from wetink.store.codec import identifier, who
from wetink.store.memberships import (
    DAY_MS,
    GONE_MS,
    KEPT_MS,
    STATES,
    audiences_by_member,
    change_of,
    delivery_of,
    is_wanted,
)
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "membership_queries.sql")
AT_ONCE = 5_000
"""Members and deliveries written by one statement."""
LONG_SECONDS = 3_600.0
"""Limit of a statement about all members of an audience, in seconds."""


class PostgresMemberships:
    """`ports.audiences.Memberships` over a few tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def take(
        self, audience: str, members: AsyncIterable[Sequence[Identifier]], now: int, wanted: DeliveryFilter
    ) -> Moved:
        run, count = f"{now:013}-{secrets.token_hex(8)}", 0
        try:
            async for some in members:
                for start in range(0, len(some), AT_ONCE):
                    count += await self._present(audience, run, some[start : start + AT_ONCE])

            async def work(connection: Connection) -> Moved:
                return await _take(connection, audience, run, count, now, wanted)

            return await self._database.transact("taking in an audience's members", work)
        except BaseException:
            with suppress(StoreUnavailable):
                async with self._database.reading("leaving out an audience's members") as connection:
                    await connection.execute(SQL.drop_run, audience, run, timeout=LONG_SECONDS)
            raise

    async def _present(self, audience: str, run: str, members: Sequence[Identifier]) -> int:
        """Write some members aside, in a short transaction: a long one would hold up the log. Returns their number."""
        async with self._database.reading("reading an audience's members") as connection:
            status = await connection.execute(SQL.present, audience, run, [who(member) for member in members])
        return int(status.rpartition(" ")[2])

    async def points(self, audience: str, since: int) -> Sequence[Point]:
        async with self._database.reading("reading an audience's sizes") as connection:
            rows = await connection.fetch(SQL.points, audience, since // DAY_MS)
        return [Point(day * DAY_MS, size, entered, left) for day, size, entered, left in rows]

    async def trace_back(self, audience: str, sizes: Mapping[int, int]) -> None:
        days = dict(sorted((at // DAY_MS, size) for at, size in sizes.items()))
        async with self._database.reading("keeping an audience's sizes") as connection:
            await connection.execute(SQL.trace_back, audience, list(days), list(days.values()))

    async def since(self, audience: str, member: Identifier) -> int | None:
        async with self._database.reading("looking up a member") as connection:
            found: int | None = await connection.fetchval(SQL.since, audience, storable(who(member)))
        return found

    async def of(self, members: Sequence[Identifier]) -> Mapping[Identifier, Sequence[str]]:
        async with self._database.reading("looking up audiences") as connection:
            rows = await connection.fetch(SQL.audiences_of, [storable(who(member)) for member in members])
        return audiences_by_member(rows)

    async def page(self, audience: str, limit: int, after: Identifier | None = None) -> Sequence[Identifier]:
        behind = storable(who(after)) if after is not None else ""
        async with self._database.reading("listing members") as connection:
            return [identifier(column) for (column,) in await connection.fetch(SQL.page, audience, behind, limit)]

    async def due(self, audience: str, now: int, limit: int) -> Sequence[Delivery]:
        async with self._database.reading("looking for deliveries") as connection:
            return [
                delivery_of(audience, "waiting", *row) for row in await connection.fetch(SQL.due, audience, now, limit)
            ]

    async def settle(self, outcomes: Sequence[tuple[str, Outcome]]) -> None:
        rows = [(id_, STATES.index(each.state), each.at, storable(each.why)) for id_, each in _sorted(outcomes)]
        if rows:
            await self._database.transact(
                "noting deliveries", lambda connection: connection.execute(SQL.settle, *zip(*rows, strict=True))
            )

    async def deliveries(self, audience: str, state: State, limit: int = 50) -> Sequence[Delivery]:
        async with self._database.reading("listing deliveries") as connection:
            rows = await connection.fetch(SQL.of_state, audience, STATES.index(state), limit)
        return [delivery_of(audience, state, *row) for row in rows]

    async def tallies(self, audience: str) -> dict[State, int]:
        async with self._database.reading("counting deliveries") as connection:
            found = dict(await connection.fetch(SQL.tallies, audience))
        return {state: found.get(number, 0) for number, state in enumerate(STATES)}

    async def again(self, audience: str, now: int, only: str = "") -> int:
        async with self._database.reading("delivering again") as connection:
            return len(await connection.fetch(SQL.again, audience, now, storable(only)))

    async def clean(self, now: int) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(SQL.clean, now - KEPT_MS, timeout=LONG_SECONDS)
            await connection.execute(SQL.left, f"{now - DAY_MS:013}", timeout=LONG_SECONDS)
            for (name,) in await connection.fetch(SQL.unlooked, now - GONE_MS):
                await connection.execute(SQL.lock, name)
                for query in (SQL.forget_members, SQL.abandon, SQL.forget_audience):
                    await connection.execute(query, name, timeout=LONG_SECONDS)

        await self._database.transact("deleting old deliveries", work)

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""


async def _take(connection: Connection, audience: str, run: str, count: int, now: int, wanted: DeliveryFilter) -> Moved:
    """Replace the members by those of a computation. All that takes long is read before the first write."""
    await connection.execute(SQL.lock, audience)
    if await connection.fetchval(SQL.count_present, audience, run, timeout=LONG_SECONDS) != count:
        raise StoreUnavailable("the server lost an audience's members on the way", hint="try again")
    new = await connection.fetchval(SQL.known, audience) is None
    numbers, delivered = list[int](), list[tuple[Move, list[MembershipChange]]]()
    moves: tuple[tuple[Move, str], ...] = (("enter", SQL.entered), ("leave", SQL.departed))
    for move, query in moves:
        number, changes = 0, list[MembershipChange]()
        async for column in _columns(connection, query, audience, run):
            number += 1
            change = change_of(audience, move, column, now)
            if is_wanted(wanted, change, new):
                changes.append(change)
        numbers.append(number)
        delivered.append((move, changes))
    entered, left = numbers
    await connection.execute(SQL.leave, audience, run, timeout=LONG_SECONDS)
    await connection.execute(SQL.enter, audience, run, now, timeout=LONG_SECONDS)
    await connection.execute(SQL.look, audience, now)
    for move, changes in delivered:
        for start in range(0, len(changes), AT_ONCE):
            some = changes[start : start + AT_ONCE]
            ids, columns = [each.id for each in some], [who(each.member) for each in some]
            await connection.execute(SQL.tell, audience, move, now, ids, columns)
    moved = Moved(count, 0 if new else entered, left, new)
    await connection.execute(SQL.point, audience, now // DAY_MS, count, moved.entered, moved.left)
    await connection.execute(SQL.drop_run, audience, run, timeout=LONG_SECONDS)
    return moved


async def _columns(connection: Connection, query: str, audience: str, run: str) -> AsyncIterator[str]:
    async for (column,) in connection.cursor(query, audience, run, prefetch=AT_ONCE, timeout=LONG_SECONDS):
        yield column


def _sorted(outcomes: Sequence[tuple[str, Outcome]]) -> list[tuple[str, Outcome]]:
    """Return outcomes in the order of their ids, the last of each id."""
    return sorted(dict(outcomes).items(), key=lambda each: each[0])
