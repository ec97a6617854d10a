"""Side file: a small SQLite file that all processes share, and that one thread of a process uses at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wetink.store.queries import script
from wetink.store.sqlite.batch import THREAD_BUSY_MS
from wetink.store.sqlite.connection import connect, translated


class SideFile:
    """The file of one part of storage."""

    def __init__(self, path: Path, schema: str) -> None:
        """Open the file, or create it. `schema` is the name of the script with its tables."""
        self._db = connect(path, busy_ms=THREAD_BUSY_MS)
        self._mutex = threading.Lock()
        with translated(f"opening {path.name}"):
            self._db.execute(script(__package__, schema))

    @contextmanager
    def _used(self, doing: str) -> Iterator[None]:
        """Use the file alone inside. SQLite's errors become StoreUnavailable, with `doing` in their text."""
        with self._mutex, translated(doing):
            yield

    async def close(self) -> None:
        with self._mutex:
            self._db.close()
