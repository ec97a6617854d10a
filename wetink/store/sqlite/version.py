"""Version: a number that changes with every commit of another connection, looked at once a turn of the event loop.

A request that is handled in a turn had arrived before the turn began, so whatever its sender had been told before is
in the file by then: one look is as good as one for each request, and each costs several system calls.
"""

import asyncio
from collections.abc import Callable
from threading import get_ident

import apsw

from wetink.store.sqlite.connection import translated


class Version:
    """The data version of one connection's file."""

    def __init__(self, db: Callable[[], apsw.Connection]) -> None:
        """Look through the connection that `db` returns."""
        self._db = db
        self._loop: asyncio.AbstractEventLoop | None = None  # in a turn of which, in this thread, it was looked at
        self._thread = 0
        self._seen = 0

    def now(self) -> int:
        """Return the version. Called in an event loop. Raises StoreUnavailable."""
        if self._loop is None or self._thread != get_ident() or not self._loop.is_running():
            with translated("looking for news"):
                self._seen = self._db().execute("PRAGMA data_version").get
            self._loop, self._thread = asyncio.get_running_loop(), get_ident()  # the loop takes a system call to tell
            self._loop.call_soon(self._forget)
        return self._seen

    def _forget(self) -> None:
        self._loop = None
