"""Secrets: rows in their own small file, so that it can be backed up and stored separately."""

from collections.abc import Mapping
from pathlib import Path

from wetink.core.errors import Conflict
from wetink.store.queries import queries
from wetink.store.sqlite.connection import fetch, first, in_thread
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "secret_queries.sql")


class SQLiteSecrets(SideFile):
    """`ports.keys.Secrets` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "secrets.db", "secrets.sql")

    @in_thread
    def all(self) -> Mapping[str, str]:
        with self._used("reading the secrets"):
            return dict(fetch(self._db, SQL.all))

    @in_thread
    def keep(self, name: str, value: str) -> None:
        with self._used("keeping a secret"):
            self._db.execute(SQL.keep, (name, value))

    @in_thread
    def replace(self, name: str, known: str, value: str) -> None:
        with self._used("replacing a secret"):
            if first(self._db, SQL.replace, (value, name, known)) is None:
                raise Conflict(f"the secret {name} was replaced by somebody else", hint="try again")
