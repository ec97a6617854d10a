"""Cache: photos in a folder and, the busiest, in memory. Both bounded; what was not asked for longest goes first."""

import contextlib
import hashlib
import os
import threading
import time
from collections import OrderedDict
from pathlib import Path

DISK_BYTES = 256 * 1024 * 1024
MEMORY_BYTES = 64 * 1024 * 1024
SWEEP_EVERY = 200
"""Writes between two looks at how much lies in the folder."""


class Cache:
    """Keeps bytes by address. Used from any thread; a folder may be shared by processes."""

    def __init__(self, folder: Path, *, disk_bytes: int = DISK_BYTES, memory_bytes: int = MEMORY_BYTES) -> None:
        """Keep at most so many bytes in the folder and in memory."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._disk_bytes, self._memory_bytes = folder, disk_bytes, memory_bytes
        self._memory: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._held = 0
        self._mutex = threading.Lock()
        self.sweep()
        self._written = 0

    def recall(self, url: str) -> tuple[bytes, float] | None:
        """Return what memory has of an address, and when it was fetched (Unix seconds)."""
        with self._mutex:
            found = self._memory.get(url)
            if found is not None:
                self._memory.move_to_end(url)
            return found

    def get(self, url: str) -> tuple[bytes, float] | None:
        """Return what is kept of an address, and when it was fetched (Unix seconds). Reads the disk."""
        path = self._path(url)
        try:
            body, fetched = path.read_bytes(), path.stat().st_mtime
            os.utime(path, (time.time(), fetched))  # noqa: TID251 (the file system's clock, not the program's)
        except OSError:
            return None
        self._remember(url, body, fetched)
        return body, fetched

    def put(self, url: str, body: bytes) -> None:
        """Keep what was fetched from an address. A full disk is no reason not to show it."""
        path = self._path(url)
        draft = path.with_suffix(f".{os.getpid()}.{id(body)}")
        try:
            draft.write_bytes(body)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
        self._remember(url, body, time.time())  # noqa: TID251 (compared with the file system's clock)
        self._written += 1
        if self._written % SWEEP_EVERY == 0:
            self.sweep()

    def sweep(self) -> None:
        """Remove what was not asked for longest, until the rest fits."""
        with self._mutex:
            busy = {str(self._path(url)) for url in self._memory}
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((str(path) in busy, status.st_atime, status.st_size, str(path)))
        size = sum(each[2] for each in found)
        for _, _, length, name in sorted(found):
            if size <= self._disk_bytes:
                return
            with contextlib.suppress(OSError):
                Path(name).unlink()
            size -= length

    def _remember(self, url: str, body: bytes, fetched: float) -> None:
        with self._mutex:
            before = self._memory.pop(url, None)
            self._held += len(body) - (len(before[0]) if before is not None else 0)
            self._memory[url] = (body, fetched)
            while self._held > self._memory_bytes and self._memory:
                _, (gone, _) = self._memory.popitem(last=False)
                self._held -= len(gone)

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
