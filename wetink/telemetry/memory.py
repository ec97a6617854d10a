"""Memory: the numbers of all processes of one server, in memory that they share.

Each process owns a row of floating-point numbers and adds to it without a lock. Whoever answers a scrape adds up the
rows. A process that takes the place of a dead one takes over its row, so that a counter never goes back.
"""

import mmap
import os
from collections.abc import Sequence
from multiprocessing.reduction import DupFd
from typing import Any, Protocol, Self

ROW_BYTES = 1 << 16
"""Bytes of a row. `metrics` checks that its numbers fit."""


class Numbers(Protocol):
    """The row of a process: numbers by index."""

    def __getitem__(self, index: int) -> float: ...

    def __setitem__(self, index: int, value: float) -> None: ...


class Memory:
    """Rows of numbers that processes share. Send it to a child process as an argument."""

    def __init__(self, rows: int, file: int | None = None) -> None:
        """Make `rows` rows of zeros, or map those in `file`, a descriptor from a parent."""
        self.rows = rows
        self._file = os.memfd_create("wetink-numbers") if file is None else file
        if file is None:
            os.ftruncate(self._file, rows * ROW_BYTES)
        self._numbers = memoryview(mmap.mmap(self._file, rows * ROW_BYTES)).cast("d")

    @classmethod
    def sent(cls, rows: int, file: Any) -> Self:
        """Return the memory that a parent process has sent."""
        return cls(rows, file.detach())

    def __reduce__(self) -> Any:
        return self.sent, (self.rows, DupFd(self._file))

    def row(self, number: int) -> Numbers:
        """Return a row. A process may change only its own."""
        size = ROW_BYTES // 8
        row: Numbers = self._numbers[number * size : (number + 1) * size]
        return row

    def all(self) -> Sequence[Numbers]:
        """Return all rows."""
        return [self.row(number) for number in range(self.rows)]
