"""Sessions: the dashboard's sessions and failed logins, in their own file."""

import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

import apsw

from wetink.ports.keys import FORGOTTEN_MS, IDLE_MS, LONGEST_MS, MOST_ADDRESSES, NOTED_MS, Session, wait_left
from wetink.store.codec import hashed, session_of
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import passing, transaction
from wetink.store.sqlite.connection import fetch, first, in_thread
from wetink.store.sqlite.side_file import SideFile

logger = logging.getLogger(__name__)
SQL = queries(__package__, "session_queries.sql")


class SQLiteSessions(SideFile):
    """`ports.keys.Sessions` over one SQLite file, shared by all processes. Its methods run in threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "sessions.db", "sessions.sql")
        self._renew()

    def _renew(self) -> None:
        """Make the table anew if it is of an older format: everybody signs in again."""
        with self._used("opening sessions"), transaction(self._db):
            columns = {name for _, name, *_ in fetch(self._db, "PRAGMA table_info(session)")}
            if not {"account", "proved"} <= columns:
                self._db.execute(SQL.drop)
                self._db.execute(script(__package__, "sessions.sql"))

    @in_thread
    def begin(
        self,
        token: str,
        now: int,
        *,
        account: str = "",
        address: str = "",
        device: str = "",
    ) -> str:
        session = secrets.token_urlsafe(32)
        with self._used("beginning a session"), self._db:
            self._db.execute(SQL.old, (now - IDLE_MS, now - LONGEST_MS))
            row = (hashed(session), hashed(token), now, now, account, address, device, now)
            self._db.execute(SQL.begin, row)
        return session

    @in_thread
    def find(self, session: str, token: str, now: int) -> Session | None:
        with self._used("looking up a session"):
            row = first(self._db, SQL.session, (hashed(session),))
            if row is None or row[0] != hashed(token):
                return None
            found = session_of(row[1:])
            if not found.lasts(now):
                return None
            if now - found.used >= NOTED_MS:
                self._note(session, now)
            return found

    @in_thread
    def of(self, account: str, now: int) -> Sequence[Session]:
        with self._used("listing sessions"):
            found = [session_of(row) for row in fetch(self._db, SQL.of, (account,))]
        return [each for each in found if each.lasts(now)]

    @in_thread
    def prove(self, session: str, now: int) -> None:
        with self._used("noting a proof"):
            self._db.execute(SQL.prove, (now, hashed(session)))

    def _note(self, session: str, now: int) -> None:
        """Record a session's last use. If that fails, as on a full disk, the session is valid even so."""
        try:
            self._db.execute(SQL.use, (now, hashed(session)))
        except apsw.Error as error:
            if not passing(error):
                raise
            logger.warning("the use of a session is not noted: %s", error)

    @in_thread
    def end(self, session: str) -> None:
        with self._used("ending a session"):
            self._db.execute(SQL.end, (hashed(session),))

    @in_thread
    def end_of(self, account: str, *, only: str = "", but: str = "") -> None:
        with self._used("ending sessions"):
            self._db.execute(SQL.end_of, (account, only, only, but))

    @in_thread
    def tried(self, address: str) -> bool:
        with self._used("looking up tries to sign in"):
            return first(self._db, SQL.attempt, (address,)) is not None

    @in_thread
    def try_from(self, address: str, now: int) -> int:
        with self._used("counting tries to sign in"):
            self._db.execute("BEGIN IMMEDIATE")  # otherwise two processes would read the same count
            try:
                return self._counted(address, now)
            finally:
                self._db.execute("COMMIT")

    def _counted(self, address: str, now: int) -> int:
        self._db.execute(SQL.stale, (now - FORGOTTEN_MS,))
        failures, at = first(self._db, SQL.attempt, (address,)) or (0, now)
        if wait := wait_left(failures, at, now):
            return wait
        self._db.execute(SQL.failed, (address, failures + 1, now))
        more = first(self._db, SQL.count)[0] - MOST_ADDRESSES
        if more > 0:
            self._db.execute(SQL.oldest, (more,))
        return 0

    @in_thread
    def forgive(self, address: str) -> None:
        with self._used("forgetting tries to sign in"):
            self._db.execute(SQL.forgive, (address,))
