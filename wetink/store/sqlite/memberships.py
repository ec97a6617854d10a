"""Memberships: the members of audiences at their last computation, and the webhook deliveries about changes.

They have their own file, so that recomputing an audience of a million never waits for ingest's lock, nor ingest for it.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterable, Mapping, Sequence
from pathlib import Path

from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import Move, Outcome, State
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
from wetink.store.queries import queries
from wetink.store.sqlite.batch import write_in_halves
from wetink.store.sqlite.connection import fetch, first, in_thread
from wetink.store.sqlite.side_file import SideFile

logger = logging.getLogger(__name__)
SQL = queries(__package__, "membership_queries.sql")


class SQLiteMemberships(SideFile):
    """`ports.audiences.Memberships` over one SQLite file, shared by all processes. Its methods run in threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "audiences.db", "memberships.sql")
        self._taking = asyncio.Lock()

    async def take(
        self, audience: str, members: AsyncIterable[Sequence[Identifier]], now: int, wanted: DeliveryFilter
    ) -> Moved:
        async with self._taking:
            await asyncio.to_thread(self._present, None)
            async for some in members:
                await asyncio.to_thread(self._present, some)
            return await asyncio.to_thread(self._take, audience, now, wanted)

    def _present(self, members: Sequence[Identifier] | None) -> None:
        with self._used("reading an audience's members"):
            if members is None:
                self._db.execute(SQL.empty)
            else:
                self._db.executemany(SQL.present, [(who(member),) for member in members])

    def _take(self, audience: str, now: int, wanted: DeliveryFilter) -> Moved:
        with self._used("taking in an audience's members"), self._db:
            moved = self._moved(audience, now, wanted)
        return moved

    def _moved(self, audience: str, now: int, wanted: DeliveryFilter) -> Moved:
        new = first(self._db, SQL.known, (audience,)) is None
        entered = [column for (column,) in fetch(self._db, SQL.entered, (audience,))]
        departed = [column for (column,) in fetch(self._db, SQL.departed, (audience,))]
        self._db.executemany(SQL.enter, ((audience, column, now) for column in entered))
        self._db.executemany(SQL.leave, ((audience, column) for column in departed))
        self._db.execute(SQL.look, (audience, now))
        moves: tuple[tuple[Move, list[str]], ...] = (("enter", entered), ("leave", departed))
        for move, columns in moves:
            changes = (change_of(audience, move, column, now) for column in columns)
            delivered = [change for change in changes if is_wanted(wanted, change, new)]
            self._db.executemany(
                SQL.tell, ((each.id, audience, move, who(each.member), each.at, each.at) for each in delivered)
            )
        size = first(self._db, SQL.count_present)[0]
        moved = Moved(size, 0 if new else len(entered), len(departed), new)
        self._db.execute(SQL.point, (audience, now // DAY_MS, size, moved.entered, moved.left))
        return moved

    @in_thread
    def points(self, audience: str, since: int) -> Sequence[Point]:
        with self._used("reading an audience's sizes"):
            rows = fetch(self._db, SQL.points, (audience, since // DAY_MS))
        return [Point(day * DAY_MS, size, entered, left) for day, size, entered, left in rows]

    @in_thread
    def trace_back(self, audience: str, sizes: Mapping[int, int]) -> None:
        with self._used("keeping an audience's sizes"), self._db:
            self._db.executemany(SQL.trace_back, [(audience, at // DAY_MS, size) for at, size in sizes.items()])

    @in_thread
    def since(self, audience: str, member: Identifier) -> int | None:
        with self._used("looking up a member"):
            row = first(self._db, SQL.since, (audience, who(member)))
        return row[0] if row is not None else None

    @in_thread
    def of(self, members: Sequence[Identifier]) -> Mapping[Identifier, Sequence[str]]:
        return self.audiences_of(members)

    def are_none(self) -> bool:
        """Return whether there are no audiences."""
        with self._used("looking up audiences"):
            return first(self._db, SQL.some_audience) is None

    def audiences_of(self, members: Sequence[Identifier]) -> Mapping[Identifier, Sequence[str]]:
        """Return the same, in this thread."""
        with self._used("looking up audiences"):
            rows = fetch(self._db, SQL.audiences_of, (json.dumps([who(member) for member in members]),))
        return audiences_by_member(rows)

    @in_thread
    def page(self, audience: str, limit: int, after: Identifier | None = None) -> Sequence[Identifier]:
        with self._used("listing members"):
            rows = fetch(self._db, SQL.page, (audience, who(after) if after is not None else "", limit))
        return [identifier(column) for (column,) in rows]

    @in_thread
    def due(self, audience: str, now: int, limit: int) -> Sequence[Delivery]:
        with self._used("reading the waiting deliveries"):
            rows = fetch(self._db, SQL.due, (audience, now, limit))
        return [
            delivery_of(audience, "waiting", id_, move, column, at, tries, now, why)
            for id_, move, column, at, tries, why in rows
        ]

    @in_thread
    def settle(self, outcomes: Sequence[tuple[str, Outcome]]) -> None:
        rows = [(STATES.index(each.state), each.at, each.why, id_) for id_, each in outcomes]
        with self._used("recording deliveries"), self._db:
            odd = write_in_halves(self._db, rows, lambda some: self._db.executemany(SQL.settle, some))
        if odd:
            logger.error("of %d changes it is not noted what became of them: %s", len(odd), odd[0])

    @in_thread
    def deliveries(self, audience: str, state: State, limit: int = 50) -> Sequence[Delivery]:
        with self._used("listing deliveries"):
            rows = fetch(self._db, SQL.of_state, (audience, STATES.index(state), limit))
        return [delivery_of(audience, state, *row) for row in rows]

    @in_thread
    def tallies(self, audience: str) -> dict[State, int]:
        with self._used("counting deliveries"):
            found = dict(fetch(self._db, SQL.tallies, (audience,)))
        return {state: found.get(number, 0) for number, state in enumerate(STATES)}

    @in_thread
    def again(self, audience: str, now: int, only: str = "") -> int:
        with self._used("telling again"), self._db:
            self._db.execute(SQL.again, (now, audience, only))
            count = self._db.changes()
        return count

    @in_thread
    def clean(self, now: int) -> None:
        with self._used("forgetting what is long gone"), self._db:
            self._db.execute(SQL.clean, (now - KEPT_MS,))
            for (name,) in fetch(self._db, SQL.unlooked, (now - GONE_MS,)):
                for query in (SQL.forget_members, SQL.abandon, SQL.forget_audience):
                    self._db.execute(query, (name,))
