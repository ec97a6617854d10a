"""Alone: work in a transaction of its own, under the file lock that all processes share.

One thread does it, a piece after the other. Whoever asks waits for so long and no longer: while a process that was
frozen holds the lock there is one thread that hangs, and nobody else.
"""

import asyncio
import fcntl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

import apsw

from wetink.core.errors import StoreUnavailable
from wetink.store.sqlite.connection import connect, translated

PATIENCE_SECONDS = 10.0
"""How long a piece of work waits until it may begin. Once begun it is waited for to its end."""

Work: TypeAlias = Callable[[apsw.Connection], Any]
_Piece: TypeAlias = tuple[Work, "Future[Any]"]


class Alone:
    """Does work under the lock of a file."""

    def __init__(self, path: Path, lock_path: Path, *, synchronous: str = "") -> None:
        """Work on the file at `path`. `synchronous` is SQLite's setting of that name."""
        self._path, self._synchronous = path, synchronous
        self._lock = lock_path.open("a")
        self._pieces: SimpleQueue[_Piece | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="wetink-alone", daemon=True)
        self._thread.start()

    def run(self, work: Work, patience: float = PATIENCE_SECONDS) -> Any:
        """Return what `work` does; the calling thread waits. Raises StoreUnavailable: nothing was written."""
        asked = self._asked(work)
        try:
            return asked.result(patience)
        except TimeoutError:
            if asked.cancel():
                raise _held() from None
            return asked.result()

    async def soon(self, work: Work, patience: float = PATIENCE_SECONDS) -> Any:
        """Return what `work` does, without a thread that waits for it. Raises StoreUnavailable: nothing was written."""
        asked = self._asked(work)
        waited = asyncio.wrap_future(asked)
        done, _ = await asyncio.wait([waited], timeout=patience)
        if not done and asked.cancel():
            raise _held()
        return await waited

    @property
    def alive(self) -> bool:
        """Whether its thread is there."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Finish what was begun. A thread that hangs is left behind."""
        self._pieces.put(None)
        self._thread.join(1.0)
        if not self._thread.is_alive():
            self._lock.close()

    def _asked(self, work: Work) -> "Future[Any]":
        asked: Future[Any] = Future()
        self._pieces.put((work, asked))
        return asked

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            work, asked = piece
            try:
                if not asked.cancelled():
                    fcntl.flock(self._lock, fcntl.LOCK_EX)
                    try:
                        if asked.set_running_or_notify_cancel():
                            asked.set_result(self._done(work))
                    finally:
                        fcntl.flock(self._lock, fcntl.LOCK_UN)
            except BaseException as error:
                if not asked.done():
                    asked.set_exception(error)

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
