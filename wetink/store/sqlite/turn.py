"""Turns of the event loop: a file is looked at once in each, and its readers have one state of it.

A request that is handled in a turn had arrived before the turn began, so whatever its sender had been told before is
in the file by then: one look is as good as one for each request, and each costs several system calls.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident

import apsw

from wetink.store.sqlite.connection import translated


class Version:
    """A number that changes with every commit of another connection to the same file."""

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


class Turn:
    """One state of a file for all that a connection reads in a turn of its event loop: many reads cost less so.

    It is no older than what `Version` tells, for the same reason. Where no loop runs each read is by itself.
    """

    def __init__(self, db: apsw.Connection) -> None:
        """Hold the states of a connection that only reads."""
        self._db = db
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Hold the state of now until the end of this turn, unless one is held already."""
        if self._loop is not None:
            if self._loop.is_running():
                return
            self._end()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_soon(self._end)  # first: whatever is called before that was asked for before the state is taken
        self._loop = loop
        with suppress(apsw.Error):  # then reads may be of different states
            self._db.execute("BEGIN")

    def _end(self) -> None:
        self._loop = None
        with suppress(apsw.Error):
            if self._db.in_transaction:
                self._db.execute("COMMIT")
