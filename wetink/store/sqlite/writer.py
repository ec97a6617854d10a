"""The writer: one thread per process that commits whatever waits, as one group.

All processes are equal. Whoever has records takes the file lock, commits them in one transaction, lets go. A killed
process frees its lock with its file handle.
"""

import asyncio
import fcntl
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from wetink.core.errors import StoreUnavailable
from wetink.store.sqlite.commit import Row, write
from wetink.store.sqlite.connection import connect, translated

logger = logging.getLogger(__name__)

GROUP_ROWS = 1_000
"""Rows after which a group is closed; a request is never split."""


class Job:
    """Rows of one request and where to answer."""

    __slots__ = ("future", "loop", "rows")

    def __init__(self, rows: Sequence[Row], loop: asyncio.AbstractEventLoop) -> None:
        """Make a job whose future belongs to `loop`."""
        self.rows = rows
        self.loop = loop
        self.future: asyncio.Future[list[bool]] = loop.create_future()


class Writer:
    """Takes rows from any event loop of this process and commits them in groups."""

    def __init__(self, path: Path, lock_path: Path, *, synchronous: str = "") -> None:
        """Open the file for writing and start the thread."""
        self._path, self._synchronous = path, synchronous
        self._lock = lock_path.open("a")  # noqa: SIM115 (held until close)
        self._db: apsw.Connection | None = connect(path, synchronous=synchronous)
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._mutex = threading.Lock()  # a file lock does not part the threads of one process
        self._thread = threading.Thread(target=self._run, name="wetink-writer", daemon=True)
        self._thread.start()

    async def write(self, rows: Sequence[Row]) -> list[bool]:
        """Commit the rows; return for each whether it was a duplicate. Raises StoreUnavailable: nothing was written."""
        job = Job(rows, asyncio.get_running_loop())
        with self._wake:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            self._jobs.append(job)
            self._wake.notify()
        return await job.future

    def run_alone(self, work: Callable[[apsw.Connection], Any]) -> Any:
        """Run `work` in a transaction of its own, in the calling thread, under the file lock."""
        with self._turn():
            db = connect(self._path, synchronous=self._synchronous)
            try:
                with translated("writing"), db:
                    return work(db)
            finally:
                db.close()

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify()
        self._thread.join()
        if self._db is not None:
            self._db.close()
        self._lock.close()

    def _run(self) -> None:
        while True:
            group = self._next_group()
            if not group:
                return
            _answer(group, self._outcomes(group))

    def _outcomes(self, group: Sequence[Job]) -> list[Any]:
        try:
            return list(self._commit(group))
        except StoreUnavailable as error:
            logger.error("nothing was written: %s", error)
            return [error] * len(group)
        except Exception as error:
            if len(group) > 1:  # one request that cannot be written must not take the others with it
                return [outcome for job in group for outcome in self._outcomes([job])]
            logger.exception("nothing was written")
            return [StoreUnavailable(f"writing failed: {type(error).__name__}")]

    def _next_group(self) -> list[Job]:
        with self._wake:
            while not self._jobs and not self._closing:
                self._wake.wait()
            group: list[Job] = []
            rows = 0
            while self._jobs and rows < GROUP_ROWS:
                job = self._jobs.popleft()
                group.append(job)
                rows += len(job.rows)
            return group

    def _commit(self, group: Sequence[Job]) -> list[list[bool]]:
        with self._turn():
            db = self._db or self._reopen()
            try:
                with translated("writing"):
                    db.execute("BEGIN IMMEDIATE")
                    answers = [write(db, job.rows) for job in group]
                    db.execute("COMMIT")
                    return answers
            except BaseException as error:
                self._give_up(db, error.__cause__)
                raise

    def _give_up(self, db: apsw.Connection, cause: BaseException | None) -> None:
        """Undo the transaction. After an I/O error believe nothing in memory: the file is opened anew and checked."""
        if not db.in_transaction and not isinstance(cause, apsw.IOError):
            return
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
        except apsw.Error:
            logger.exception("rollback failed")
            cause = apsw.IOError()
        if isinstance(cause, apsw.IOError | apsw.CorruptError):
            self._db = None
            db.close(force=True)

    def _reopen(self) -> apsw.Connection:
        with translated("opening the file again"):
            db = connect(self._path, synchronous=self._synchronous)
            verdict = db.execute("PRAGMA quick_check(1)").get
        if verdict != "ok":
            db.close()
            raise StoreUnavailable(f"the file is damaged: {verdict}", hint="restore it from a backup")
        self._db = db
        return db

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._mutex:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)


def _answer(group: Sequence[Job], answers: Sequence[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Any]]] = {}
    for job, answer in zip(group, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job, answer))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, pairs)
        except RuntimeError:  # the loop is gone, and who waited with it
            logger.debug("a loop closed before its answer", extra={"pid": os.getpid()})


def _resolve(pairs: Sequence[tuple[Job, Any]]) -> None:
    for job, answer in pairs:
        if job.future.done():
            continue
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)
