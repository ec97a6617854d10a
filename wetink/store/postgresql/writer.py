"""Writer: commits all rows that wait in this process as one group.

A transaction costs the same for one row as for dozens, so rows wait for the one under way. The groups of several
processes meet only where they write the same messages or identifiers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import asyncpg

from wetink.core.errors import StoreUnavailable
from wetink.store.postgresql.commit import Row
from wetink.store.postgresql.database import Connection, Database

logger = logging.getLogger(__name__)

GROUP_ROWS = 1_000
"""Rows that close a group. A request is never split."""
AT_ONCE = 2
"""Groups of one process that are written at the same time: one is planned while the other waits for the disk."""
SECOND_ROWS, SECOND_SECONDS = 100, 0.02
"""A second group begins when so many rows wait, or when the first takes longer, as behind another's lock: two small
groups cost twice as much as one."""

WRITE_SECONDS, ROWS_A_SECOND = 10.0, 500
"""How long a group may take, in seconds, and the rows beyond which a large one gets more time."""

Commit = Callable[[Connection, Sequence[Row]], Awaitable[list[bool]]]


class Job:
    """One request's rows, and the future of its caller."""

    __slots__ = ("future", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        """Make a job of the running event loop."""
        self.rows = rows
        self.future: asyncio.Future[list[bool]] = asyncio.get_running_loop().create_future()


class Writer:
    """Takes rows in one event loop and commits them in groups."""

    def __init__(self, database: Database, commit: Commit) -> None:
        """Write to `database` by `commit`, which runs in a transaction."""
        self._database, self._commit = database, commit
        self._jobs: deque[Job] = deque()
        self._rows = 0  # of the waiting jobs
        self._groups: set[asyncio.Task[None]] = set()
        self._closed = self._called = False

    async def write(self, rows: Sequence[Row]) -> list[bool]:
        """Commit the rows. Returns whether each was a duplicate. Raises StoreUnavailable: nothing was written."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        job = Job(rows)
        self._jobs.append(job)
        self._rows += len(rows)
        if not self._called and (not self._groups or (self._rows >= SECOND_ROWS and len(self._groups) < AT_ONCE)):
            self._called = True
            job.future.get_loop().call_soon(self._begin)  # after the other requests of this turn
        return await job.future

    async def close(self) -> None:
        """Commit the waiting rows, then stop."""
        self._closed = True
        while self._jobs or self._groups:
            self._begin()
            await asyncio.wait(self._groups)

    def _begin(self) -> None:
        """Start the next group, if there are rows and not too many groups under way."""
        self._called = False
        if not self._jobs or len(self._groups) >= AT_ONCE:
            return
        jobs: list[Job] = []
        count = 0
        while self._jobs and count < GROUP_ROWS:
            jobs.append(self._jobs.popleft())
            count += len(jobs[-1].rows)
        self._rows -= count
        loop = asyncio.get_running_loop()
        task, late = loop.create_task(self._write(jobs)), loop.call_later(SECOND_SECONDS, self._begin)
        self._groups.add(task)
        task.add_done_callback(partial(self._ended, late))

    def _ended(self, late: asyncio.TimerHandle, task: asyncio.Task[None]) -> None:
        late.cancel()
        self._groups.discard(task)
        self._begin()

    async def _write(self, jobs: Sequence[Job]) -> None:
        """Write a group. If the database refuses its values, write each job alone, so that none stops the others."""
        rows = [row for job in jobs for row in job.rows]
        try:
            outcome = await self._database.transact(
                "writing messages",
                lambda db: self._commit(db, rows),
                seconds=max(WRITE_SECONDS, len(rows) / ROWS_A_SECOND),
            )
        except Exception as error:
            away = isinstance(error, StoreUnavailable) and not isinstance(error.__cause__, asyncpg.DataError)
            if len(jobs) > 1 and not away:
                for job in jobs:
                    await self._write([job])
                return
            failure = error if isinstance(error, StoreUnavailable) else StoreUnavailable("writing failed")
            logger.error("nothing was written: %s", failure, exc_info=None if failure is error else error)
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(failure)
            return
        start = 0
        for job in jobs:
            if not job.future.done():
                job.future.set_result(outcome[start : start + len(job.rows)])
            start += len(job.rows)
