"""Connections: opens and reads files, turns SQLite's errors into StoreUnavailable, and works under the processes' lock.

SQL stays in `.sql` files. A file is checked once in a turn of the event loop, and its readers see one state of it
(`Version`, `Turn`). A request in a turn had arrived before the turn began, so that state has all writes acknowledged to
its sender. One check is as good as one for each request, and saves several system calls.
"""

import asyncio
import fcntl
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from contextlib import suppress
from functools import wraps
from pathlib import Path
from queue import SimpleQueue
from threading import get_ident
from typing import Any, ParamSpec, TypeAlias, TypeVar

import apsw

from wetink.core.errors import BadSettings, StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

BUSY_MS = 10_000
"""How long to wait for another process's lock, in milliseconds."""

CHECKPOINT_PAGES = 20_000
"""WAL pages after which a commit also moves them into the file (80 MB)."""

LOOP_BUSY_MS = 5
"""How long an event loop waits for another process's lock, in milliseconds, before a thread takes over or it gives up.
"""

HOT_KB, COLD_KB, THREAD_KB = 16_384, 2_048, 512
"""Page cache in KB of a connection that every request uses, of a rarely used one, and of a reader in a thread. A
process has eight of these readers, and each cache fills in time."""

CREATED_SECONDS = 1.0
"""How long another process may take to create the tables of a file, in seconds."""

ROWS = 100
"""Rows that one statement inserts."""

PATIENCE_SECONDS = 10.0
"""How long a piece of work waits for its start, in seconds. Once started, it is awaited to its end."""

Work: TypeAlias = Callable[[apsw.Connection], Any]
_Piece: TypeAlias = tuple[Work, "Future[Any]"]


def connect(
    path: Path, *, durable: bool = True, synchronous: str = "", busy_ms: int = BUSY_MS, cache_kb: int = COLD_KB
) -> apsw.Connection:
    """Open the file in WAL mode. With `durable`, a commit is on disk (fsync) before it returns.

    Opening waits for other processes as long as needed. Later statements wait `busy_ms` for their locks. `cache_kb` is
    the size of the page cache.

    Pages are read, not mapped: on virtual machines the first access to a mapped page takes longer than reading it.
    `synchronous` overrides SQLite's setting of that name: the power cut test weakens it to see itself fail.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = apsw.Connection(str(path), statementcachesize=200)
    connection.set_busy_timeout(BUSY_MS)
    _keep_wal(connection)
    connection.execute(
        f"PRAGMA synchronous = {synchronous or ('FULL' if durable else 'NORMAL')}; PRAGMA temp_store = MEMORY;"
        f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA cache_size = -{cache_kb}"
    )
    connection.set_busy_timeout(busy_ms)
    path.chmod(0o600)
    return connection


def _keep_wal(connection: apsw.Connection) -> None:
    """Set WAL mode. If several processes create a file at once, one sets it and the others wait.

    SQLite's own waiting does not cover this case, since the connection already holds half of the lock.
    """
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
        time.sleep(0.005)


def refuse_older(db: apsw.Connection, table: str, newest: AbstractSet[str]) -> None:
    """Raise BadSettings if a file that has `table` lacks one of the `newest` columns: it is of an older format.

    Another process may be creating the file's tables right now, one after another, so it is looked at for a second.
    """
    columns = "SELECT m.name, m.name || '.' || c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
    end = time.monotonic() + CREATED_SECONDS
    while True:
        there = fetch(db, columns)
        if all(name != table for name, _ in there) or newest <= {column for _, column in there}:
            return
        if time.monotonic() > end:
            break
        time.sleep(CREATED_SECONDS / 200)
    raise BadSettings(
        f"{db.filename} has the format of an unreleased version",
        hint="start with a new data folder, and send your events again",
        where="--data",
    )


class translated:
    """Raise StoreUnavailable, with the remedy, for any SQLite error inside."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        """`doing` names the operation in the error."""
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Replace SQLite's errors."""
        if isinstance(error, apsw.Error):
            raise unavailable(error, self._doing) from error


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Run a method in a thread and return an awaitable."""

    @wraps(work)
    def called(*given: P.args, **named: P.kwargs) -> Coroutine[Any, Any, T]:
        return asyncio.to_thread(work, *given, **named)

    return called


def unavailable(error: apsw.Error, doing: str) -> StoreUnavailable:
    """Return SQLite's error as ours, with the remedy. `doing` names the operation.

    >>> unavailable(apsw.CorruptError("disk image is malformed"), "opening the store").hint
    'restore a backup'
    """
    if isinstance(error, apsw.FullError):
        return StoreUnavailable(f"disk full while {doing}", hint="make room; wetink goes on by itself")
    if isinstance(error, apsw.BusyError):
        return StoreUnavailable(f"the store is busy: {doing}", hint="try again")
    if isinstance(error, apsw.ReadOnlyError):
        return StoreUnavailable(f"{doing}: {error}", hint="if the store has moved, set WETINK_STORE to the new one")
    damaged = isinstance(error, apsw.CorruptError | apsw.NotADBError)
    return StoreUnavailable(f"{doing}: {error}", hint="restore a backup" if damaged else "see the log; try again")


class snapshot:
    """Read one state of the file inside, whatever is committed in the meantime. An outer snapshot is reused."""

    __slots__ = ("_db", "_outermost")

    def __init__(self, db: apsw.Connection) -> None:
        """Read over `db`."""
        self._db, self._outermost = db, not db.in_transaction

    def __enter__(self) -> None:
        if self._outermost:
            self._db.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        if self._outermost:
            self._db.execute("COMMIT")


def fetch(db: apsw.Connection, query: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[Any]:
    """Return all rows of a query."""
    return db.execute(query, values).fetchall()


def first(db: apsw.Connection, query: str, values: tuple[Any, ...] = ()) -> Any:
    """Return the first row of a query; None without one."""
    return db.execute(query, values).fetchone()


def insert(db: apsw.Connection, query: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows with a query that ends in VALUES.

    One statement writes many of them: one for each would pass Python's lock back and forth with the event loop, and
    JSON of all rows takes SQLite three times as long to read.
    """
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        marks = f"({', '.join('?' * len(some[0]))})"
        db.execute(f"{query} {', '.join([marks] * len(some))}", [value for row in some for value in row])


