"""Pictures: what was shown last, in a file of its own, within a bound. A power cut may take the last second of it."""

import asyncio
import hashlib
import logging
import threading
from pathlib import Path

import apsw
import msgspec

from wetink.ports import Picture
from wetink.ports.pictures import Place
from wetink.store.sqlite.connection import connect, first, translated
from wetink.store.sqlite.queries import read, script

logger = logging.getLogger(__name__)
SQL = read("pictures_queries.sql")
FLUSH_SECONDS = 0.5
MOST_BYTES = 256 << 20
MOST_WAITING = 500
"""Places that wait to be written; of more in half a second only these outlive the process."""

_pack = msgspec.msgpack.Encoder().encode


class SQLitePictures:
    """`ports.pictures.LastPictures` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Open (or make) the file in a folder. A file that cannot be read is begun anew: it is but a cache."""
        self._most = most_bytes
        self._path = folder / "pictures.db"
        with translated("opening the last pictures"):
            try:
                self._open()
            except apsw.BusyError:
                raise  # there is nothing wrong with it: others write
            except apsw.Error:
                logger.exception("%s is begun anew", self._path)
                for each in folder.glob("pictures.db*"):
                    each.unlink(missing_ok=True)
                self._open()
        self._waiting: dict[Place, tuple[int, Picture]] = {}
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wetink-pictures", daemon=True)
        self._thread.start()

    def _open(self) -> None:
        self._db = connect(self._path, durable=False)
        self._db.execute(script("pictures.sql"))

    def put(self, place: Place, at: int, picture: Picture) -> None:
        """See `ports.pictures.LastPictures.put`."""
        if len(self._waiting) < MOST_WAITING or place in self._waiting:
            self._waiting[place] = at, picture

    async def get(self, place: Place) -> tuple[int, Picture] | None:
        """See `ports.pictures.LastPictures.get`."""
        waiting = self._waiting.get(place)
        if waiting is not None:
            return waiting
        return await asyncio.to_thread(self._last, place)

    def _last(self, place: Place) -> tuple[int, Picture] | None:
        try:
            with self._mutex:
                row = first(self._db, SQL.last, _digests(place))
        except apsw.Error:
            logger.exception("the last pictures cannot be read")
            return None
        return None if row is None else (row[0], Picture(row[2], row[1]))

    def flush(self) -> None:
        """Write what waits, and make room. Never raises."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            with self._mutex, self._db:
                for place, (at, picture) in waiting.items():
                    digest = hashlib.blake2b(picture.body, digest_size=16).digest()
                    self._db.execute(SQL.keep, (digest, picture.content_type, picture.body))
                    self._db.execute(SQL.show, (*_digests(place), at, digest))
                pages, size = first(self._db, SQL.used)
                if pages * size > self._most:
                    self._db.execute(SQL.oldest, (first(self._db, SQL.count)[0] // 4 + 1,))
                    self._db.execute(SQL.unused)
        except apsw.Error:
            logger.exception("%d pictures will not outlive this process", len(waiting))

    async def close(self) -> None:
        """Write what waits and let go. Calling it twice is fine."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        self.flush()
        self._db.close()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self.flush()


def _digests(place: Place) -> tuple[bytes, bytes]:
    """Return the digests of whose picture it is and of where it stood: 128 bits tell people apart."""
    return tuple(hashlib.blake2b(_pack(each), digest_size=16).digest() for each in (place[2], place))  # type: ignore[return-value]
