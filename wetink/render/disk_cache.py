"""Shared: what took long to make, kept in files for all processes and the next start, within a bound of bytes."""

import contextlib
import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)


class Shared:
    """Values by key in a folder of their own; the one used longest ago goes first. Never raises: it is but a cache."""

    def __init__(self, folder: Path, most: int) -> None:
        """Keep up to `most` bytes in a folder, which is made when it is missing."""
        self._folder, self._most = folder, most

    def get(self, key: bytes) -> bytes | None:
        """Return what is kept under a key, None when there is nothing. It counts as used."""
        path = self._folder / key.hex()
        try:
            body = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return body

    def put(self, key: bytes, body: bytes) -> None:
        """Keep a value; other processes see all of it or nothing."""
        path = self._folder / key.hex()
        draft = self._folder / f"{key.hex()}.{os.getpid()}.draft"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(body)
            draft.replace(path)
            self._make_room()
        except OSError as error:
            logger.warning("%s cannot be kept: %s", path, error)
            with contextlib.suppress(OSError):
                draft.unlink()

    def drop(self, key: bytes) -> None:
        """Forget what is kept under a key."""
        with contextlib.suppress(OSError):
            (self._folder / key.hex()).unlink()

    def _make_room(self) -> None:
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):  # another process may have made room as well
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        size = sum(each for _, each, _ in found)
        for _, each, path in sorted(found):
            if size <= self._most:
                return
            path.unlink(missing_ok=True)
            size -= each