class Version:
    """A number that changes with every commit of another connection to the same file."""

    def __init__(self, db: Callable[[], apsw.Connection]) -> None:
        self._db = db
        self._loop: asyncio.AbstractEventLoop | None = None  # has read the version in this turn
        self._thread = 0
        self._seen = 0

    def now(self) -> int:
        """Return the version. Call it in an event loop. Raises StoreUnavailable."""
        if self._loop is None or self._thread != get_ident() or not self._loop.is_running():
            with translated("looking for news"):
                self._seen = self._db().execute("PRAGMA data_version").get
            self._loop, self._thread = asyncio.get_running_loop(), get_ident()  # getting the loop takes a system call
            self._loop.call_soon(self._forget)
        return self._seen

    def _forget(self) -> None:
        self._loop = None


class Turn:
    """One state of a file for all reads of a connection in a turn of its event loop, which makes many reads cheaper.

    It is as recent as `Version`, for the same reason. Without a running loop, each read is independent.
    """

    def __init__(self, db: apsw.Connection) -> None:
        """Hold states of a connection that only reads."""
        self._db = db
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Hold the current state until the end of this turn, unless one is held."""
        if self._loop is not None:
            if self._loop.is_running():
                return
            self._end()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_soon(self._end)  # first: earlier callbacks were requested before the state is taken
        self._loop = loop
        with suppress(apsw.Error):  # without it, reads may see different states
            self._db.execute("BEGIN")

    def _end(self) -> None:
        self._loop = None
        with suppress(apsw.Error):
            if self._db.in_transaction:
                self._db.execute("COMMIT")


class LockedFile:
    """Runs work under the lock of a file, one piece after the other in one thread, each in its own transaction.

    Callers wait for a limited time only: while a frozen process holds the lock, one thread hangs and nobody else.
    """

    def __init__(self, path: Path, lock_path: Path, *, synchronous: str = "") -> None:
        """Work on the file at `path`. `synchronous` is SQLite's setting of that name."""
        self._path, self._synchronous = path, synchronous
        self._lock = lock_path.open("a")
        self._pieces: SimpleQueue[_Piece | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="wetink-alone", daemon=True)
        self._thread.start()

    def run(self, work: Work, patience: float = PATIENCE_SECONDS) -> Any:
        """Return the result of `work`, blocking the calling thread. Raises StoreUnavailable: nothing was written."""
        future = self._submit(work)
        try:
            return future.result(patience)
        except TimeoutError:
            if future.cancel():
                raise _held() from None
            return future.result()
        finally:
            del future  # its error keeps this frame: a cycle

    async def run_async(self, work: Work) -> Any:
        """Return the result of `work` without blocking a thread. Raises StoreUnavailable: nothing was written."""
        future = self._submit(work)
        waited = asyncio.wrap_future(future)
        try:
            await asyncio.wait([waited], timeout=PATIENCE_SECONDS)
            if not waited.done() and future.cancel():
                raise _held()
            return await waited
        finally:
            del future, waited  # their error keeps this frame: a cycle

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Finish the started work. A hanging thread is left behind."""
        self._pieces.put(None)
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._lock.close()

    def _submit(self, work: Work) -> "Future[Any]":
        future: Future[Any] = Future()
        self._pieces.put((work, future))
        return future

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            work, future = piece
            try:
                if not future.cancelled():
                    fcntl.flock(self._lock, fcntl.LOCK_EX)
                    try:
                        if future.set_running_or_notify_cancel():
                            future.set_result(self._done(work))
                    finally:
                        fcntl.flock(self._lock, fcntl.LOCK_UN)
            except BaseException as error:
                if not future.done():
                    future.set_exception(error)

    def _done(self, work: Work) -> Any:
        with translated("opening the file"):
            db = connect(self._path, synchronous=self._synchronous)
        try:
            with translated("writing"), db:
                return work(db)
        finally:
            db.close()


def _held() -> StoreUnavailable:
    return StoreUnavailable("another process holds the store for too long", hint="try again; see whether one hangs")
