"""Secrets: rows in their own small file, so that it can be backed up and stored separately."""

import threading
from collections.abc import Mapping
from pathlib import Path

from wetink.core.errors import Conflict
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import THREAD_BUSY_MS
from wetink.store.sqlite.connection import connect, fetch, first, in_thread, translated

SQL = queries(__package__, "secret_queries.sql")


class SQLiteSecrets:
    """`ports.keys.Secrets` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        """Open the file in a folder, or create it."""
        self._db = connect(folder / "secrets.db", busy_ms=THREAD_BUSY_MS)
        self._mutex = threading.Lock()
        with translated("opening the secrets"):
            self._db.execute(script(__package__, "secrets.sql"))

    @in_thread
    def all(self) -> Mapping[str, str]:
        with self._mutex, translated("reading the secrets"):
            return dict(fetch(self._db, SQL.all))

    @in_thread
    def keep(self, name: str, value: str) -> None:
        with self._mutex, translated("keeping a secret"):
            self._db.execute(SQL.keep, (name, value))

    @in_thread
    def replace(self, name: str, known: str, value: str) -> None:
        with self._mutex, translated("replacing a secret"):
            if first(self._db, SQL.replace, (value, name, known)) is None:
                raise Conflict(f"the secret {name} was replaced by somebody else", hint="try again")

    async def close(self) -> None:
        with self._mutex:
            self._db.close()
