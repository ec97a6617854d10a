"""Writer: commits all waiting rows as one group, under a file lock that all processes share.

All processes are equal. A process with records takes the file lock, writes them in one transaction, and releases it. A
killed process frees its lock with its file handle.

The event loop writes the rows itself, in slices so that opens get their turn, and commits small groups. Waiting for
another process's lock or for the disk happens in the writer's thread or in the kernel (`wal`). Two threads that pass
the interpreter lock back and forth with every statement would cost several times the work.
"""

import asyncio
import contextlib
import fcntl
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import apsw

from wetink.core.errors import StoreUnavailable
from wetink.ports import Record
from wetink.store.sqlite.commit import FEW_ROWS, SLICE_ROWS, Commits, Group, Job, prepare
from wetink.store.sqlite.connection import HOT_KB, LOOP_BUSY_MS, LockedFile, connect, translated, unavailable
from wetink.store.sqlite.recent import RecentEvents
from wetink.store.sqlite.wal import Wal

logger = logging.getLogger(__name__)

HANDOVER_SECONDS = 0.002
"""How long the loop pauses so that the thread can begin its commit, in seconds. Without it, the thread waits far
longer."""
CLOSE_SECONDS = 10.0
PATIENCE_SECONDS = 5.0
"""How long a request waits for another process's lock, in seconds. That process may be frozen: the sender tries again.
"""
LOOK_SECONDS = 0.25
"""Seconds between two checks for requests that have waited too long."""


