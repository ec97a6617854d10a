"""The engine: queries the newest columns, and has the next ones written in time."""

import asyncio
import logging
import pickle
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from wetink.columns import layout
from wetink.columns.view import View
from wetink.core.errors import StoreUnavailable
from wetink.core.profile.person import Moment
from wetink.core.rules.tree import Rule
from wetink.ports.audiences import Narrowed, OpenCrowdLog
from wetink.sandbox import forkserver

logger = logging.getLogger(__name__)
T = TypeVar("T")

MOST_CHANGED, CHANGED_SHARE = 1_000, 0.005
"""Changed profiles, and their share of all, that wetink evaluates in memory before it writes a new file."""
MOST_BEHIND, BEHIND_SHARE = 5_000, 0.05
"""Messages since the file, and in proportion to its profiles, beyond which a count waits for the next file."""
HERE = 2_000
"""Messages of a log beyond which another process lays it out."""
ATTEMPTS, NO_LIMIT = 3, 1 << 62
LOOK_SECONDS = 0.1
"""Seconds between two checks whether another process has written the next file."""
REST_SECONDS = 60.0
"""Seconds between a failed attempt to write the next file and the next attempt, while counts go on without it."""
SOUND = (duckdb.ProgrammingError, duckdb.DataError, duckdb.OutOfMemoryException)
"""Errors that do not mean that the file is broken."""


class DuckDBColumns:
    """`ports.audiences.Columns` over a log and a folder. Any number of processes may share both."""

    def __init__(self, open_log: OpenCrowdLog, folder: Path) -> None:
        """Follow a log; it opens nothing before the first question."""
        self._open, self._folder = open_log, folder
        self._thread = ThreadPoolExecutor(1, "columns")  # its own, so that no other work waits for a count
        self._view: View | None = None
        self._path: Path | None = None
        self._writing: subprocess.Popen[str] | None = None
        self._task: threading.Thread | None = None
        self._rests_until = 0.0
        self._closed = False

    async def narrow(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int = 0) -> Narrowed:
        return await self._in_thread(partial(self._narrowed, rule, moment, audiences, members))

    async def prepare(self) -> None:
        await self._in_thread(partial(self._with_view, lambda view: None))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreUnavailable("nobody is counted: this process ends", hint="ask again")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _narrowed(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], members: int) -> Narrowed:
        return self._with_view(lambda view: view.narrow(rule, moment, audiences, members=members))

    def _with_view(self, work: Callable[[View], T]) -> T:
        try:
            return work(self._newest())
        except duckdb.Error as error:
            self._release()
            if self._path is None or isinstance(error, SOUND):
                raise _unavailable(error) from error
            logger.warning("the columns cannot be read and are written again: %s", error)
            self._path.unlink(missing_ok=True)
        try:
            return work(self._newest())
        except duckdb.Error as error:
            raise _unavailable(error) from error

    def _newest(self) -> View:
        """Return a view that includes all appended messages, with few enough changed profiles to evaluate in memory."""
        for left in reversed(range(ATTEMPTS)):
            path = layout.newest(self._folder)
            if self._view is None or self._path != path:
                self._release()
                self._path = path
                self._view = View(path) if path is not None else None
            if self._view is not None:
                profiles, changed = self._view.profiles, self._view.changed
                limit = max(MOST_BEHIND, int(BEHIND_SHARE * profiles)) if left else NO_LIMIT
                with self._open() as log:
                    followed = self._view.follow(log, limit)
                if followed:
                    if len(changed) > max(MOST_CHANGED, CHANGED_SHARE * profiles):
                        self._write_meanwhile(path)
                    return self._view
            self._write(path, wait=True)
        raise StoreUnavailable("the columns cannot keep up with the log", hint="try again")

    def _release(self) -> None:
        if self._view is not None:
            self._view.close()
            self._view = None

    def _write_meanwhile(self, last: Path | None) -> None:
        """Have the next file written while counts go on with the last one."""
        if (self._task is None or not self._task.is_alive()) and time.monotonic() >= self._rests_until:
            self._task = threading.Thread(target=self._try_to_write, args=(last,), name="wetink-columns", daemon=True)
            self._task.start()

    def _try_to_write(self, last: Path | None) -> None:
        try:
            self._write(last, wait=False)
        except (StoreUnavailable, duckdb.Error, OSError) as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            if not self._closed:
                logger.warning("the columns are as before: %s", error)

    def _write(self, last: Path | None, *, wait: bool) -> None:
        """Write the file after `last`, unless another process does; without `wait`, do not wait for it."""
        while not self._closed:
            with layout.alone(self._folder) as lock:
                if layout.newest(self._folder) != last:
                    return
                if lock is not None:
                    return self._write_alone(lock)
            if not wait:
                return None
            time.sleep(LOOK_SECONDS)
        raise StoreUnavailable("the columns are not written: this process ends", hint="ask again")

    def _write_alone(self, lock: int) -> None:
        with self._open() as log:
            size = log.size
        if size <= HERE:
            return layout.lay_out(self._open, self._folder)
        command = forkserver.command("wetink.columns", str(self._folder.absolute()), pickle.dumps(self._open).hex())
        with subprocess.Popen(  # noqa: S603
            command, env=forkserver.environment(), pass_fds=(lock,), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace",
        ) as process:  # fmt: skip
            self._writing = process
            if self._closed:
                process.kill()
            last = ""
            for line in process.stdout or ():
                last = line.strip() or last
                if last.isdecimal():
                    logger.warning("all people are being laid out in columns: %s %%", last)
        self._writing = None
        if process.returncode != 0:
            raise StoreUnavailable(
                f"the columns could not be written: {last[:200]}",
                hint="try again; if that does not help, remove the folder columns/: it is made again",
            )

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        writing = self._writing
        if writing is not None:
            writing.kill()
        self._thread.submit(self._release).result()
        self._thread.shutdown()
        if self._task is not None:
            self._task.join()


def _unavailable(error: duckdb.Error) -> StoreUnavailable:
    return StoreUnavailable(f"asking all profiles: {error}", hint="see the log")
