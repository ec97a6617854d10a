"""Pictures: the last pictures shown, within a limit. A crash of the server may lose the last second."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypeAlias

from wetink.core.errors import StoreUnavailable
from wetink.ports import Picture
from wetink.ports.ledger import Place
from wetink.store.pictures import MOST_BYTES, MOST_WAITING, digest_of, digests_of
from wetink.store.postgresql.batch import BatchWriter, Queue
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.queries import queries

logger = logging.getLogger(__name__)
SQL = queries(__package__, "picture_queries.sql")
STATEMENT_BYTES = 4 << 20
"""Bytes of pictures in one statement, unless one is larger."""

_Shown: TypeAlias = tuple[Place, tuple[int, Picture]]


class PostgresPictures:
    """`ports.ledger.LastPictures` over two tables."""

    def __init__(self, database: Database, most_bytes: int = MOST_BYTES) -> None:
        """Read and write `database`. All pictures together may take `most_bytes`."""
        self._database, self._most = database, most_bytes
        self._unmeasured = most_bytes  # bytes that were written since their sum was last looked at
        self._tidying: asyncio.Task[None] | None = None
        self.writer = BatchWriter(
            "last pictures", database, {"pictures": Queue(self._keep, MOST_WAITING, _newer)}, tried=self._tried
        )

    def put(self, place: Place, at: int, picture: Picture) -> None:
        self.writer.put("pictures", (place, (at, picture)), place)

    async def get(self, place: Place) -> tuple[int, Picture] | None:
        waiting: _Shown | None = self.writer.find("pictures", place)
        if waiting is not None:
            return waiting[1]
        try:
            async with self._database.reading("reading the last pictures", OPEN_SECONDS) as connection:
                row = await connection.fetchrow(SQL.last, *digests_of(place))
        except StoreUnavailable as error:
            logger.warning("%s", error)
            return None
        return None if row is None else (row[0], Picture(row[2], row[1]))

    async def _keep(self, connection: Connection, shown: Sequence[_Shown]) -> None:
        pictures = {digest_of(picture): picture for _, (_, picture) in shown}
        rows = sorted((*digests_of(place), at, digest_of(picture)) for place, (at, picture) in shown)
        await connection.execute(SQL.share)
        for (digest,) in await connection.fetch(SQL.known, [*pictures]):  # a picture is sent once, not each time
            del pictures[digest]
        some, size = list[tuple[bytes, str, bytes]](), 0
        for digest, picture in sorted(pictures.items()):
            some.append((digest, picture.content_type, picture.body))
            size += len(picture.body)
            if size > STATEMENT_BYTES:
                await connection.execute(SQL.keep, *zip(*some, strict=True))
                some, size = [], 0
            self._unmeasured += len(picture.body)
        if some:
            await connection.execute(SQL.keep, *zip(*some, strict=True))
        await connection.execute(SQL.show, *zip(*rows, strict=True))

    def _tried(self, written: bool) -> None:
        if written and self._unmeasured > self._most / 16 and (self._tidying is None or self._tidying.done()):
            self._unmeasured = 0
            self._tidying = asyncio.create_task(self._tidy())

    async def _tidy(self) -> None:
        """Delete the pictures that were shown longest ago, as long as all together take too much."""

        async def work(connection: Connection) -> bool:
            if await connection.fetchval(SQL.used) <= self._most:
                return False
            await connection.execute(SQL.exclude)
            await connection.execute(SQL.oldest)
            await connection.execute(SQL.unused)
            return True

        try:
            while await self._database.transact("tidying the last pictures", work, durable=False):
                pass
        except StoreUnavailable as error:
            logger.warning("%s", error)

    async def close(self) -> None:
        """Write the waiting pictures. A second call does nothing."""
        await self.writer.close()
        if self._tidying is not None:
            await self._tidying


def _newer(old: _Shown, new: _Shown) -> _Shown:
    return new if new[1][0] >= old[1][0] else old
