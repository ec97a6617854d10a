"""Memory: the numbers of all processes of one server, in memory that they share.

Each process owns a row of floating-point numbers and adds to it without a lock. Whoever answers a scrape adds up the
rows. A process that takes the place of a dead one takes over its row, so that a counter never goes back.
"""

import mmap
from collections.abc import Sequence
from typing import Protocol

ROW_BYTES = 1 << 16
"""Bytes of a row. `metrics` checks that its numbers fit."""


class Numbers(Protocol):
    """The row of a process: numbers by index."""

    def __getitem__(self, index: int) -> float: ...

    def __setitem__(self, index: int, value: float) -> None: ...


class Memory:
    """Rows of numbers, shared with all processes that are forked later."""

    def __init__(self, rows: int) -> None:
        """Make `rows` rows of zeros."""
        self.rows = rows
        self._numbers = memoryview(mmap.mmap(-1, rows * ROW_BYTES)).cast("d")

    def row(self, number: int) -> Numbers:
        """Return a row. A process may change only its own."""
        size = ROW_BYTES // 8
        row: Numbers = self._numbers[number * size : (number + 1) * size]
        return row

    def all(self) -> Sequence[Numbers]:
        """Return all rows."""
        return [self.row(number) for number in range(self.rows)]
