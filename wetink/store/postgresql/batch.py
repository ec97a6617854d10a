"""Batches: a task writes rows that nobody waits for, many at a time. Rows that cannot be written yet wait.

While the database is away, rows stay in memory up to a limit. Rows beyond the limit are lost, as are those that the
database refuses; both are counted and logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import asyncpg

from wetink.core.errors import StoreUnavailable
from wetink.store.postgresql.database import Connection, Database
from wetink.store.waiting import Kind, Waiting

logger = logging.getLogger(__name__)

SECONDS, AT_ONCE = 0.5, 500
"""Rows are written after this many seconds, or once this many of a kind wait. A transaction writes no more than that,
since each may lock something."""
WRITE_SECONDS, CLOSE_SECONDS = 5.0, 2.0
"""Limits of one transaction in seconds: usually, and at the end of a process."""
CLOSE_TRIES = 2
"""Attempts to write the waiting rows at the end of a process."""
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError, ValueError)
"""Errors about the values of rows. After any other, the same rows are written later."""


class Queue(NamedTuple):
    """A kind of rows: a function that writes some of them inside a transaction, and the limit of waiting ones."""

    write: Callable[[Connection, Sequence[Any]], Awaitable[object]]
    most: int
    join: Callable[[Any, Any], Any] = lambda old, new: new
    """Joins two rows with the same key."""


class BatchWriter:
    """Rows of several kinds on their way into the database. Used in one event loop."""

    def __init__(
        self,
        what: str,
        database: Database,
        queues: Mapping[str, Queue],
        *,
        tried: Callable[[bool], object] = lambda written: None,
        seconds: float = SECONDS,
    ) -> None:
        """Write `queues` in their order. `what` names the rows in the log.

        `tried` is called after each transaction with whether it was written.
        """
        self._what, self._database, self._queues, self._tried, self._seconds = what, database, queues, tried, seconds
        self._waiting = Waiting({name: Kind(each.most, each.join) for name, each in queues.items()})
        self._writing = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self.lost = 0
        """Number of rows that were never written."""
        self.begun = 0
        """Number of transactions so far."""
        self._dropped = 0
        self._failing = self._closed = False
        self.find, self.pending = self._waiting.find, self._waiting.pending

    def put(self, kind: str, row: Any, key: Any = None) -> bool:
        """Add a row, joined with one of the same key. Returns False if there is no room and the row is lost."""
        size = 0 if self._closed else self._waiting.put(kind, row, key)
        if not size:
            self.lost += 1
            self._dropped += 1
        self._soon(0.0 if size == AT_ONCE else self._seconds)
        return size > 0

    @property
    def busy(self) -> bool:
        """Whether rows are being written."""
        return self._writing.locked()

    async def flush(self, seconds: float = WRITE_SECONDS) -> bool:
        """Write the waiting rows. Returns whether none are left. Never raises: rows that cannot be written wait."""
        async with self._writing:
            dropped, self._dropped = self._dropped, 0
            self._log_lost(dropped, "they could not be written for too long")
            for kind in self._queues:
                for _ in range(-(-self._waiting.count(kind) // AT_ONCE)):
                    if not await self._write(kind, seconds):
                        return False
            return not any(self._waiting.count(kind) for kind in self._queues)

    async def close(self) -> None:
        """Write the waiting rows. Rows that cannot be written are lost. A second call does nothing."""
        if self._closed:
            return
        for _ in range(CLOSE_TRIES):
            if await self.flush(CLOSE_SECONDS):
                break
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        left = sum(self._waiting.count(kind) for kind in self._queues)
        self.lost += left
        self._log_lost(left, "this process ends, and they cannot be written")

    async def _write(self, kind: str, seconds: float) -> bool:
        """Write some rows of a kind. Returns whether that is done, perhaps without rows that the database refuses."""
        rows, write = self._waiting.take(kind, AT_ONCE), self._queues[kind].write
        transact = partial(self._database.transact, f"writing {self._what}", durable=False, seconds=seconds)
        refused: list[BaseException] = []
        self.begun += 1
        try:
            try:
                await transact(lambda connection: write(connection, rows))
            except Exception as error:
                if not is_refused(error):
                    raise
                refused = await transact(lambda connection: _apart(connection, rows, write))
        except BaseException as error:
            self._waiting.ended(kind, written=False)
            self._tried(False)
            if not self._failing:
                logger.warning("%s wait to be written: %s", self._what, error)
            self._failing = True
            if isinstance(error, StoreUnavailable):
                return False
            raise
        self._failing = False
        self._waiting.ended(kind, written=True)
        self.lost += len(refused)
        self._tried(True)
        self._log_lost(len(refused), f"they cannot be written ({type(refused[0]).__name__})" if refused else "")
        return True

    def _soon(self, seconds: float) -> None:
        """Write after a while, if an event loop is running: else the next row or flush does it."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._timer is not None:
            if seconds and self._timer.when() > loop.time() - self._seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.flush())
            self._task.add_done_callback(self._flushed)

    def _flushed(self, task: asyncio.Task[object]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("writing %s stumbled", self._what, exc_info=error)
        if not self._closed and any(self._waiting.count(kind) for kind in self._queues):
            self._soon(self._seconds)

    def _log_lost(self, lost: int, why: str) -> None:
        if lost:
            logger.error("%d %s are lost: %s", lost, self._what, why)


def is_refused(error: Exception) -> bool:
    """Return whether some row's values may be at fault, and not the state of the database."""
    return not isinstance(error, StoreUnavailable) or isinstance(error.__cause__, REFUSED)


async def _apart(
    connection: Connection, rows: Sequence[Any], write: Callable[[Connection, Sequence[Any]], Awaitable[object]]
) -> list[BaseException]:
    """Write many rows inside a transaction; if that fails, in halves, so that only refused ones are left out.

    Returns the error of each one left out. Raises errors of the database's state: then the rows are not at fault.
    """
    try:
        async with connection.transaction():
            await write(connection, rows)
    except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        if not isinstance(error, REFUSED):
            raise
        if len(rows) == 1:
            return [error]
    except Exception as error:
        if len(rows) == 1:
            logger.exception("one of many could not be written")
            return [error]
    else:
        return []
    middle = len(rows) // 2
    return await _apart(connection, rows[:middle], write) + await _apart(connection, rows[middle:], write)
