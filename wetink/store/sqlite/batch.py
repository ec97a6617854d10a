"""Batches: a thread writes rows that nobody waits for, many at a time. Rows that cannot be written yet wait.

While another process holds the file, or the disk is full, rows stay in memory up to a limit. Rows beyond the limit are
lost, as are invalid ones; both are counted and logged.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias, TypeVar

import apsw

from wetink.store.waiting import Kind, Waiting

logger = logging.getLogger(__name__)

THREAD_BUSY_MS = 2_000
"""How long the writing thread waits for another process's lock, in milliseconds, before it tries again later."""
SECONDS, AT_ONCE = 0.5, 5_000
"""Rows are written after this many seconds, or once this many of a kind wait."""
CLOSE_TRIES = 3
"""Attempts to write the waiting rows at the end of a process."""

T = TypeVar("T")
Batch: TypeAlias = Mapping[str, Sequence[Any]]
"""Rows by kind."""


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
        tried: Callable[[Batch, bool], object] = lambda batch, written: None,
        seconds: float = SECONDS,
    ) -> None:
        """Write `queues` in their order over their own connection. `what` names the rows in the log.

        `tried` is called under `mutex` after each batch, with the batch and whether it was written.
        """
        self._what, self._db, self._queues, self._tried = what, db, queues, tried
        self.mutex = threading.RLock()
        """Held while the waiting rows change."""
        self.writing = threading.Lock()
        """Held while a batch is being written."""
        self.lost = 0
        """Number of rows that were never written."""
        self._refused = 0
        self._rows = Waiting({name: Kind(each.most, each.join) for name, each in queues.items()})
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
            size = self._rows.put(kind, row, key)
            if not size:
                self.lost += 1
                self._refused += 1
            if size == AT_ONCE:
                self._wake.set()
            return size > 0

    def find(self, kind: str, key: Any) -> Any:
        """Return the waiting row of a key; None without one."""
        with self.mutex:
            return self._rows.find(kind, key)

    def pending(self, kind: str) -> list[Any]:
        """Return the waiting rows of a kind, the oldest first."""
        with self.mutex:
            return self._rows.pending(kind)

    def flush(self) -> bool:
        """Write the waiting rows. Returns whether none are left. Never raises: rows that cannot be written wait."""
        with self.writing:
            with self.mutex:
                refused, self._refused = self._refused, 0
                taken = {kind: self._rows.take(kind, queue.most) for kind, queue in self._queues.items()}
            self._log_lost(refused, "they could not be written for too long")
            if not any(taken.values()):
                return True
            try:
                with transaction(self._db):
                    odd = [
                        why
                        for kind, queue in self._queues.items()
                        for why in write_in_halves(self._db, taken[kind], queue.write)
                    ]
            except BaseException as error:
                self._ended(taken, written=False)
                if not self._failing and passing(error):
                    logger.warning("%s wait to be written: %s", self._what, error)
                elif not self._failing:  # its text may have personal data
                    logger.exception("%s wait to be written", self._what)
                self._failing = True
                return False
            self._failing = False
            self._ended(taken, written=True, lost=len(odd))
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

    def _ended(self, taken: Batch, *, written: bool, lost: int = 0) -> None:
        """Drop a written batch. Put a failed one back, before the rows added since."""
        with self.mutex:
            self.lost += lost
            for kind in self._queues:
                self._rows.ended(kind, written=written)
            self._tried(taken, written)

    def _log_lost(self, lost: int, why: str) -> None:
        if lost:
            logger.error("%d %s are lost: %s", lost, self._what, why)

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._seconds)
            self._wake.clear()
            try:
                if any(self._rows.count(kind) for kind in self._queues):
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
