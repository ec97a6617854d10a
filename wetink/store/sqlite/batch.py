"""Batches: rows that nobody waits for are written many at a time, by a thread. What cannot be written yet waits on.

While another process holds the file, or the disk is full, rows stay in memory up to a bound. What comes beyond is lost,
as is what no file takes; both are counted and told.
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
"""How long the thread that writes waits for another process's lock, before it tries again later."""
SECONDS, AT_ONCE = 0.5, 5_000
"""When rows are written: so soon, or when so many of a kind wait."""
CLOSE_TRIES = 3
"""How often the end of a process tries to write what waits."""

T = TypeVar("T")
Batch: TypeAlias = Mapping[str, dict[Any, Any]]
"""Rows by kind and key."""


class Queue(NamedTuple):
    """Rows of one kind: what writes some of them inside a transaction, and how many may wait."""

    write: Callable[[Sequence[Any]], object]
    most: int
    join: Callable[[Any, Any], Any] = lambda old, new: new
    """What becomes of two rows that have the same key."""


class BatchWriter:
    """Rows of several kinds on their way into one file. Filled from any thread, written by one at a time."""

    def __init__(
        self,
        what: str,
        db: apsw.Connection,
        queues: Mapping[str, Queue],
        *,
        tried: Callable[[Batch, Batch, bool], object] = lambda batch, waiting, written: None,
        seconds: float = SECONDS,
    ) -> None:
        """Write `queues` in their order over a connection of its own; `what` they are is said when some are lost.

        `tried` hears, under `mutex`, of each batch: what waits since, and whether it was written.
        """
        self._what, self._db, self._queues, self._tried = what, db, queues, tried
        self.mutex = threading.RLock()
        """Held while what waits changes."""
        self.writing = threading.Lock()
        """Held while a batch is being written."""
        self.lost = 0
        """How many rows were never written."""
        self._refused = 0
        self._numbers = count()
        self._waiting, self._taken = self._none(), self._none()
        self._failing = self._closing = False
        self._seconds, self._wake = seconds, threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wetink {what}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread goes on as it should: it was told to end, or it has not ended."""
        return self._closing or self._thread.is_alive()

    def put(self, kind: str, row: Any, key: Any = None) -> bool:
        """Let a row wait, joined with one of the same key; return False when there is no room: it is lost."""
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
        """Return the row of a key that is not written yet, None when there is none."""
        with self.mutex:
            return self._waiting[kind].get(key) or self._taken[kind].get(key)

    def pending(self, kind: str) -> list[Any]:
        """Return the rows of a kind that are not written yet, the oldest first."""
        with self.mutex:
            return [*self._taken[kind].values(), *self._waiting[kind].values()]

    def flush(self) -> bool:
        """Write what waits; return whether nothing is left. Never raises: what cannot be written waits on."""
        with self.writing:
            with self.mutex:
                refused, self._refused = self._refused, 0
                self._taken, self._waiting = self._waiting, self._none()
            self._tell(refused, "they could not be written for too long")
            if not any(self._taken.values()):
                return True
            try:
                with transaction(self._db):
                    odd = [
                        why
                        for kind, queue in self._queues.items()
                        for why in apart(self._db, [*self._taken[kind].values()], queue.write)
                    ]
            except BaseException as error:
                self._ended(written=False)
                if not self._failing and passing(error):
                    logger.warning("%s wait to be written: %s", self._what, error)
                elif not self._failing:  # its words may be anybody's
                    logger.exception("%s wait to be written", self._what)
                self._failing = True
                return False
            self._failing = False
            self._ended(written=True, lost=len(odd))
            self._tell(len(odd), f"they cannot be written ({type(odd[0]).__name__})" if odd else "")
            return True

    def close(self) -> None:
        """Write what waits and end the thread. What cannot be written is lost. Calling it twice is fine. Blocks."""
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        self._thread.join()
        if any(self.flush() for _ in range(CLOSE_TRIES)):
            return
        left = sum(len(self.pending(kind)) for kind in self._queues)
        self.lost += left
        self._tell(left, "this process ends, and they cannot be written")

    def _none(self) -> dict[str, dict[Any, Any]]:
        return {kind: {} for kind in self._queues}

    def _ended(self, *, written: bool, lost: int = 0) -> None:
        """Let go of a batch that was written; let one that was not wait again, before what has come since."""
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

    def _tell(self, lost: int, why: str) -> None:
        if lost:
            logger.error("%d %s are lost: %s", lost, self._what, why)

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._seconds)
            self._wake.clear()
            try:
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
    """Whether a write may succeed later as it is: others hold the file, or the disk is full or does not answer."""
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


def apart(db: apsw.Connection, things: Sequence[T], write: Callable[[Sequence[T]], object]) -> list[Exception]:
    """Write many at once inside a transaction; when that cannot be, in halves, so that only what is odd is left out.

    Returns why each of those that were left out could not be written. Raises what may pass by itself (see `passing`):
    then none of them is to blame.
    """
    if not things:
        return []
    if not db.in_transaction:
        raise apsw.IOError("the transaction was given up")
    db.execute("SAVEPOINT some")
    try:
        write(things)
    except Exception as error:
        if db.in_transaction:
            db.execute("ROLLBACK TO some")
            db.execute("RELEASE some")
        if passing(error):
            raise
        if len(things) == 1:
            logger.exception("one of many could not be written")
            return [error]
    else:
        db.execute("RELEASE some")
        return []
    middle = len(things) // 2
    return apart(db, things[:middle], write) + apart(db, things[middle:], write)
