"""Counting: records opens and clicks, and keeps decisions for the archive."""

from collections.abc import Hashable
from typing import Literal

from wetink.core.blocks.block import DECISION_MS, Block, Decision, counts
from wetink.core.profile.person import Moment
from wetink.core.signals.attribution import Touch
from wetink.ports import Storage
from wetink.ports.ledger import Opened

REMEMBERED = 50_000
"""Opens as data kept in memory, so that none is counted twice within that time."""


class Counts:
    """Counts opens and clicks in a store."""

    def __init__(self, store: Storage) -> None:
        """Write to `store`."""
        self._ledger, self._archive = store.ledger, store.archive
        self._read: dict[Hashable, int] = {}

    async def count(
        self,
        kind: Literal["open", "click"],
        block: Block,
        decision: Decision,
        moment: Moment,
        template: str = "",
        *,
        once: bool = False,
    ) -> None:
        """Count an open or a click, and keep an open with its template. `once`: unless the last minute has one."""
        fetch_class = moment.fetch_class or "unknown"
        if kind == "open":
            self._archive.keep(Opened(decision, moment, block, template))
        said = kind, block.name, decision.recipient, moment.campaign, moment.now, decision.variant, fetch_class
        human = counts(block.fetches, fetch_class)
        await self._ledger.record(Touch(*said, moment.facts, human=human, arms=decision.arms, once=once))

    def is_first(self, place: Hashable, now: int) -> bool:
        """Return whether this process has seen no such read within the minute before `now` (Unix ms)."""
        at = self._read.get(place)
        if at is not None and 0 <= now - at < DECISION_MS:
            return False
        if len(self._read) >= REMEMBERED:
            self._read = {key: at for key, at in self._read.items() if now - at < DECISION_MS}
            if len(self._read) >= REMEMBERED:
                self._read.clear()
        self._read[place] = now
        return True
