"""Trends: follows the log of all processes and passes the shop's product events on."""

import logging
from collections.abc import Callable, Sequence

from wetink.core.catalog.trends import HOUR, KEPT_HOURS, MEASURES, Trends
from wetink.core.events.event import Event
from wetink.ports import Cursor, Storage

logger = logging.getLogger(__name__)

SLICE = 200
"""Messages read in one step. Opens wait no longer than one step takes."""

Listener = Callable[[Sequence[Event]], None]


class Follower:
    """Keeps trends up to date. Writes of other processes are seen within a second."""

    def __init__(
        self, store: Storage, trends: Trends, clock: Callable[[], int], listeners: Sequence[Listener] = ()
    ) -> None:
        """Read from `store`. Each function of `listeners` also gets the events."""
        self._store, self._trends, self._clock, self._listeners = store, trends, clock, listeners
        self._place: Cursor | None = None
        self._forgot = 0

    async def step(self) -> bool:
        """Read the next slice. Returns whether there was one. Raises StoreUnavailable."""
        now = self._clock()
        log = self._store.log
        found = await log.events(self._place, MEASURES, SLICE) if self._place is not None else None
        if found is None:
            if self._place is not None:  # a replay may have changed counted events
                self._trends.clear()
            self._place = await log.cursor(now - KEPT_HOURS * HOUR)
            found = await log.events(self._place, MEASURES, SLICE)
        last, events = found or (self._place, ())
        for event in events:
            try:
                self._trends.observe(event)
            except Exception:  # one event; the others still count
                logger.exception("an event does not count for trends")
        for listen in self._listeners if events else ():
            try:
                listen(events)
            except Exception:
                logger.exception("a listener of trends failed")
        if now - self._forgot >= HOUR:
            self._trends.forget(now)
            self._forgot = now
        more, self._place = last != self._place, last
        return more
