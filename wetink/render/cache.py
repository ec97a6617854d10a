"""Caches: in memory within a bound of bytes, and on disk for all processes and the next start."""

import contextlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


def key_of(*parts: str | bytes | float) -> bytes:
    """Return a key that is equal only for equal parts.

    >>> key_of("a", "b") == key_of("a", "b"), key_of("a", "b") == key_of("ab", ""), key_of(1) == key_of("1")
    (True, False, False)
    """
    hashed = blake2b(digest_size=16)
    for part in parts:
        body = part.encode() if isinstance(part, str) else part if isinstance(part, bytes) else repr(part).encode()
        hashed.update(f"{type(part).__name__}:{len(body)}:".encode())
        hashed.update(body)
    return hashed.digest()


def _one(_: object) -> int:
    return 1


class Kept(Generic[T]):
    """Values by key. The least recently used one goes first when their sizes exceed `most`.

    One thread may use it. Values are shared: do not change one.
    """

    def __init__(self, most: int, size: Callable[[T], int] = _one) -> None:
        """Start empty. `size` returns the bytes of a value; without it every value counts as one."""
        self._most, self._size = most, size
        self._values: OrderedDict[bytes, T] = OrderedDict()
        self._bytes = 0

    def get(self, key: bytes) -> T | None:
        """Return the value of a key, None if there is none. The value counts as used."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    def put(self, key: bytes, value: T) -> None:
        """Keep a value, unless it alone exceeds the bound."""
        size = self._size(value)
        if size > self._most:
            return
        self.drop(key)
        self._bytes += size
        self._values[key] = value
        while self._bytes > self._most:
            self._bytes -= self._size(self._values.popitem(last=False)[1])

    def drop(self, key: bytes) -> None:
        """Forget the value of a key."""
        old = self._values.pop(key, None)
        self._bytes -= self._size(old) if old is not None else 0

    def made(self, key: bytes, make: Callable[[], T]) -> T:
        """Return the value of a key, else make it and keep it. Raises any error of `make`."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value


class Shared:
    """Values by key, one file each in a folder. Never raises an error, because the values can be made again."""

    def __init__(self, folder: Path, most: int) -> None:
        """Keep up to `most` bytes in a folder, created when missing. The least recently used file goes first."""
        self._folder, self._most = folder, most

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, None if there is none. The value counts as used."""
        path = self._folder / key.hex()
        try:
            body = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return body

    def put(self, key: bytes, body: bytes) -> None:
        """Keep a value. Other processes see all of it or nothing."""
        path = self._folder / key.hex()
        draft = self._folder / f"{key.hex()}.{os.getpid()}.draft"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(body)
            draft.replace(path)
            self._make_room()
        except OSError as error:
            logger.warning("%s cannot be stored: %s", path, error)
            with contextlib.suppress(OSError):
                draft.unlink()

    def drop(self, key: bytes) -> None:
        """Forget the value of a key."""
        with contextlib.suppress(OSError):
            (self._folder / key.hex()).unlink()

    def _make_room(self) -> None:
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):  # another process may have made room
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        size = sum(each for _, each, _ in found)
        for _, each, path in sorted(found):
            if size <= self._most:
                return
            path.unlink(missing_ok=True)
            size -= each
