"""Ports of opens: decisions, deliveries, opens and clicks, arms of experiments, and the archive.

All processes share them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from wetink.core.blocks.block import Block, Decision, Settled
from wetink.core.blocks.block import Onlooker as Onlooker
from wetink.core.blocks.experiment import Exposure
from wetink.core.client_classification import Kind
from wetink.core.profile.person import Moment
from wetink.core.signals.attribution import Touch
from wetink.core.signals.experiment_result import DailyExposures
from wetink.core.signals.report import DayCount
from wetink.ports.drawing import Picture, Served

Revision: TypeAlias = str
"""The state of some data, such as a profile. Equal revisions mean equal data; empty means none. Only the engine that
made a revision can read it."""


class Group(msgspec.Struct, frozen=True):
    """Opens, clicks, deliveries and decisions that a stream delivers together, perhaps more than once.

    No other group has the same `id`. `at` is when it was published (Unix ms).
    """

    id: str
    at: int
    touches: Sequence[Touch] = ()
    served: Sequence[tuple[Served, int]] = ()
    """Pictures delivered, each with its time (Unix ms)."""
    decisions: Sequence[Settled] = ()


TouchPlace: TypeAlias = tuple[int, int]
"""A place in a list of opens or clicks: the time (Unix ms), and a number that the store gave."""


class TouchQuery(msgspec.Struct, frozen=True):
    """The opens or clicks of [since, until) in Unix ms. None and an empty class mean any."""

    since: int
    until: int
    kind: Literal["open", "click"] = "open"
    human: bool = True
    """Whether they count as people's, or the others."""
    blocks: Sequence[str] | None = None
    variant: str | None = None
    campaign: str | None = None
    fetch_class: str = ""
    part: str = ""
    """A device class, or `@` and an audience."""
    recipients: Sequence[str] | None = None


class Listed(NamedTuple):
    """An open or click with its place in the list."""

    touch: Touch
    place: TouchPlace


