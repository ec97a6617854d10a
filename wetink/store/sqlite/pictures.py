"""Pictures: the last pictures shown, in their own file, within a limit. A power cut may lose the last second."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import apsw

from wetink.ports import Picture
from wetink.ports.ledger import Place
from wetink.store.pictures import MOST_BYTES, MOST_WAITING, digest_of, digests_of
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import THREAD_BUSY_MS, BatchWriter, Queue, passing
from wetink.store.sqlite.connection import LOOP_BUSY_MS, connect, first, translated

logger = logging.getLogger(__name__)
SQL = queries(__package__, "pictures_queries.sql")


class SQLitePictures:
    """`ports.ledger.LastPictures` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Open the file in a folder, or create it. An unreadable file is replaced, since it is only a cache."""
        self._most = most_bytes
        self._path = folder / "pictures.db"
        with translated("opening the last pictures"):
            try:
                self._open()
            except apsw.BusyError:
                raise  # the file is fine: others are writing
            except apsw.Error:
                logger.exception("%s starts empty", self._path)
                for each in folder.glob("pictures.db*"):
                    each.unlink(missing_ok=True)
                self._open()
        self._reading_mutex = threading.Lock()
        self.writer = BatchWriter("last pictures", self._db, {"pictures": Queue(self._keep, MOST_WAITING)})

    def _open(self) -> None:
        self._db = connect(self._path, durable=False)
        self._db.execute(script(__package__, "pictures.sql"))
        self._db.set_busy_timeout(THREAD_BUSY_MS)
        self._reading = connect(self._path, durable=False, busy_ms=LOOP_BUSY_MS)

    def put(self, place: Place, at: int, picture: Picture) -> None:
        self.writer.put("pictures", (place, (at, picture)), place)

    async def get(self, place: Place) -> tuple[int, Picture] | None:
        waiting: tuple[Place, tuple[int, Picture]] | None = self.writer.find("pictures", place)
        if waiting is not None:
            return waiting[1]
        return await asyncio.to_thread(self._last, place)

    def _last(self, place: Place) -> tuple[int, Picture] | None:
        try:
            with self._reading_mutex:  # a writer may wait for other processes; a reader must not
                row = first(self._reading, SQL.last, digests_of(place))
        except apsw.Error as error:
            logger.warning("the last pictures cannot be read", exc_info=not passing(error))
            return None
        return None if row is None else (row[0], Picture(row[2], row[1]))

    def flush(self) -> None:
        """Write the waiting pictures and delete the oldest beyond the limit. Never raises."""
        self.writer.flush()

    def _keep(self, shown: Sequence[tuple[Place, tuple[int, Picture]]]) -> None:
        for place, (at, picture) in shown:
            digest = digest_of(picture)
            self._db.execute(SQL.keep, (digest, picture.content_type, picture.body))
            self._db.execute(SQL.show, (*digests_of(place), at, digest))
        pages, size = first(self._db, SQL.used)
        if pages * size > self._most:
            self._db.execute(SQL.oldest, (first(self._db, SQL.count)[0] // 4 + 1,))
            self._db.execute(SQL.unused)

    async def close(self) -> None:
        """Write the waiting pictures and close the file. A second call does nothing."""
        await asyncio.to_thread(self.writer.close)
        self._db.close()
        self._reading.close()
