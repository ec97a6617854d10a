"""Challenges: steps of a sign-in, in the file of sessions: neither is worth a backup."""

import secrets
from pathlib import Path

from wetink.ports.challenges import MOST_CHALLENGES, Challenge
from wetink.store.codec import hashed
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import first, in_thread
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "challenge_queries.sql")


class SQLiteChallenges(SideFile):
    """`ports.challenges.Challenges` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "sessions.db", "challenges.sql")

    @in_thread
    def begin(self, kind: str, account: str, data: str, now: int, until: int) -> str:
        id_ = secrets.token_urlsafe(32)
        with self._used("beginning a sign-in"), transaction(self._db):
            self._db.execute(SQL.over, (now,))
            self._db.execute(SQL.begin, (hashed(id_), kind, account, data, until))
            self._db.execute(SQL.oldest, (MOST_CHALLENGES,))
        return id_

    @in_thread
    def look(self, id_: str, kind: str, now: int) -> Challenge | None:
        with self._used("looking up a sign-in"):
            found = first(self._db, SQL.look, (hashed(id_), kind, now))
        return Challenge(id_, kind, *found) if found is not None else None

    @in_thread
    def take(self, id_: str, kind: str, now: int) -> Challenge | None:
        with self._used("going on with a sign-in"):
            found = first(self._db, SQL.take, (hashed(id_), kind, now))
        return Challenge(id_, kind, *found) if found is not None else None

    @in_thread
    def forget(self, account: str) -> None:
        with self._used("ending sign-ins"):
            self._db.execute(SQL.forget, (account,))