class Ledger(Protocol):
    """Stores decisions, opens and clicks. All processes share it."""

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        """Return the decision to serve in `slot`, and True if this fetch is the first of its kind and must be counted.

        The kept decision of (block, recipient, campaign) continues while `core.blocks.block.stands`; else this one
        replaces it. The slot is marked as served. Across all slots and processes, one fetch of a decision counts for
        machines and one for persons. A fetch by nobody never counts.
        """
        ...

    async def current(self, block: str, recipient: str, campaign: str, since: int = 0) -> Decision | None:
        """Return the newest decision of (block, recipient, campaign); None without one since a time (Unix ms)."""
        ...

    async def promised(self, block: str, recipient: str) -> Mapping[str, Any]:
        """Return a block's promises to a recipient, by name."""
        ...

    async def promise(self, block: str, recipient: str, promise: Mapping[str, Any]) -> Mapping[str, Any]:
        """Store promises without changing earlier ones. Returns all that hold."""
        ...

    async def record(self, touch: Touch) -> None:
        """Store an open or a click. May be written a moment later. Never raises."""
        ...

    async def touches(self, recipients: Sequence[str], since: int, until: int) -> Sequence[Touch]:
        """Return the opens and clicks of these recipients in [since, until), oldest first."""
        ...

    async def touches_within(self, spans: Mapping[str, tuple[int, int]]) -> Sequence[Touch]:
        """Return the opens and clicks of many recipients in no order, each within its own span [since, until)."""
        ...

    async def revisions(self, times: Sequence[int]) -> Sequence[Revision]:
        """Return for each time (Unix ms, a whole minute) the revision of all opens and clicks before it.

        While it is the same, `touches_within` returns the same for spans that end by then, except that an open which a
        click proved may have been seen since: its class and facts are new.
        """
        ...

    async def contacts(self, block: str, recipient: str) -> tuple[int, int]:
        """Return the numbers of counted opens and clicks of a block by a recipient."""
        ...

    async def reclassify(self, counts: Callable[[str, Kind], bool]) -> int:
        """Classify the facts of all opens and clicks with the current rules. Returns the number of changes.

        `counts` returns whether a block counts a class of fetch.
        """
        ...

    def served(self, served: Served, at: int) -> None:
        """Count a picture delivered at `at` (Unix ms). May be written a moment later. Never waits, never raises."""
        ...

    async def apply(self, groups: Sequence[Group]) -> None:
        """Store groups in one transaction, on disk (fsync) on return. A group that was stored before changes nothing.

        A newer stored decision stays. Raises StoreUnavailable: nothing was stored. Any other error means that the store
        rejects the values of a group; nothing was stored either.
        """
        ...

    async def forget_applied(self, before: int) -> None:
        """Forget the IDs of groups published before a time (Unix ms), which will not come again.

        Raises StoreUnavailable.
        """
        ...

    async def sums(
        self,
        periods: Sequence[tuple[int, int]],
        by: Collection[str],
        *,
        blocks: Sequence[str] | None = None,
        campaign: str | None = None,
    ) -> Sequence[DayCount]:
        """Return deliveries, opens and clicks of periods [since, until) in Unix ms, whole quarters of an hour.

        They are added up by period, whose `since` is the `day`, and by those of block, variant, campaign and part that
        are in `by`; the others are empty. By part, each open and click counts for its device class and for each
        audience (`@name`) of its person; deliveries are left out. With `blocks` or a `campaign`, only theirs.
        """
        ...

    async def listed(self, wanted: TouchQuery, limit: int, before: TouchPlace | None = None) -> Sequence[Listed]:
        """Return up to `limit` opens or clicks, the newest first, of those before a place in the list."""
        ...


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A past open with all data to draw it again: the moment, the block, and the template's text at that time.

    About the place and the client it has the fields of `Moment`; the archive drops the coordinates.
    """

    decision: Decision
    moment: Moment
    block: Block
    template: str


class Archive(Protocol):
    """Stores past opens for as long as the operator wants. All processes share it."""

    def keep(self, opened: Opened) -> None:
        """Store an open. May be written a moment later. Never waits, never raises."""
        ...

    async def find(self, decision_id: str) -> Opened | None:
        """Return the open of a decision; None if it is not, or no longer, in the archive. Raises StoreUnavailable."""
        ...

    async def newest(
        self, until: int, limit: int, *, recipients: Sequence[str] | None = None, block: str = ""
    ) -> Sequence[Opened]:
        """Return past opens up to `until` (Unix ms), the newest first: of these recipients, of a block, or all."""
        ...

    async def tidy(self) -> bool:
        """Remove some opens beyond the age limit, or the oldest beyond the size limit.

        Returns whether there may be more. Raises StoreUnavailable.
        """
        ...


Place: TypeAlias = tuple[str, int, str, str]
"""Block, slot, recipient, and the other inputs that change a picture."""


class LastPictures(Protocol):
    """Keeps the last pictures beyond a restart, for all processes. Limited: the one shown longest ago goes first."""

    def put(self, place: Place, at: int, picture: Picture) -> None:
        """Store a picture shown at `at` (Unix ms) unless a newer one is stored. Never waits, never raises."""
        ...

    async def get(self, place: Place) -> tuple[int, Picture] | None:
        """Return the last picture of a place and its time (Unix ms); None without one. Never raises."""
        ...


class Exposures(Protocol):
    """Stores the arms of recipients in experiments. All processes share it."""

    async def of(self, experiment: str, recipients: Sequence[str]) -> Mapping[str, Exposure]:
        """Return the stored exposures by recipient. Recipients without one are left out."""
        ...

    async def keep(self, exposure: Exposure) -> Exposure:
        """Store a recipient's first exposure, on disk on return. Returns the stored one, which may differ.

        An exposure with another heir or person than the stored one replaces it.
        """
        ...

    async def days(self, experiment: str) -> Sequence[DailyExposures]:
        """Return the number of people first exposed on each day in each arm, without heirs."""
        ...

    async def shares(self, experiment: str, epoch: int) -> Mapping[str, float] | None:
        """Return a bandit's shares of an epoch; None if they have not been computed."""
        ...

    async def keep_shares(self, experiment: str, epoch: int, shares: Mapping[str, float]) -> Mapping[str, float]:
        """Store a bandit's shares of an epoch unless they are stored. Returns the stored ones."""
        ...
