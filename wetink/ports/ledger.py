"""The seam of opens: what was decided, served, opened and clicked, who is in which arm, and what is kept to draw again.

All of it is shared by every process.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.experiment import Exposure
from wetink.core.client_classification import Kind
from wetink.core.profile.person import Moment
from wetink.core.signals.attribution import Touch
from wetink.core.signals.experiment_result import DailyExposures
from wetink.core.signals.report import DayCount
from wetink.ports.drawing import Picture, Served

Onlooker = Literal["person", "machine", "nobody"]
"""By whom a picture was fetched, as far as it counts."""


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


class Opened(msgspec.Struct, frozen=True, gc=False):
    """What an open got, and all it takes to draw it again: the moment, the block and the template's text of then.

    Of who asked from where it has what `Moment` has; the archive leaves out the coordinates.
    """

    decision: Decision
    moment: Moment
    block: Block
    template: str


class Archive(Protocol):
    """Remembers what opens got, for as long as the operator wants. Shared by every process."""

    def keep(self, opened: Opened) -> None:
        """Keep what an open got. May be written a moment later; never waits, never raises."""
        ...

    async def find(self, decision_id: str) -> Opened | None:
        """Return what is kept of a decision, None when it is not or not any more. Raises StoreUnavailable."""
        ...

    async def newest(
        self, until: int, limit: int, *, recipients: Sequence[str] | None = None, block: str = ""
    ) -> Sequence[Opened]:
        """Return the newest up to `until` (Unix ms) first: of these recipients, of a block, or of all."""
        ...

    async def tidy(self) -> bool:
        """Remove some of what is too old, or the oldest of what is too much; return whether there may be more.

        Raises StoreUnavailable.
        """
        ...


Place: TypeAlias = tuple[str, int, str, str]
"""Block, slot, recipient, and whatever else makes another picture."""


class LastPictures(Protocol):
    """Outlives the process and is shared by all. Bounded: what was shown longest ago goes first."""

    def put(self, place: Place, at: int, picture: Picture) -> None:
        """Keep what was shown at `at` (Unix ms), unless something newer is kept. Never waits, never raises."""
        ...

    async def get(self, place: Place) -> tuple[int, Picture] | None:
        """Return what was shown there last, and when; None when it is not known. Never raises."""
        ...


class Exposures(Protocol):
    """Remembers who is in which arm of which experiment. Shared by every process."""

    async def of(self, experiment: str, recipients: Sequence[str]) -> Mapping[str, Exposure]:
        """Return what is kept of these recipients, by recipient; without those who were never exposed."""
        ...

    async def keep(self, exposure: Exposure) -> Exposure:
        """Keep the first exposure of a recipient, in the file on return; return what is kept, which may be another's.

        One that names an heir or another person than the kept one takes its place.
        """
        ...

    async def days(self, experiment: str) -> Sequence[DailyExposures]:
        """Return how many people were first exposed on which day in which arm, without heirs."""
        ...

    async def shares(self, experiment: str, epoch: int) -> Mapping[str, float] | None:
        """Return a bandit's shares of an epoch, None when nobody has worked them out."""
        ...

    async def keep_shares(self, experiment: str, epoch: int, shares: Mapping[str, float]) -> Mapping[str, float]:
        """Keep a bandit's shares of an epoch, unless somebody has; return what is kept."""
        ...
