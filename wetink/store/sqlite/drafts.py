"""Drafts: the unpublished content files as rows, in their own file."""

from collections.abc import Sequence
from pathlib import Path

from wetink.ports.content import Draft, overtaken
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch, first, in_thread
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "draft_queries.sql")


class SQLiteDrafts(SideFile):
    """`ports.content.Drafts` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "drafts.db", "drafts.sql")

    @in_thread
    def get(self, path: str) -> Draft | None:
        with self._used("reading a draft"):
            return self._last(path)[0]

    @in_thread
    def all(self) -> Sequence[Draft]:
        with self._used("reading drafts"):
            return [Draft(*row) for row in fetch(self._db, SQL.all)]

    @in_thread
    def put(self, path: str, body: bytes | None, base: str, expected_revision: int, by: str, at: int) -> Draft:
        with self._used("saving a draft"), transaction(self._db):
            there, last = self._last(path)
            if (there.revision if there is not None else 0) != expected_revision:
                raise overtaken(there, path)
            draft = Draft(path, body, base, last + 1, by, at)
            self._db.execute(SQL.put, (path, body, base, draft.revision, by, at))
        return draft

    @in_thread
    def drop(self, path: str, expected_revision: int) -> None:
        with self._used("dropping a draft"), transaction(self._db):
            there, _ = self._last(path)
            if there is not None:
                if there.revision != expected_revision:
                    raise overtaken(there, path)
                self._db.execute(SQL.drop, (path,))

    def _last(self, path: str) -> tuple[Draft | None, int]:
        """Return the draft of a file, None if there is none, and the last revision there was."""
        row = first(self._db, SQL.get, (path,))
        if row is None:
            return None, 0
        draft = Draft(*row[:-1])
        return (draft if row[-1] else None), draft.revision
