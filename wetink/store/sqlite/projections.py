"""Projections: what is derived from the log after it was written, each from where its own cursor stands.

A slice is planned without the lock and written under it, if nobody else has written it meanwhile: so any process may
do it, and one does it. What is written need not reach the disk before the lock is let go: a power cut takes the cursor
back with what it led to.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import apsw

from wetink.core.errors import NotFound, StoreUnavailable
from wetink.store.sqlite import catalog, conversions
from wetink.store.sqlite.connection import PATIENCE_SECONDS, Alone, translated
from wetink.store.sqlite.database import Database

SLICES = 10
"""Slices of the log that are derived in one go: on a busy machine the next may be a second away."""


class Projection(NamedTuple):
    """Something that follows the log: what its next slice comes to, how to write that, how far behind it is."""

    plan: Callable[[apsw.Connection], Any]
    write: Callable[[apsw.Connection, Any], None]
    behind: Callable[[apsw.Connection], int]
    reset: Callable[[apsw.Connection], None]


CONVERSIONS = Projection(conversions.next_step, conversions.write, conversions.messages_behind, conversions.reset)


class SQLiteProjections:
    """`ports.Projections` over the main file."""

    def __init__(self, database: Database) -> None:
        """Read and write there."""
        self._database = database
        self._alone = Alone(database.path, database.lock, synchronous=database.synchronous or "NORMAL")
        self._closed = False
        self._turn = threading.Lock()
        plan = partial(catalog.next_step, recent=database.recent_events, memory=catalog.Memory())
        self._all: Mapping[str, Projection] = {
            "catalog": Projection(plan, catalog.write, catalog.behind, catalog.reset),
            "conversions": CONVERSIONS,
        }

    @property
    def alive(self) -> bool:
        """Whether its thread goes on as it should: it was closed, or it has not ended."""
        return self._closed or self._alone.alive

    async def settle(self) -> bool:
        for _ in range(SLICES):
            if not await asyncio.to_thread(self.step):
                return False
        return True

    def step(self, patience: float = PATIENCE_SECONDS) -> bool:
        """Carry each forward by a slice; return whether there may be more. Raises StoreUnavailable."""
        with self._one_at_a_time(patience) as mine:
            if not mine:
                return True
            with translated("following the log"):
                planned = [(each, each.plan(self._database.reading)) for each in self._all.values()]
            steps = [(projection, step) for projection, step in planned if step is not None]
            try:
                self.write(steps, patience)
            except StoreUnavailable:
                raise
            except Exception:  # of one of them: the others go on
                for each in steps:
                    self.write([each], patience)
            return bool(steps)

    @contextmanager
    def _one_at_a_time(self, patience: float) -> Iterator[bool]:
        """Two threads would take the same step; say whether it is this one's turn."""
        mine = self._turn.acquire(timeout=patience)
        try:
            yield mine
        finally:
            if mine:
                self._turn.release()

    def write_conversions(self, step: conversions.Step) -> None:
        """Write a slice of conversions that somebody waits for. Raises StoreUnavailable."""
        self.write([(CONVERSIONS, step)])

    def write(self, steps: Sequence[tuple[Projection, Any]], patience: float = PATIENCE_SECONDS) -> None:
        """Write slices under the lock, in one transaction. Raises StoreUnavailable."""
        if steps:
            self._alone.run(lambda db: [projection.write(db, step) for projection, step in steps], patience)

    async def behind(self) -> dict[str, int]:
        with translated("following the log"):
            return {name: projection.behind(self._database.reading) for name, projection in self._all.items()}

    async def reset(self, projection: str) -> None:
        if projection not in self._all:
            raise NotFound(f"there is no projection {projection!r}", hint=f"projections: {', '.join(self._all)}")
        await self._alone.soon(self._all[projection].reset)

    async def close(self) -> None:
        """Let go of the file."""
        self._closed = True
        await asyncio.to_thread(self._alone.close)
