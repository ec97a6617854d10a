"""Projections: data derived from the log after it was written, each with its own cursor.

A slice is planned without the lock and written under it, unless another process has written it in the meantime. So any
process may do it, and one does. Writes need not reach the disk before the lock is released: a power cut resets the
cursor together with its data.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from wetink.core.catalog.catalog import Memory
from wetink.core.errors import NotFound, StoreUnavailable
from wetink.store.queries import queries, script
from wetink.store.sqlite import catalog, conversions
from wetink.store.sqlite.connection import PATIENCE_SECONDS, LockedFile, connect, translated
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.recent import RecentEvents

SQL, LOG = queries(__package__, "catalog_queries.sql"), queries(__package__, "queries.sql")

SLICES = 10
"""Slices derived in one call: on a busy machine the next call may be a second away."""


class Projection(NamedTuple):
    """A follower of the log: plans its next slice, writes it, and counts the messages that it lags."""

    plan: Callable[[apsw.Connection], Any]
    write: Callable[[apsw.Connection, Any], None]
    behind: Callable[[apsw.Connection], int]


CONVERSIONS = Projection(conversions.next_step, conversions.write, conversions.messages_behind)


class SQLiteProjections:
    """`ports.Projections` over the main file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locked_file = LockedFile(database.path, database.lock, synchronous=database.synchronous or "NORMAL")
        self._closed = False
        self._turn = threading.Lock()
        plan = partial(catalog.next_step, recent=database.recent_events, memory=Memory[catalog.Cursor]())
        self._all: Mapping[str, Projection] = {
            "catalog": Projection(plan, catalog.write, catalog.behind),
            "conversions": CONVERSIONS,
        }

    @property
    def alive(self) -> bool:
        """Whether its thread works as expected: it runs, or it was closed."""
        return self._closed or self._locked_file.alive

    async def settle(self) -> bool:
        for _ in range(SLICES):
            if not await asyncio.to_thread(self.step):
                return False
        return True

    def step(self, patience: float = PATIENCE_SECONDS) -> bool:
        """Write one slice of each projection. Returns whether there may be more. Raises StoreUnavailable."""
        with self._one_at_a_time(patience) as mine:
            if not mine or self._closed:
                return not self._closed
            with translated("following the log"):
                planned = [(each, each.plan(self._database.reading)) for each in self._all.values()]
            steps = [(projection, step) for projection, step in planned if step is not None]
            try:
                self.write(steps, patience)
            except StoreUnavailable:
                raise
            except Exception:  # one of them; the others continue
                for each in steps:
                    self.write([each], patience)
            return bool(steps)

    @contextmanager
    def _one_at_a_time(self, patience: float) -> Iterator[bool]:
        """Yield whether this thread may take a step: two threads would take the same one."""
        mine = self._turn.acquire(timeout=patience)
        try:
            yield mine
        finally:
            if mine:
                self._turn.release()

    def write_conversions(self, step: conversions.Step) -> None:
        """Write a slice of conversions for a waiting report. Raises StoreUnavailable."""
        self.write([(CONVERSIONS, step)])

    def write(self, steps: Sequence[tuple[Projection, Any]], patience: float = PATIENCE_SECONDS) -> None:
        """Write slices under the lock, in one transaction. Raises StoreUnavailable."""
        if steps:
            self._locked_file.run(lambda db: [projection.write(db, step) for projection, step in steps], patience)

    async def behind(self) -> dict[str, int]:
        with translated("following the log"):
            return {name: projection.behind(self._database.reading) for name, projection in self._all.items()}

    async def rebuild(self, projection: str, progress: Callable[[int], object] = lambda left: None) -> None:
        if projection not in self._all:
            raise NotFound(f"there is no projection {projection!r}", hint=f"projections: {', '.join(self._all)}")
        with translated(f"rebuilding the {projection}"):
            if projection == "catalog":
                while not await self._rebuilt_beside(progress):
                    pass
                return
            await self._locked_file.run_async(conversions.reset)
            progress(CONVERSIONS.behind(self._database.reading))
            while await asyncio.to_thread(self.step):
                progress(CONVERSIONS.behind(self._database.reading))

    async def _rebuilt_beside(self, progress: Callable[[int], object]) -> bool:
        """Rebuild the catalog. Returns False if it must start over. The old one is used until the end."""
        fresh = await asyncio.to_thread(_Beside, self._database.path)
        try:
            progress(fresh.behind())
            while await asyncio.to_thread(fresh.step):
                progress(fresh.behind())
            return bool(await self._locked_file.run_async(lambda db: fresh.replace()))
        finally:
            await asyncio.to_thread(fresh.close)

    async def close(self) -> None:
        """Close the file, after the step of a thread whose task was cancelled."""
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._turn:
            self._locked_file.close()


class _Beside:
    """A catalog that is rebuilt in its own file, from the log and the imports of a store."""

    def __init__(self, store: Path) -> None:
        """Create the file beside the store's."""
        self._path = store.with_name("catalog.rebuilt")
        self._remove()
        self._db = connect(self._path, synchronous="OFF")
        self._db.execute("ATTACH ? AS store", (str(store),))
        self._db.execute(script(__package__, "catalog.sql") + SQL.begin_beside)
        self._recent, self._memory = RecentEvents(), Memory[catalog.Cursor]()
        self._replays = self._db.execute(LOG.replays).get

    def step(self) -> bool:
        """Apply the next slice. Returns whether there was one."""
        step = catalog.next_step(self._db, self._recent, self._memory)
        if step is not None:
            with self._db:
                catalog.write(self._db, step)
        return step is not None

    def behind(self) -> int:
        """Return the number of messages that it lags behind the log."""
        return catalog.behind(self._db)

    def replace(self) -> bool:
        """Apply the remaining slices and replace the store's catalog. Called under the lock of the store.

        Returns False if messages were renewed since the start.
        """
        while self.step():
            pass
        if self._db.execute(LOG.replays).get != self._replays:
            return False
        with self._db:
            self._db.execute(SQL.replace)
        return True

    def close(self) -> None:
        """Delete its file."""
        self._db.close()
        self._remove()

    def _remove(self) -> None:
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink(missing_ok=True)
