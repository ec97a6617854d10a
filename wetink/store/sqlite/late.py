"""Late: what could not be written to the ledger's file yet, kept here until its thread has written it.

While another process holds the file, or the disk is full, opens are answered all the same: what they decide, promise
and count waits here, and is found here. It is bounded; what is lost is counted and told.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import apsw

from wetink.core.block import Decision
from wetink.core.touch import Touch
from wetink.ports.ledger import Served

logger = logging.getLogger(__name__)

THREAD_BUSY_MS = 2_000
"""How long the thread that writes waits for another process's lock, before it tries again later."""
MOST_TOUCHES, MOST_DECISIONS, MOST_ROWS = 50_000, 10_000, 10_000
"""What waits at most; beyond, the oldest opens and clicks are lost, and decisions and rows are not kept."""

Key: TypeAlias = tuple[str, str, str]
"""Recipient, block, campaign."""
Row: TypeAlias = tuple[str, tuple[Any, ...]]
"""A statement and its values."""

T = TypeVar("T")


def passing(error: BaseException) -> bool:
    """Whether a write may succeed later as it is: others hold the file, or the disk is full or does not answer."""
    return isinstance(
        error,
        apsw.BusyError
        | apsw.LockedError
        | apsw.FullError
        | apsw.IOError
        | apsw.CantOpenError
        | apsw.ReadOnlyError
        | apsw.NoMemError
        | apsw.InterruptError,
    )


class Batch:
    """What is being written in one transaction."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.touches: list[Touch] = []
        self.served: dict[tuple[Served, int], int] = {}
        self.decisions: dict[Key, tuple[Decision, int]] = {}
        self.rows: list[Row] = []

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.touches or self.served or self.decisions or self.rows)


class Late:
    """What waits to be written. Filled by the event loop, taken by one thread at a time."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._mutex = threading.Lock()
        self._waiting, self._writing = Batch(), Batch()
        self.decisions: dict[Key, tuple[Decision, int]] = {}
        self.promises: dict[tuple[str, str], dict[str, Any]] = {}
        self.locked = False
        """Whether a write could not be made, and none has been since: the event loop does not try again."""
        self.lost = 0
        """Opens, clicks, decisions and rows that were never written."""

    def touch(self, touch: Touch) -> None:
        """Let an open or a click wait."""
        with self._mutex:
            self._waiting.touches.append(touch)
            if len(self._waiting.touches) > 2 * MOST_TOUCHES:
                self._bound()

    def serve(self, served: Served, day: int) -> None:
        """Count a picture that was sent on a day (its first Unix ms)."""
        with self._mutex:
            self._waiting.served[served, day] = self._waiting.served.get((served, day), 0) + 1

    def decide(self, key: Key, decision: Decision, served: int) -> None:
        """Keep a decision and its slots here, in place of the one before."""
        with self._mutex:
            self.locked = True
            if key not in self.decisions and len(self.decisions) >= MOST_DECISIONS:
                self.lost += 1
                return
            self.decisions[key] = self._waiting.decisions[key] = decision, served

    def promise(self, recipient: str, block: str, promise: Mapping[str, Any], rows: Sequence[Row]) -> None:
        """Keep promises here that were not given before, with the rows that say so."""
        with self._mutex:
            given = self.promises.setdefault((recipient, block), {})
            given.update({name: value for name, value in promise.items() if name not in given})
        for row in rows:
            self.row(row)

    def row(self, row: Row) -> None:
        """Let a statement wait; it is run before opens and clicks are counted."""
        with self._mutex:
            self.locked = True
            if len(self._waiting.rows) >= MOST_ROWS:
                self.lost += 1
            else:
                self._waiting.rows.append(row)

    def contacts(self, recipient: str, block: str) -> tuple[int, int]:
        """Return how many opens and clicks that count wait for a recipient and a block."""
        with self._mutex:
            found = [
                each.kind
                for each in (*self._writing.touches, *self._waiting.touches)
                if each.recipient == recipient and each.block == block and each.human
            ]
        return found.count("open"), found.count("click")

    def take(self) -> Batch:
        """Begin to write all that waits; `done` or `back` ends it."""
        with self._mutex:
            self._writing, self._waiting = self._waiting, Batch()
            return self._writing

    def done(self) -> None:
        """Note that what was taken is written."""
        with self._mutex:
            for key, written in self._writing.decisions.items():
                if self.decisions.get(key) is written:
                    del self.decisions[key]
            self._writing = Batch()
            if not self._waiting.decisions and not self._waiting.rows:
                self.locked = False
                self.promises.clear()

    def back(self) -> None:
        """Let what was taken wait again, before what has come since."""
        with self._mutex:
            taken, self._writing, now = self._writing, Batch(), self._waiting
            now.touches = taken.touches + now.touches
            for key, count in taken.served.items():
                now.served[key] = now.served.get(key, 0) + count
            now.decisions = {**taken.decisions, **now.decisions}
            now.rows = taken.rows + now.rows
            self._bound()

    def _bound(self) -> None:
        over = len(self._waiting.touches) - MOST_TOUCHES
        if over > 0:
            del self._waiting.touches[:over]
            self.lose(over, "opens and clicks", "they could not be written for too long")

    def lose(self, count: int, what: str, why: str) -> None:
        """Tell that so many of what waited will never be written."""
        self.lost += count
        logger.error("%d %s are lost: %s", count, what, why)


def apart(db: apsw.Connection, things: Sequence[T], write: Callable[[Sequence[T]], object]) -> list[Exception]:
    """Write many at once inside a transaction; when that cannot be, in halves, so that only what is odd is left out.

    Returns why each of those that were left out could not be written. Raises what may pass by itself (see `passing`):
    then none of them is to blame.
    """
    if not things:
        return []
    if not db.in_transaction:
        raise apsw.IOError("the transaction was given up")
    db.execute("SAVEPOINT some")
    try:
        write(things)
    except Exception as error:
        if db.in_transaction:
            db.execute("ROLLBACK TO some")
            db.execute("RELEASE some")
        if passing(error):
            raise
        if len(things) == 1:
            logger.exception("one of many could not be written")
            return [error]
    else:
        db.execute("RELEASE some")
        return []
    middle = len(things) // 2
    return apart(db, things[:middle], write) + apart(db, things[middle:], write)
