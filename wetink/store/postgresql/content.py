"""Content: its versions as rows, and each file's body once."""

from collections.abc import Mapping, Sequence

import msgspec

from wetink.core.errors import Conflict, NotFound
from wetink.ports.content import Version, digest
from wetink.store.codec import version_of
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "content_queries.sql")
LAST = 2**63 - 1
AT_ONCE = 50
"""Files that one statement reads."""


class PostgresContent:
    """`ports.content.ContentVersions` over two tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    async def revision(self) -> int:
        async with self._database.reading("reading the content's revision") as connection:
            return int(await connection.fetchval(SQL.revision))

    async def read(self, number: int = 0) -> tuple[Version, dict[str, bytes]]:
        async with self._database.reading("reading the content") as connection:
            row = await connection.fetchrow(SQL.version, number)
            if row is None:
                raise NotFound(f"there is no version {number}", hint="wetink versions lists them")
            version = version_of(row)
            digests, bodies = sorted(set(version.files.values())), dict[str, bytes]()
            for start in range(0, len(digests), AT_ONCE):
                bodies |= dict(await connection.fetch(SQL.bodies, digests[start : start + AT_ONCE]))
        return version, {path: bodies[name] for path, name in version.files.items()}

    async def versions(self, limit: int, before: int | None = None) -> Sequence[Version]:
        async with self._database.reading("listing versions") as connection:
            return [version_of(row) for row in await connection.fetch(SQL.versions, before or LAST, limit)]

    async def publish(self, files: Mapping[str, bytes], expected: int, *, by: str, message: str, at: int) -> Version:
        by, message = storable(by), storable(message)
        version = Version(expected + 1, at, by, message, {path: digest(body) for path, body in sorted(files.items())})
        row = (version.number, at, by, message, msgspec.json.encode(version.files).decode())

        async def work(connection: Connection) -> None:
            if await connection.fetchval(SQL.publish, *row) is None:
                current = await connection.fetchval(SQL.revision)
                raise Conflict(f"version {current} is current", hint="read it and try again")
            stored = await connection.fetch(SQL.stored, list(version.files.values()))
            missing = {name: files[path] for path, name in version.files.items()}
            for (name,) in stored:
                del missing[name]
            for name, body in missing.items():
                await connection.execute(SQL.keep_body, name, body)

        await self._database.transact("publishing content", work)
        return version

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""
