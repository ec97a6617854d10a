"""Kept: what was made once and may be wanted again, by a hash of all that went into it, within a bound of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_WAIT = 5.0
"""Seconds to wait for somebody else who is making the same thing."""


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


class Kept(Generic[T]):
    """Values by key, up to `most` bytes of them, as `size` counts; the one used longest ago goes first.

    May be used by many threads. Values are shared: nobody may change one.
    """

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        """Begin with nothing."""
        self._most, self._size = most, size
        self._values: OrderedDict[bytes, T] = OrderedDict()
        self._bytes = 0
        self._making: dict[bytes, Future[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: bytes) -> T | None:
        """Return what is kept under a key, None when there is nothing."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def has(self, key: bytes) -> bool:
        """Return whether anything is kept under a key."""
        with self._lock:
            return key in self._values

    def put(self, key: bytes, value: T) -> None:
        """Keep a value, unless it alone is over the bound."""
        size = self._size(value)
        if size > self._most:
            return
        with self._lock:
            old = self._values.pop(key, None)
            self._bytes += size - (self._size(old) if old is not None else 0)
            self._values[key] = value
            while self._bytes > self._most:
                self._bytes -= self._size(self._values.popitem(last=False)[1])

    def made(self, key: bytes, make: Callable[[], T]) -> T:
        """Return what is kept, else make and keep it. Whoever asks meanwhile waits for the one who makes it.

        Raises whatever `make` raises, for everybody who waited, and TimeoutError when that takes too long.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            others = self._making.get(key)
            mine: Future[T] = Future()
            if others is None:
                self._making[key] = mine
        if others is not None:
            return others.result(MOST_WAIT)
        try:
            value = make()
            self.put(key, value)
            mine.set_result(value)
            return value
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[key]
