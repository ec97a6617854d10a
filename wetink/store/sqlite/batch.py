"""Batches: a thread writes rows that nobody waits for, many at a time. Rows that cannot be written yet wait.

While another process holds the file, or the disk is full, rows stay in memory up to a limit. Rows beyond the limit are
lost, as are invalid ones; both are counted and logged.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple, TypeAlias, TypeVar

import apsw

logger = logging.getLogger(__name__)

THREAD_BUSY_MS = 2_000
"""How long the writing thread waits for another process's lock, in milliseconds, before it tries again later."""
SECONDS, AT_ONCE = 0.5, 5_000
"""Rows are written after this many seconds, or once this many of a kind wait."""
CLOSE_TRIES = 3
"""Attempts to write the waiting rows at the end of a process."""

T = TypeVar("T")
Batch: TypeAlias = Mapping[str, dict[Any, Any]]
"""Rows by kind and key."""


class Queue(NamedTuple):
    """Rows of one kind: a function that writes some of them inside a transaction, and the limit of waiting ones."""

    write: Callable[[Sequence[Any]], object]
    most: int
    join: Callable[[Any, Any], Any] = lambda old, new: new
    """Joins two rows with the same key."""


class BatchWriter:
    """Rows of several kinds on their way into one file. Any thread may add rows, one at a time writes them."""

    def __init__(
        self,
        what: str,
        db: apsw.Connection,
        queues: Mapping[str, Queue],
        *,
        tried: Callable[[Batch, Batch, bool], object] = lambda batch, waiting, written: None,
        seconds: float = SECONDS,
    ) -> None:
        """Write `queues` in their order over their own connection. `what` names the rows in the log.

        `tried` is called under `mutex` after each batch, with the batch, the rows waiting since, and whether it was
        written.
        """
        self._what, self._db, self._queues, self._tried = what, db, queues, tried
        self.mutex = threading.RLock()
        """Held while the waiting rows change."""
        self.writing = threading.Lock()
        """Held while a batch is being written."""
        self.lost = 0
        """Number of rows that were never written."""
        self._refused = 0
        self._numbers = count()
        self._waiting, self._taken = self._none(), self._none()
        self._failing = self._closing = False
        self._seconds, self._wake = seconds, threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wetink {what}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread works as expected: it runs, or the writer is closed."""
        return self._closing or self._thread.is_alive()

    def put(self, kind: str, row: Any, key: Any = None) -> bool:
        """Add a row, joined with one of the same key. Returns False if there is no room and the row is lost."""
        with self.mutex:
            waiting = self._waiting[kind]
            if key is None:
                key = next(self._numbers)
            if key in waiting:
                waiting[key] = self._queues[kind].join(waiting[key], row)
                return True
            if len(waiting) + len(self._taken[kind]) >= self._queues[kind].most:
                self.lost += 1
                self._refused += 1
                return False
            waiting[key] = row
            if len(waiting) == AT_ONCE:
                self._wake.set()
            return True

    def find(self, kind: str, key: Any) -> Any:
        """Return the waiting row of a key; None without one."""
        with self.mutex:
            return self._waiting[kind].get(key) or self._taken[kind].get(key)

    def pending(self, kind: str) -> list[Any]:
        """Return the waiting rows of a kind, the oldest first."""
        with self.mutex:
            return [*self._taken[kind].values(), *self._waiting[kind].values()]

    def flush(self) -> bool:
        """Write the waiting rows. Returns whether none are left. Never raises: rows that cannot be written wait."""
        with self.writing:
            with self.mutex:
                refused, self._refused = self._refused, 0
                self._taken, self._waiting = self._waiting, self._none()
            self._log_lost(refused, "they could not be written for too long")
            if not any(self._taken.values()):
                return True
            try:
                with transaction(self._db):
                    odd = [
                        why
                        for kind, queue in self._queues.items()
                        for why in write_in_halves(self._db, [*self._taken[kind].values()], queue.write)
                    ]
            except BaseException as error:
                self._ended(written=False)
                if not self._failing and passing(error):
                    logger.warning("%s wait to be written: %s", self._what, error)
                elif not self._failing:  # its text may have personal data
                    logger.exception("%s wait to be written", self._what)
                self._failing = True
                return False
            self._failing = False
            self._ended(written=True, lost=len(odd))
            self._log_lost(len(odd), f"they cannot be written ({type(odd[0]).__name__})" if odd else "")
            return True

    def close(self) -> None:
        """Write the waiting rows and end the thread. Blocks. Rows that cannot be written are lost.

        A second call does nothing.
        """
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        self._thread.join()
        if any(self.flush() for _ in range(CLOSE_TRIES)):
            return
        left = sum(len(self.pending(kind)) for kind in self._queues)
        self.lost += left
        self._log_lost(left, "this process ends, and they cannot be written")

    def _none(self) -> dict[str, dict[Any, Any]]:
        return {kind: {} for kind in self._queues}

    def _ended(self, *, written: bool, lost: int = 0) -> None:
        """Drop a written batch. Put a failed one back, before the rows added since."""
        with self.mutex:
            self.lost += lost
            taken, now, self._taken = self._taken, self._waiting, self._none()
            if not written:
                self._waiting = {kind: dict(rows) for kind, rows in taken.items()}
                for kind, rows in now.items():
                    waiting, join = self._waiting[kind], self._queues[kind].join
                    for key, row in rows.items():
                        waiting[key] = join(waiting[key], row) if key in waiting else row
            self._tried(taken, now, written)

    def _log_lost(self, lost: int, why: str) -> None:
        if lost:
            logger.error("%d %s are lost: %s", lost, self._what, why)

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._seconds)
            self._wake.clear()
            try:
                if any(self._waiting.values()):
                    self.flush()
            except BaseException:
                logger.exception("the thread that writes %s stumbled", self._what)


@contextmanager
def transaction(db: apsw.Connection) -> Iterator[None]:
    """Open a write transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def passing(error: BaseException) -> bool:
    """Return whether a failed write may succeed later: the file is locked, or the disk is full or does not answer."""
    return isinstance(
        error,
        apsw.BusyError
        | apsw.LockedError
        | apsw.FullError
        | apsw.IOError
        | apsw.CantOpenError
        | apsw.ReadOnlyError
        | apsw.NoMemError
        | apsw.InterruptError,
    )


def write_in_halves(db: apsw.Connection, rows: Sequence[T], write: Callable[[Sequence[T]], object]) -> list[Exception]:
    """Write many at once inside a transaction; if that fails, in halves, so that only invalid ones are left out.

    Returns the error of each one left out. Raises temporary errors (see `passing`): then the data is not at fault.
    """
    if not rows:
        return []
    if not db.in_transaction:
        raise apsw.IOError("the transaction was given up")
    db.execute("SAVEPOINT some")
    try:
        write(rows)
    except Exception as error:
        if db.in_transaction:
            db.execute("ROLLBACK TO some")
            db.execute("RELEASE some")
        if passing(error):
            raise
        if len(rows) == 1:
            logger.exception("one of many could not be written")
            return [error]
    else:
        db.execute("RELEASE some")
        return []
    middle = len(rows) // 2
    return write_in_halves(db, rows[:middle], write) + write_in_halves(db, rows[middle:], write)