class Writer:
    """Takes rows from any event loop of this process and commits them in groups."""

    def __init__(self, path: Path, lock_path: Path, recent_events: RecentEvents, *, synchronous: str = "") -> None:
        """Open the file for writing and start the thread. `recent_events` gets the committed product events."""
        self._path, self._synchronous = path, synchronous
        self._lock = lock_path.open("a")
        self.locked_file = LockedFile(path, lock_path, synchronous=synchronous)
        self._wal = Wal(path, synced=not synchronous)
        self._db: apsw.Connection | None = self._connected()
        self._commits = Commits(recent_events)
        self._jobs: deque[Job] = deque()
        self._current: Group | None = None
        self._closed = False
        self._mutex = threading.Lock()
        self._handed_over = threading.Lock()  # released once the thread has begun its commit
        self._handed_over.acquire()
        self._waits: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="wetink-writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its threads work as expected: they run, or the writer is closed."""
        return self._closed or (self._thread.is_alive() and self.locked_file.alive)

    def start(self) -> None:
        """Prepare for the first rows of the running event loop."""
        self._wal.waits(asyncio.get_running_loop())
        self._commits.ready(self._db)

    async def append(self, batch: Sequence[Record]) -> Sequence[bool]:
        """Commit the records, as `ports.Inbox` says."""
        if not batch:
            return ()
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        job = Job([prepare(record) for record in batch], loop)
        with self._mutex:
            self._jobs.append(job)
            if self._current is not None and self._current.loop.is_closed() and not self._current.in_thread:
                self._abandon()
        if self._current is None:
            loop.call_soon(self._begin)  # after the other requests of this turn
        return await job.future

    async def close(self) -> None:
        """Commit the waiting rows, then stop."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while (now := self._current) and not (now.waiting or now.loop.is_closed()):  # noqa: ASYNC110 (the end)
                    await asyncio.sleep(0.002)
        self._waits.put(None)
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS / 10)  # it may hang in another process's lock
        self._refuse(self._jobs)
        await asyncio.to_thread(self.locked_file.close)
        if self._db is not None:
            self._db.close(force=True)
        self._wal.close()
        self._lock.close()

    def _begin(self) -> None:
        """Start the next group with the file lock, unless a group of this process is in progress."""
        loop = asyncio.get_running_loop()
        with self._mutex:
            if self._current is not None or not self._jobs:
                return
            group = self._current = Group(loop)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another process writes: the thread waits for it
            self._wait(group, self._wait_for_lock)
        else:
            self._step(group)

    def _wait(self, group: Group, wait: Callable[[Group], None]) -> None:
        """Let the thread wait for another process. Jobs that wait too long are answered."""
        group.waiting = True
        self._hand_over(group, lambda: wait(group))
        group.loop.call_later(LOOK_SECONDS, self._look, group)

    def _look(self, group: Group) -> None:
        """Answer the jobs that have waited too long. They are in no group yet, so their rows will not be written."""
        if not group.waiting or self._current is not group:
            return
        oldest = group.loop.time() - PATIENCE_SECONDS
        with self._mutex:
            late = [job for job in self._jobs if job.since <= oldest]
            self._jobs = deque(job for job in self._jobs if job.since > oldest)
        self._refuse(late)
        group.loop.call_later(LOOK_SECONDS, self._look, group)

    def _refuse(self, jobs: Iterable[Job]) -> None:
        error = StoreUnavailable("another process holds the store", hint="send it again")
        for job in jobs:
            logger.error("a request was not taken in: %s", error)
            with contextlib.suppress(RuntimeError):  # the loop and its callers are gone
                job.loop.call_soon_threadsafe(self._answer, job, error)

    def _step(self, group: Group) -> None:
        """Write the next slice of a group, in its event loop. It includes all rows that came before it had the lock."""
        if not group.jobs:
            with self._mutex:
                group.take(self._jobs)
            if not group.jobs:  # all of them have waited too long
                self._unlock()
                self._finish_jobs(group, [])
                return
        done = len(group.outcome)
        try:
            db = self._db or self._reopen()
            with self._undone_on_error(db):
                if not group.begun:
                    self._commits.begin(db)
                    group.begun = True
                group.outcome += self._commits.write(db, group.rows[done : done + SLICE_ROWS])
        except StoreUnavailable as error:
            if isinstance(error.__cause__, apsw.BusyError) and self._db is not None and not group.begun:
                self._wait(group, self._wait_for_file)
                return
            self._unlock()
            self._finish_jobs(group, [error] * len(group.jobs))
        except Exception:  # logged for each request alone
            logger.debug("a group could not be written in one go", exc_info=True)
            self._hand_over(group, lambda: self._finish_jobs(group, self._one_by_one(group.jobs)))
        else:
            if len(group.outcome) < len(group.rows):
                group.loop.call_soon(self._step, group)
            elif len(group.rows) <= FEW_ROWS and not self._wal.full and self._wal.waits(group.loop):
                self._finish_here(group, db)
            else:
                self._handed_over.acquire(blocking=False)  # lock it again if the last wait timed out
                self._hand_over(group, lambda: self._finish(group))
                self._handed_over.acquire(timeout=HANDOVER_SECONDS)

    def _finish_here(self, group: Group, db: apsw.Connection) -> None:
        """Commit the group in its event loop. The kernel waits for the disk."""
        try:
            self._commit(db)
        except Exception as error:
            failure = error if isinstance(error, StoreUnavailable) else StoreUnavailable("writing failed")
            self._finish_jobs(group, [failure] * len(group.jobs))
            return
        finally:
            self._unlock()
        if not self._wal.sync_soon(lambda error: self._synced(group, error)):
            self._hand_over(group, lambda: self._sync(group))

    def _hand_over(self, group: Group, wait: Callable[[], None]) -> None:
        """Let the thread do the waiting. From then on it has the group, even if the loop ends."""
        group.in_thread = True
        self._waits.put(wait)

    def _run(self) -> None:
        """Run the thread: do the waiting, in order."""
        while (wait := self._waits.get()) is not None:
            try:
                wait()
            except Exception:  # callers get the error below; without this thread they would never get any
                logger.exception("the writer stumbled")
                if self._current is not None:
                    self._finish_jobs(self._current, [StoreUnavailable("writing failed")] * len(self._current.jobs))

    def _wait_for_lock(self, group: Group) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._hand_back(group)

    def _wait_for_file(self, group: Group) -> None:
        """Wait for another holder of the file without the lock: not wetink, but perhaps a tool that reads the file."""
        db = self._db
        assert db is not None  # noqa: S101 (it has just been asked)
        try:
            db.set_busy_timeout(int(PATIENCE_SECONDS * 1000))
            with translated("writing"):
                self._commits.begin(db)
            group.begun = True
        except StoreUnavailable as error:
            self._unlock()
            self._finish_jobs(group, [error] * len(group.jobs))
            return
        finally:
            db.set_busy_timeout(LOOP_BUSY_MS)
        self._hand_back(group)

    def _hand_back(self, group: Group) -> None:
        """Let the event loop continue with a group."""
        try:
            with self._mutex:  # before the loop continues, or another thread sees that it never will
                group.loop.call_soon_threadsafe(self._step, group)
                group.in_thread = group.waiting = False
        except RuntimeError:  # the loop and its callers are gone
            if group.begun and self._db is not None:
                self._give_up(self._db, None)
            self._unlock()
            self._finish_jobs(group, [StoreUnavailable("the store is closed")] * len(group.jobs))

    def _finish(self, group: Group) -> None:
        """Commit the group, and wait until it is on disk."""
        try:
            assert self._db is not None  # noqa: S101 (it has just been written to)
            if self._handed_over.locked():
                self._handed_over.release()
            self._commit(self._db)
            if self._wal.full:
                self._wal.empty(self._db)
        except StoreUnavailable as error:
            self._finish_jobs(group, [error] * len(group.jobs))
            return
        finally:
            self._unlock()
        self._sync(group)

    def _sync(self, group: Group) -> None:
        try:
            self._wal.sync()
        except StoreUnavailable as error:
            self._synced(group, error)
        else:
            self._synced(group, None)

    def _synced(self, group: Group, error: StoreUnavailable | None) -> None:
        """Answer the group's callers: all rows are on disk, or that is unknown."""
        if error is not None:
            self._distrust()
        self._finish_jobs(group, group.shares() if error is None else [error] * len(group.jobs))

    def _one_by_one(self, jobs: Sequence[Job]) -> list[Any]:
        """Write each job by itself, so that a failing request does not stop the others."""
        answers: list[Any] = []
        for job in jobs:
            try:
                db = self._db or self._reopen()
                with self._undone_on_error(db):
                    self._commits.begin(db)
                    outcome = self._commits.write(db, job.rows)
                self._commit(db)
                answers.append(outcome)
            except StoreUnavailable as error:
                answers.append(error)
            except Exception as error:
                logger.exception("a request could not be written")
                answers.append(StoreUnavailable(f"writing failed: {type(error).__name__}"))
        self._unlock()
        try:
            self._wal.sync()
        except StoreUnavailable as error:
            self._distrust()
            return [error] * len(jobs)
        return answers

    def _commit(self, db: apsw.Connection) -> None:
        with self._undone_on_error(db):
            db.execute("COMMIT")
        self._commits.committed()

    def _unlock(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _finish_jobs(self, group: Group, answers: Sequence[Any]) -> None:
        """Answer the callers, each in its own loop, and start the next group."""
        for answer in answers:
            if isinstance(answer, Exception):
                logger.error("nothing was written: %s", answer)
                break
        with self._mutex:
            self._current = None
            by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, Any]]] = {job.loop: [] for job in self._jobs}
        for job, answer in zip(group.jobs, answers, strict=True):
            by_loop.setdefault(job.loop, []).append((job, answer))
        here = None if threading.current_thread() is self._thread else group.loop
        for loop, pairs in by_loop.items():
            if loop is here:
                loop.call_soon(self._resolve, pairs)
            else:
                with contextlib.suppress(RuntimeError):  # the loop and its callers are gone
                    loop.call_soon_threadsafe(self._resolve, pairs)

    def _resolve(self, pairs: Sequence[tuple[Job, Any]]) -> None:
        for job, answer in pairs:
            self._answer(job, answer)
        self._begin()

    @staticmethod
    def _answer(job: Job, answer: Any) -> None:
        if job.future.done():
            return
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)

    def _abandon(self) -> None:
        """Undo the work of a loop that is gone."""
        if self._db is not None:
            self._give_up(self._db, None)
        self._unlock()
        self._current = None

    @contextlib.contextmanager
    def _undone_on_error(self, db: apsw.Connection) -> Iterator[None]:
        """Undo the transaction on any error inside. SQLite's errors become StoreUnavailable."""
        try:
            yield
        except apsw.Error as error:
            self._give_up(db, error)
            raise unavailable(error, "writing") from error
        except BaseException as error:
            self._give_up(db, error.__cause__)
            raise

    def _give_up(self, db: apsw.Connection, cause: BaseException | None) -> None:
        """Undo the transaction. After an I/O error, memory is not trusted: the file is opened again and checked."""
        self._commits.forget()
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

    def _distrust(self) -> None:
        """After a failed sync, the state on disk is unknown, although readers see the rows."""
        if self._db is not None:
            self._give_up(self._db, apsw.IOError())

    def _connected(self) -> apsw.Connection:
        db = connect(self._path, durable=False, synchronous=self._synchronous, busy_ms=LOOP_BUSY_MS, cache_kb=HOT_KB)
        self._wal.follow(db)
        return db

    def _reopen(self) -> apsw.Connection:
        with translated("opening the file again"):
            db = self._connected()
            verdict = db.execute("PRAGMA quick_check(1)").get
        if verdict != "ok":
            db.close()
            raise StoreUnavailable(f"the file is damaged: {verdict}", hint="restore it from a backup")
        if not self._wal.empty(db):  # retried rows are found as duplicates, so they must be on disk
            db.close()
            raise StoreUnavailable("the disk may not have all that was written", hint="try again")
        self._db = db
        return db
