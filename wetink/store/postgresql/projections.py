"""Projections: data derived from the log after it was written, each with its own cursor.

A slice is planned in one state of the database and written in a transaction that moves the cursor, unless it has moved
meanwhile. So any process may do it, and one does.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from wetink.core.catalog.catalog import Memory
from wetink.core.errors import NotFound
from wetink.store.postgresql import catalog, conversions
from wetink.store.postgresql.catalog import State
from wetink.store.postgresql.database import Connection, Database
from wetink.store.queries import queries

SQL = queries(__package__, "catalog_queries.sql")

SLICES = 10
"""Slices derived in one call."""
PROJECTIONS = ("catalog", "conversions")
COUNTED = 100_000
"""Messages that `behind` counts at most."""


class PostgresProjections:
    """`ports.Projections`."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database
        self._memory = Memory[State]()
        self._turn = asyncio.Lock()

    async def settle(self) -> bool:
        for _ in range(SLICES):
            if not await self.step():
                return False
        return True

    async def step(self) -> bool:
        """Write one slice of each projection. Returns whether there may be more. Raises StoreUnavailable."""
        more = False
        try:
            more = await self.step_catalog()
        finally:  # if one of them fails, the other continues
            more = await conversions.step(self._database) or more
        return more

    async def step_catalog(self) -> bool:
        """Write one slice of the catalog. Returns whether there may be more. Raises StoreUnavailable."""
        async with self._turn:
            async with self._database.reading("following the log") as db:
                *seen, end, new = await db.fetchrow(SQL.news, "catalog")
                step = await catalog.next_step(db, State(*seen), end, self._memory) if new else None
            if step is not None:
                await self._database.transact("writing the catalog", lambda db: catalog.write(db, step))
            return step is not None

    async def behind(self) -> Mapping[str, int]:
        async def work(db: Connection) -> Mapping[str, int]:
            places = {"catalog": await catalog.place(db), "conversions": await conversions.place(db)}
            return {name: await db.fetchval(SQL.behind, seq, COUNTED) for name, seq in places.items()}

        return await self._database.read("following the log", work)

    async def rebuild(self, projection: str, progress: Callable[[int], object] = lambda left: None) -> None:
        if projection not in PROJECTIONS:
            raise NotFound(f"there is no projection {projection!r}", hint=f"projections: {', '.join(PROJECTIONS)}")
        if projection == "conversions":
            await conversions.rebuild(self._database, progress)
            return
        while not await self._rebuilt_beside(progress):
            pass
        progress(0)

    async def _rebuilt_beside(self, progress: Callable[[int], object]) -> bool:
        """Rebuild the catalog as a new build, which reads use when it is whole. Returns False if it must start over."""
        doing = "rebuilding the catalog"
        async with self._database.reading(doing) as db:
            replays, build = await db.fetchrow(SQL.begin_rebuild)
            left = await db.fetchval(SQL.behind, 0, None)
        progress(left)
        state, memory = State(0, build, 0), Memory[State]()
        while (step := await self._next(state, memory)) is not None:
            await self._database.transact(
                "rebuilding the catalog", partial(catalog.put, build=build, changes=step.changes)
            )
            state, left = state._replace(seq=step.seq), max(left - step.messages, 1)
            progress(left)
        done = await self._database.transact(
            "rebuilding the catalog", partial(_replace, rebuilt=state, replays=replays)
        )
        for statement in (SQL.old_products, SQL.old_changes, SQL.old_aliases):
            await self._database.delete(statement)
        return done

    async def _next(self, state: State, memory: Memory[State]) -> catalog.Step | None:
        async with self._database.reading("rebuilding the catalog") as db:
            *_, end = await db.fetchrow(SQL.place, "catalog")
            return await catalog.next_step(db, state, end, memory)


async def _replace(db: Connection, rebuilt: State, replays: int) -> bool:
    """Apply the remaining slices to the new build, and let reads use it. Returns False if messages were renewed."""
    _, used, _, end = await db.fetchrow(SQL.locked, "catalog")
    if used > rebuilt.build:
        return True  # somebody has begun later and is done
    while (step := await catalog.next_step(db, rebuilt, end, Memory())) is not None:
        await catalog.put(db, rebuilt.build, step.changes)
        rebuilt = rebuilt._replace(seq=step.seq)
    if await db.fetchval(SQL.replays) != replays:
        return False
    await db.execute(SQL.use_build, "catalog", rebuilt.build, rebuilt.seq)
    return True
