"""The seam of the ledger: what was decided, served, opened and clicked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from wetink.core.blocks.block import Decision
from wetink.core.client_classification import Kind
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DayCount

Onlooker = Literal["person", "machine", "nobody"]
"""By whom a picture was fetched, as far as it counts."""


class Served(msgspec.Struct, frozen=True, gc=False):
    """What a picture that was sent shows: of which block and variant, in which campaign."""

    block: str
    variant: str
    campaign: str


class Ledger(Protocol):
    """Remembers what was decided, opened and clicked. Shared by every process."""

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        """Return what slot `slot` is to show, and whether that is to be counted: it is the first fetch `by` such.

        The kept decision of (block, recipient, campaign) goes on while it `core.block.stands`; else this one takes its
        place. Marks the slot as served. Of all slots of a decision one fetch counts as a machine's and one as a
        person's, whatever process asks; one by nobody, which only looks ahead, never does.
        """
        ...

    async def current(self, block: str, recipient: str, campaign: str) -> Decision | None:
        """Return the newest decision of (block, recipient, campaign), however old."""
        ...

    async def promised(self, block: str, recipient: str) -> Mapping[str, Any]:
        """Return what a block has promised a recipient, by name."""
        ...

    async def promise(self, block: str, recipient: str, promise: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep promises, but change none that was given; return all that hold now."""
        ...

    async def record(self, touch: Touch) -> None:
        """Keep an open or a click. May be written a moment later; never raises."""
        ...

    async def touches(self, recipients: Sequence[str], since: int, until: int) -> Sequence[Touch]:
        """Return the opens and clicks of these recipients in [since, until), oldest first."""
        ...

    async def touches_within(self, spans: Mapping[str, tuple[int, int]]) -> Sequence[Touch]:
        """Return the opens and clicks of many recipients, each in a span [since, until) of its own, in no order."""
        ...

    async def contacts(self, block: str, recipient: str) -> tuple[int, int]:
        """Return how often a recipient has opened and clicked a block, of what counts."""
        ...

    async def reclassify(self, counts: Callable[[str, Kind], bool]) -> int:
        """Run the rules of now over the facts of all opens and clicks; return how many came out differently.

        `counts` says whether a block counts a class of fetch.
        """
        ...

    def served(self, served: Served, at: int) -> None:
        """Count a picture that was sent at `at` (Unix ms). May be written a moment later; never waits, never raises."""
        ...

    async def days(self, since: int, until: int) -> Sequence[DayCount]:
        """Return what was served, opened and clicked on the days (UTC) that begin in [since, until)."""
        ...

    async def close(self) -> None:
        """Write what waits and let go of everything. Calling it twice is fine."""
        ...
