"""Content: its versions as rows, and each file's body once, in their own file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from wetink.core.errors import Conflict, NotFound
from wetink.ports.content import Version, digest
from wetink.store.codec import version_of
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch, first, in_thread, snapshot
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "content_queries.sql")
LAST = 2**63 - 1


class SQLiteContent(SideFile):
    """`ports.content.ContentVersions` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "content.db", "content.sql")

    @in_thread
    def revision(self) -> int:
        with self._used("reading the content's revision"):
            return self._revision()

    def _revision(self) -> int:
        return int(first(self._db, SQL.revision)[0])

    @in_thread
    def read(self, number: int = 0) -> tuple[Version, dict[str, bytes]]:
        with self._used("reading the content"), snapshot(self._db):
            row = first(self._db, SQL.version, (number or self._revision(),))
            if row is None:
                raise NotFound(f"there is no version {number}", hint="wetink versions lists them")
            version = version_of(row)
            return version, {path: first(self._db, SQL.body, (name,))[0] for path, name in version.files.items()}

    @in_thread
    def versions(self, limit: int, before: int | None = None) -> Sequence[Version]:
        with self._used("listing versions"):
            return [version_of(row) for row in fetch(self._db, SQL.versions, (before or LAST, limit))]

    @in_thread
    def publish(self, files: Mapping[str, bytes], expected: int, *, by: str, message: str, at: int) -> Version:
        version = Version(expected + 1, at, by, message, {path: digest(body) for path, body in sorted(files.items())})
        with self._used("publishing content"), transaction(self._db):
            if self._revision() != expected:
                raise Conflict(f"version {self._revision()} is current", hint="read it and try again")
            for path, name in version.files.items():
                self._db.execute(SQL.keep_body, (name, files[path]))
            row = (version.number, at, by, message, msgspec.json.encode(version.files).decode())
            self._db.execute(SQL.publish, row)
        return version
