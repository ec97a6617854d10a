"""WAL: the write-ahead log. COMMIT writes a transaction into it, and a sync puts it on disk.

SQLite does both within COMMIT. Here they are two steps: the first computes for tenths of a millisecond when little was
written, and the second only waits. If the kernel can wait by itself (Linux AIO), no thread has to be woken for that.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from wetink.core.errors import StoreUnavailable
from wetink.store.sqlite.connection import CHECKPOINT_PAGES

if TYPE_CHECKING:
    from caio.abstract import AbstractOperation
    from caio.linux_aio import Context

logger = logging.getLogger(__name__)

OnSynced = Callable[[StoreUnavailable | None], None]
"""Called with None once all commits are on disk, or with the error if that is unknown."""


class Wal:
    """The log of one file, for the one connection that writes to it. Not thread-safe."""

    def __init__(self, path: Path, *, synced: bool = True) -> None:
        """Handle the log of the file at `path`. Without `synced`, it is never synced, which only tests want."""
        self._path = path.with_name(path.name + "-wal")
        self._synced = synced
        self._file: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kernel: Context | None = None
        self._sync_pending = False
        self._pages = 0

    def follow(self, db: apsw.Connection) -> None:
        """Track the log's length with each commit of a new connection. SQLite no longer empties it."""
        self._shut()  # there may be a new file by now
        db.set_wal_hook(self._grown)

    def _grown(self, db: apsw.Connection, name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    @property
    def full(self) -> bool:
        """Whether it is time to empty the log."""
        return self._pages >= CHECKPOINT_PAGES

    def empty(self, db: apsw.Connection) -> bool:
        """Move the log into the file. Returns whether all of it is there, on disk. Takes about 50 ms.

        Pages after the state of an active reader stay, and all pages while another process empties the log.
        """
        self._pages = 0  # the next commit sets it
        try:
            pages, moved = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return False
        except apsw.Error:
            logger.warning("the log cannot be emptied", exc_info=True)
            return False
        return moved == pages

    def sync(self) -> None:
        """Wait until all commits are on disk. Raises StoreUnavailable if that is unknown."""
        if self._synced:
            try:
                os.fdatasync(self._opened())
            except OSError as error:
                raise _lost(error.errno) from error

    def waits(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether `sync_soon` may be called in this loop: only one loop can use it, and not on all kernels."""
        if self._loop is not loop and (self._loop is None or self._loop.is_closed()):
            self._release()
            self._loop, self._kernel = loop, _kernel()
            if self._kernel is not None:
                loop.add_reader(self._kernel.fileno, self._look)
        return self._loop is loop and self._kernel is not None

    def sync_soon(self, then: OnSynced) -> bool:
        """Let the kernel wait until all commits are on disk. `then` is called in the loop.

        Returns False if the kernel cannot; then it is not tried again.
        """
        if not self._synced:
            assert self._loop is not None  # noqa: S101 (see `waits`)
            self._loop.call_soon(then, None)
            return True
        try:
            assert self._kernel is not None  # noqa: S101 (see `waits`)
            self._kernel.submit(_syncing(self._opened(), partial(self._synced_by_kernel, then)))
            self._sync_pending = True
        except Exception:
            logger.warning("the kernel does not wait for this disk; a thread does", exc_info=True)
            self._release()
            return False
        return True

    def _synced_by_kernel(self, then: OnSynced, error: StoreUnavailable | None) -> None:
        self._sync_pending = False
        then(error)

    def _look(self) -> None:
        if self._kernel is not None:
            with contextlib.suppress(BlockingIOError):  # a spurious wakeup
                self._kernel.poll()
            self._kernel.process_events()

    def _opened(self) -> int:
        """Return the file, which exists from the first commit on, as long as a process has the database open."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        return self._file

    def _release(self) -> None:
        if self._kernel is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._kernel.fileno)
        if self._kernel is not None and not self._sync_pending:
            _IDLE.append(self._kernel)
        self._kernel, self._sync_pending = None, False

    def close(self) -> None:
        """Close the file."""
        self._release()
        self._loop = None
        self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


_IDLE: "list[Context]" = []
"""Idle contexts, for the next log: ending one takes the kernel 50 ms."""


def _kernel() -> "Context | None":
    """Return a kernel context that waits without a thread; None without Linux AIO, as in some containers."""
    if _IDLE:
        return _IDLE.pop()
    try:
        from caio import linux_aio  # here: only writers need its import time
    except ImportError:
        return None
    try:
        return linux_aio.Context(max_requests=1) if linux_aio is not None else None
    except (OSError, SystemError):
        logger.info("the kernel does not wait for the disk; a thread does", exc_info=True)
        return None


def _syncing(file: int, then: OnSynced) -> "AbstractOperation":
    from caio.linux_aio import Operation

    operation = Operation.fdsync(file)
    operation.set_callback(lambda result: then(None if result >= 0 else _lost(-result)))
    return operation


def _lost(error: int | None) -> StoreUnavailable:
    return StoreUnavailable(f"syncing the disk failed: {os.strerror(error or 0)}", hint="see the log; try again")
