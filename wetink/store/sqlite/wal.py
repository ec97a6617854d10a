"""The write-ahead log: a COMMIT puts a transaction into it, and it is on the disk once it was synced.

SQLite would do both within COMMIT. Here they are two steps: the one computes, for tenths of a millisecond when little
was written, the other only waits. Where the kernel can wait by itself (Linux AIO) no thread has to be woken for that.
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

Told = Callable[[StoreUnavailable | None], None]
"""Hears that all that was committed is on the disk, or that nobody knows."""


class Wal:
    """The log of one file, for the one connection that writes to it. Not for two threads at once."""

    def __init__(self, path: Path, *, synced: bool = True) -> None:
        """Look after the log of the file at `path`. Without `synced` it never is: for tests that mean it."""
        self._path = path.with_name(path.name + "-wal")
        self._synced = synced
        self._file: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kernel: Context | None = None
        self._asked = False
        self._pages = 0

    def follow(self, db: apsw.Connection) -> None:
        """Watch how long the log is with each commit of a new connection; SQLite does not empty it any more."""
        self._shut()  # there may be another file by now
        db.set_wal_hook(self._grown)

    def _grown(self, db: apsw.Connection, name: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK

    @property
    def full(self) -> bool:
        """Whether it is time to empty it."""
        return self._pages >= CHECKPOINT_PAGES

    def empty(self, db: apsw.Connection) -> bool:
        """Move what is in the log into the file; return whether all of it is there, on the disk. Takes some 50 ms.

        What somebody still reads the state before of stays, and all of it while another process is at this.
        """
        self._pages = 0  # the next commit tells
        try:
            pages, moved = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return False
        except apsw.Error:
            logger.warning("the log cannot be emptied", exc_info=True)
            return False
        return moved == pages

    def sync(self) -> None:
        """Wait until all that was committed is on the disk. Raises StoreUnavailable when nobody knows."""
        if self._synced:
            try:
                os.fdatasync(self._opened())
            except OSError as error:
                raise _lost(error.errno) from error

    def waits(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether `sync_soon` may be called in this loop: not all kernels can, and only one loop at a time."""
        if self._loop is not loop and (self._loop is None or self._loop.is_closed()):
            self._let_go()
            self._loop, self._kernel = loop, _kernel()
            if self._kernel is not None:
                loop.add_reader(self._kernel.fileno, self._look)
        return self._loop is loop and self._kernel is not None

    def sync_soon(self, then: Told) -> bool:
        """Have the kernel wait until all that was committed is on the disk; `then` is told, in the loop.

        Returns False when it cannot after all, and will not be asked again.
        """
        if not self._synced:
            assert self._loop is not None  # noqa: S101 (see `waits`)
            self._loop.call_soon(then, None)
            return True
        try:
            assert self._kernel is not None  # noqa: S101 (see `waits`)
            self._kernel.submit(_syncing(self._opened(), partial(self._synced_by_kernel, then)))
            self._asked = True
        except Exception:
            logger.warning("the kernel does not wait for this disk; a thread does", exc_info=True)
            self._let_go()
            return False
        return True

    def _synced_by_kernel(self, then: Told, error: StoreUnavailable | None) -> None:
        self._asked = False
        then(error)

    def _look(self) -> None:
        if self._kernel is not None:
            with contextlib.suppress(BlockingIOError):  # woken for nothing
                self._kernel.poll()
            self._kernel.process_events()

    def _opened(self) -> int:
        """The file, which there is from the first commit on for as long as anybody has the database open."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        return self._file

    def _let_go(self) -> None:
        if self._kernel is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._kernel.fileno)
        if self._kernel is not None and not self._asked:
            _IDLE.append(self._kernel)
        self._kernel, self._asked = None, False

    def close(self) -> None:
        """Let go of the file."""
        self._let_go()
        self._loop = None
        self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


_IDLE: "list[Context]" = []
"""Contexts that wait for nothing, for the next log: to end one takes the kernel a twentieth of a second."""


def _kernel() -> "Context | None":
    """Return who waits without a thread; None where there is no such thing (other systems, containers without AIO)."""
    if _IDLE:
        return _IDLE.pop()
    try:
        from caio import linux_aio  # here: only who writes needs the time it takes
    except ImportError:
        return None
    try:
        return linux_aio.Context(max_requests=1) if linux_aio is not None else None
    except (OSError, SystemError):
        logger.info("the kernel does not wait for the disk; a thread does", exc_info=True)
        return None


def _syncing(file: int, then: Told) -> "AbstractOperation":
    from caio.linux_aio import Operation

    operation = Operation.fdsync(file)
    operation.set_callback(lambda result: then(None if result >= 0 else _lost(-result)))
    return operation


def _lost(error: int | None) -> StoreUnavailable:
    return StoreUnavailable(f"syncing the disk failed: {os.strerror(error or 0)}", hint="see the log; try again")
