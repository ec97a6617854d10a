"""The writer: commits whatever waits, as one group, under a file lock that all processes share.

All processes are equal. Whoever has records takes the file lock, writes them in one transaction, lets go. A killed
process frees its lock with its file handle.

A small group is written by the event loop itself and only its COMMIT, which waits for the disk, by the writer's
thread: two threads that hand the interpreter lock to and fro with every statement cost several times the work. A large
group is the thread's alone, so that opens need not wait for it.
"""

import asyncio
import fcntl
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from wetink.core.errors import StoreUnavailable
from wetink.store.sqlite.commit import Row, write
from wetink.store.sqlite.connection import connect, translated
from wetink.store.sqlite.lessons import Lessons

logger = logging.getLogger(__name__)

GROUP_ROWS = 1_000
"""Rows after which a group is closed; a request is never split."""

SMALL_ROWS = 100
"""Rows that an event loop may write itself: a few milliseconds."""


class Job:
    """One request's rows, and who waits for them."""

    def __init__(self, rows: Sequence[Row], loop: asyncio.AbstractEventLoop) -> None:
        """Make a job whose future belongs to `loop`."""
        self.rows = rows
        self.loop = loop
        self.future: asyncio.Future[list[bool]] = loop.create_future()


Group = list[Job]


class Writer:
    """Takes rows from any event loop of this process and commits them in groups."""

    def __init__(self, path: Path, lock_path: Path, *, synchronous: str = "") -> None:
        """Open the file for writing and start the thread."""
        self._path, self._synchronous = path, synchronous
        self._lock = lock_path.open("a")
        self._db: apsw.Connection | None = connect(path, synchronous=synchronous)
        self._lessons = Lessons()
        self._jobs: deque[Job] = deque()
        self._begun: tuple[Group, list[bool]] | None = None  # written, and yet to be committed
        self._busy = False  # somebody of this process is writing: a file lock does not part its threads
        self._left = False  # the thread is to see to what waits: no loop will, or should
        self._closing = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="wetink-writer", daemon=True)
        self._thread.start()

    async def write(self, rows: Sequence[Row]) -> list[bool]:
        """Commit the rows; return for each whether it was a duplicate. Raises StoreUnavailable: nothing was written."""
        loop = asyncio.get_running_loop()
        job = Job(rows, loop)
        with self._change:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            self._jobs.append(job)
            if len(rows) > SMALL_ROWS:
                self._leave()
            elif len(self._jobs) == 1 or self._jobs[0].loop is not loop:
                loop.call_soon(self._begin)  # after the requests that have come in with this one
        return await job.future

    def run_alone(self, work: Callable[[apsw.Connection], Any]) -> Any:
        """Run `work` in a transaction of its own, in the calling thread, under the file lock."""
        with self._change:
            self._change.wait_for(lambda: not self._busy)
            self._busy = True
        try:
            with self._locked():
                db = connect(self._path, synchronous=self._synchronous)
                try:
                    with translated("writing"), db:
                        return work(db)
                finally:
                    db.close()
        finally:
            self._rest()

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._change:
            if self._closing:
                return
            self._closing = True
            self._change.notify_all()
        self._thread.join()
        if self._db is not None:
            self._db.close()
        self._lock.close()

    def _begin(self) -> None:
        """Write a small group from the event loop, and leave its commit to the thread."""
        with self._change:
            if self._busy or not self._jobs:
                return
            if sum(len(job.rows) for job in self._jobs) > SMALL_ROWS:
                self._leave()
                return
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another process writes: the thread can wait for it, this loop must not
                self._leave()
                return
            group = self._take()
            self._busy = True
        outcome: list[bool] | None = None
        try:
            outcome = self._write(group)
        except Exception:
            logger.debug("a group could not be written in one go", exc_info=True)
        with self._change:
            if outcome is None:  # the thread tells the good ones from the bad
                fcntl.flock(self._lock, fcntl.LOCK_UN)
                self._jobs.extendleft(reversed(group))
                self._busy = False
                self._left = True
            else:
                self._begun = (group, outcome)
            self._change.notify_all()

    def _leave(self) -> None:
        self._left = True
        self._change.notify_all()

    def _take(self) -> Group:
        group: Group = []
        rows = 0
        while self._jobs and rows < GROUP_ROWS:
            job = self._jobs.popleft()
            group.append(job)
            rows += len(job.rows)
        return group

    def _run(self) -> None:
        """The thread: commit what a loop began, else write and commit what waits."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._begun or (not self._busy and (self._left or self._closing)))
                if self._begun is not None:
                    (group, outcome), self._begun = self._begun, None
                elif self._jobs:
                    group, outcome, self._busy = self._take(), [], True
                elif self._closing:
                    return
                else:
                    self._left = False
                    continue
                self._left = False
            answers = self._finished(group, outcome) if outcome else self._outcomes(group)
            self._rest()
            told = _answer(group, answers, self._begin)
            with self._change:
                if self._jobs and self._jobs[0].loop not in told:
                    self._left = True

    def _rest(self) -> None:
        with self._change:
            self._busy = False
            self._left = self._left or bool(self._jobs and threading.current_thread() is not self._thread)
            self._change.notify_all()

    def _finished(self, group: Group, outcome: list[bool]) -> list[Any]:
        """Commit what a loop has written."""
        try:
            assert self._db is not None  # noqa: S101 (a loop has just written to it)
            self._commit(self._db)
        except StoreUnavailable as error:
            logger.error("nothing was written: %s", error)
            return [error] * len(group)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        return _shares(group, outcome)

    def _outcomes(self, group: Group) -> list[Any]:
        """Write and commit a group; return for each job what it comes to, an error included."""
        try:
            with self._locked():
                outcome = self._write(group)
                assert self._db is not None  # noqa: S101 (it has just been written to)
                self._commit(self._db)
                return _shares(group, outcome)
        except StoreUnavailable as error:
            logger.error("nothing was written: %s", error)
            return [error] * len(group)
        except Exception as error:
            if len(group) > 1:  # one request that cannot be written must not take the others with it
                return [outcome for job in group for outcome in self._outcomes([job])]
            logger.exception("nothing was written")
            return [StoreUnavailable(f"writing failed: {type(error).__name__}")]

    def _write(self, group: Group) -> list[bool]:
        """Write a group's rows in a transaction that is left open. Raises with the transaction undone."""
        db = self._db or self._reopen()
        try:
            with translated("writing"):
                db.execute("BEGIN IMMEDIATE")
                return write(db, [row for job in group for row in job.rows], self._lessons)
        except BaseException as error:
            self._give_up(db, error.__cause__)
            raise

    def _commit(self, db: apsw.Connection) -> None:
        try:
            with translated("writing"):
                db.execute("COMMIT")
        except BaseException as error:
            self._give_up(db, error.__cause__)
            raise

    def _give_up(self, db: apsw.Connection, cause: BaseException | None) -> None:
        """Undo the transaction. After an I/O error believe nothing in memory: the file is opened anew and checked."""
        self._lessons.forget()
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
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def _shares(group: Group, outcome: list[bool]) -> list[list[bool]]:
    """Give each job its part of the group's outcome."""
    shares, start = [], 0
    for job in group:
        shares.append(outcome[start : start + len(job.rows)])
        start += len(job.rows)
    return shares


def _answer(group: Group, answers: Sequence[Any], then: Callable[[], None]) -> Collection[asyncio.AbstractEventLoop]:
    """Tell those who wait, each in its own loop, which then begins the next group; return the loops."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Any]]] = {}
    for job, answer in zip(group, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job, answer))
    told = dict(by_loop)
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, pairs, then)
        except RuntimeError:  # the loop is gone, and who waited with it
            logger.debug("a loop closed before its answer")
            del told[loop]
    return told


def _resolve(pairs: Sequence[tuple[Job, Any]], then: Callable[[], None]) -> None:
    for job, answer in pairs:
        if job.future.done():
            continue
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)
    then()
