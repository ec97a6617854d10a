"""Database: the main file's read connections and its one writer. The parts in it share these."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import apsw

from wetink.store.codec import level_of
from wetink.store.sqlite.connection import HOT_KB, LOOP_BUSY_MS, THREAD_KB, Turn, Version, connect, translated
from wetink.store.sqlite.recent import RecentEvents
from wetink.store.sqlite.writer import Writer

T = TypeVar("T")


class Database:
    """`wetink.db` of a folder, with its lock. Any number of processes may open the same file."""

    def __init__(self, folder: Path, prepare: Callable[[apsw.Connection], None], *, synchronous: str = "") -> None:
        """Open the file, or create it. `prepare` creates missing tables. `synchronous` is for tests that weaken it."""
        self.path, self.lock, self.synchronous = folder / "wetink.db", folder / "wetink.lock", synchronous
        self.recent_events = RecentEvents()
        self.writer = Writer(self.path, self.lock, self.recent_events, synchronous=synchronous)
        self.writer.locked_file.run(prepare)
        self._readers, self._opened = threading.local(), list[apsw.Connection]()
        self._long = ThreadPoolExecutor(2, "long-read")
        self._version, self._main = Version(lambda: self.reading), threading.main_thread().ident

    @property
    def reading(self) -> apsw.Connection:
        """The calling thread's own read connection. All reads of an event loop in one turn see one state."""
        db: apsw.Connection | None = getattr(self._readers, "db", None)
        if db is None:
            db = self._readers.db = self._connected()
            self._opened.append(db)
        turn = self._readers.turn
        if turn is not None:
            turn.begin()
        return db

    def version(self) -> int | None:
        """Return a number that changes with every commit; None in a thread without its own event loop.

        Data read at a number is current while the number is the same.
        """
        return self._version.now() if threading.get_ident() == self._main else None

    def _connected(self) -> apsw.Connection:
        main = threading.current_thread() is threading.main_thread()  # the thread of the event loop
        with translated("opening the store"):
            if main:
                db = connect(self.path, busy_ms=LOOP_BUSY_MS, cache_kb=HOT_KB)
            else:
                db = connect(self.path, cache_kb=THREAD_KB)
            db.execute("PRAGMA query_only = ON")
            db.create_scalar_function("sender_of", _sender_of, 1, deterministic=True)  # see newest_reached
        self._readers.turn = Turn(db) if main else None
        return db

    async def in_reader(self, read: Callable[[apsw.Connection], T]) -> T:
        """Run a long read in a thread, two at a time, so that other requests stay fast."""
        return await asyncio.get_running_loop().run_in_executor(self._long, lambda: read(self.reading))

    async def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Return the result of `work`, run in its own transaction. Raises StoreUnavailable: nothing was written."""
        done: T = await self.writer.locked_file.run_async(work)
        return done

    async def close(self) -> None:
        """Commit waiting rows and close everything. A second call does nothing."""
        await self.writer.close()
        self._long.shutdown()
        for db in self._opened:
            db.close(force=True)
        self._opened.clear()
        self._readers = threading.local()


def _sender_of(*of: Any) -> str:
    return "browser" if level_of(of[0]) == "browser" else "server"
