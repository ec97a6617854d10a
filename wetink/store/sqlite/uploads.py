"""Uploads: files as rows, one for each part. All parts of a new file are written before it replaces the old one."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw

from wetink.core.errors import NotFound
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch, first, in_thread
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "upload_queries.sql")
LEFT_MS = 3_600_000
"""Age of parts without a complete upload after which they are deleted, in milliseconds."""


class SQLiteUploads(SideFile):
    """`ports.content.UploadedFiles` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "uploads.db", "uploads.sql")

    @in_thread
    def revisions(self) -> Mapping[str, str]:
        with self._used("listing uploads"):
            return dict(fetch(self._db, SQL.revisions))

    @in_thread
    def put(self, name: str, parts: Iterator[bytes], at: int) -> str:
        revision = f"{at:013}-{secrets.token_hex(8)}"
        try:
            for number, part in enumerate(parts):
                with self._used("keeping an upload"):
                    self._db.execute(SQL.add_part, (revision, number, part))
            with self._used("keeping an upload"), transaction(self._db):
                self._release(name)
                self._db.execute(SQL.put, (name, revision))
                self._db.execute(SQL.left, (f"{at - LEFT_MS:013}",))
        except BaseException:
            with self._mutex, suppress(apsw.Error):
                self._db.execute(SQL.drop, (revision,))
            raise
        return revision

    async def read(self, name: str, revision: str) -> AsyncIterator[bytes]:
        number = 0
        while (part := await asyncio.to_thread(self._part, name, revision, number)) is not None:
            yield part
            number += 1

    def _part(self, name: str, revision: str, number: int) -> Any:
        with self._used("reading an upload"):
            row = first(self._db, SQL.part, (revision, number))
            if row is None and first(self._db, SQL.revision, (name,)) != (revision,):
                raise NotFound(f"another {name} was uploaded", hint="try again")
            return row[0] if row is not None else None

    @in_thread
    def remove(self, name: str, revision: str) -> None:
        with self._used("removing an upload"), transaction(self._db):
            if first(self._db, SQL.revision, (name,)) == (revision,):
                self._release(name)

    def _release(self, name: str) -> None:
        """Delete the file of a name, if any."""
        row = first(self._db, SQL.revision, (name,))
        if row is not None:
            self._db.execute(SQL.remove, (name, row[0]))
            self._db.execute(SQL.drop, row)
