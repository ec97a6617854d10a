"""Late: what opens were told that the ledger's file does not say yet.

While another process holds the file, or the disk is full, opens are answered all the same: what they decide and promise
waits for the ledger's writer, and is found here until it is written.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from wetink.core.blocks.block import Decision
from wetink.store.sqlite.batch import Batch, BatchWriter

MOST_DECISIONS, MOST_ROWS = 10_000, 10_000
"""What waits at most; what comes beyond is not kept."""

Key: TypeAlias = tuple[str, str, str]
"""Recipient, block, campaign."""
Row: TypeAlias = tuple[str, tuple[Any, ...]]
"""A statement and its values."""


class Late:
    """Decisions and promises that wait to be written. Filled by the event loop, emptied as a thread writes them."""

    def __init__(self, writer: BatchWriter) -> None:
        """Let `writer` write them, as its kinds `decisions` and `rows`."""
        self._writer = writer
        self.decisions: dict[Key, tuple[Decision, int]] = {}
        self.promises: dict[tuple[str, str], dict[str, Any]] = {}
        self.locked = False
        """Whether a write could not be made, and none has been since: the event loop does not try again."""

    def decide(self, key: Key, decision: Decision, served: int) -> None:
        """Keep a decision and its slots here, in place of the one before."""
        kept = decision, served
        with self._writer.mutex:
            self.locked = True
            if self._writer.put("decisions", (key, kept), key):
                self.decisions[key] = kept

    def promise(self, recipient: str, block: str, promise: Mapping[str, Any], rows: Sequence[Row]) -> None:
        """Keep promises here that were not given before, with the rows that say so."""
        with self._writer.mutex:
            given = self.promises.setdefault((recipient, block), {})
            given.update({name: value for name, value in promise.items() if name not in given})
            for row in rows:
                self.row(row)

    def row(self, row: Row) -> None:
        """Let a statement wait; it is run before opens and clicks are counted."""
        with self._writer.mutex:
            self.locked = True
            self._writer.put("rows", row)

    def tried(self, taken: Batch, waiting: Batch, written: bool) -> None:
        """Forget what is written. Called under the writer's mutex."""
        if not written:
            return
        for key, kept in taken["decisions"].values():
            if self.decisions.get(key) is kept:
                del self.decisions[key]
        if not waiting["decisions"] and not waiting["rows"]:
            self.locked = False
            self.promises.clear()
