"""Connections: how the file is opened, and what SQLite's errors mean to wetink."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import apsw

from wetink.core.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

BUSY_MS = 10_000
"""How long to wait for another process's lock before giving up."""

CHECKPOINT_PAGES = 8_000
"""WAL pages after which a commit also moves them into the file (32 MB)."""


LOOP_BUSY_MS = 5
"""How long an event loop waits for another process's lock before it leaves that to a thread, or gives up."""


HOT_KB, COLD_KB = 16_384, 2_048
"""Memory for pages of a connection that every request uses, and of one that is used now and then. A process has a dozen
of these, and each fills its memory in time."""


def connect(
    path: Path, *, durable: bool = True, synchronous: str = "", busy_ms: int = BUSY_MS, cache_kb: int = COLD_KB
) -> apsw.Connection:
    """Open the file in WAL mode. With `durable` a commit is on the disk (fsync) before it returns.

    Opening waits for others as long as it takes; later statements wait `busy_ms` for their locks. `cache_kb` is the
    memory its pages may take.

    Pages are read, not mapped: on virtual machines the first touch of a mapped page takes longer than reading it.
    `synchronous` overrides SQLite's setting of that name: the power cut test weakens it to see itself fail.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = apsw.Connection(str(path), statementcachesize=200)
    connection.set_busy_timeout(BUSY_MS)
    _keep_wal(connection)
    connection.execute(f"PRAGMA synchronous = {synchronous or ('FULL' if durable else 'NORMAL')}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{cache_kb}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.set_busy_timeout(busy_ms)
    path.chmod(0o600)
    return connection


def _keep_wal(connection: apsw.Connection) -> None:
    """Have the file kept in WAL mode. Of several that make a new file at once one does it, and the others wait.

    SQLite's own waiting does not cover this: it would be for a lock that it has half of already.
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


class translated:
    """Raise StoreUnavailable, with the remedy, for whatever SQLite raises inside."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        """`doing` is what the error says went wrong."""
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """End; SQLite's errors go on as ours."""
        if isinstance(error, apsw.Error):
            raise _unavailable(error, self._doing) from error


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Have whoever awaits a method wait for it in a thread."""

    @wraps(work)
    def called(*given: P.args, **named: P.kwargs) -> Coroutine[Any, Any, T]:
        return asyncio.to_thread(work, *given, **named)

    return called


def _unavailable(error: apsw.Error, doing: str) -> StoreUnavailable:
    if isinstance(error, apsw.FullError):
        return StoreUnavailable(f"disk full while {doing}", hint="make room; wetink goes on by itself")
    if isinstance(error, apsw.BusyError):
        return StoreUnavailable(f"the store is busy: {doing}", hint="try again")
    return StoreUnavailable(f"{doing}: {error}", hint="see the log; try again")


@contextmanager
def snapshot(db: apsw.Connection) -> Iterator[None]:
    """Read one state of the file inside, whatever is committed meanwhile; inside another, that one's."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def fetch(db: apsw.Connection, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """Return all rows of a query."""
    return db.execute(query, values).fetchall()


def first(db: apsw.Connection, query: str, values: tuple[Any, ...] = ()) -> Any:
    """Return the first row of a query, None without any."""
    return db.execute(query, values).fetchone()
