"""Ports of audiences: members, webhook deliveries about changes, and queries over all profiles.

Times are Unix milliseconds.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

import msgspec

from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import MembershipChange, Outcome, State
from wetink.core.profile.person import Moment
from wetink.core.rules.tree import Rule


class Moved(msgspec.Struct, frozen=True):
    """The result of recomputing an audience: its size, joined and left. `first` marks the first computation."""

    size: int
    entered: int
    left: int
    first: bool = False


class Point(msgspec.Struct, frozen=True):
    """One day (UTC) of an audience. `at` is its first Unix ms. It has the last size, and the numbers joined and left.

    Both numbers are None for a day before the first computation, whose size was computed afterwards.
    """

    at: int
    size: int
    entered: int | None
    left: int | None


class Delivery(msgspec.Struct, frozen=True):
    """A webhook delivery of a membership change, with its number of tries and the last result.

    `at` is the time in Unix ms when it is due (waiting), was delivered, or was given up (dead).
    """

    change: MembershipChange
    state: State
    tries: int
    at: int
    why: str = ""


DeliveryFilter: TypeAlias = Callable[[MembershipChange, bool], bool]
"""Returns whether a change is sent to a webhook. The second argument marks an audience's first computation."""


class Memberships(Protocol):
    """Stores the members and past sizes of audiences, and the webhook deliveries about changes."""

    async def take(
        self, audience: str, members: AsyncIterable[Sequence[Identifier]], now: int, wanted: DeliveryFilter
    ) -> Moved:
        """Replace an audience's members as of `now` (Unix ms) and queue deliveries. All or nothing.

        `members` are roots of profiles, in batches. `wanted` must not block.
        """
        ...

    async def points(self, audience: str, since: int) -> Sequence[Point]:
        """Return an audience's days from the day of `since` (Unix ms) on, in order. Days without a size are omitted."""
        ...

    async def trace_back(self, audience: str, sizes: Mapping[int, int]) -> None:
        """Store the sizes of days (any Unix ms of theirs) without a computation, replacing earlier ones of this kind.

        Days with a computation stay as they are.
        """
        ...

    async def since(self, audience: str, member: Identifier) -> int | None:
        """Return the time (Unix ms) when a profile joined an audience; None if it is not a member."""
        ...

    async def of(self, members: Sequence[Identifier]) -> Mapping[Identifier, Sequence[str]]:
        """Return the names of the audiences that each profile is in, in order. Those in none are left out."""
        ...

    async def page(self, audience: str, limit: int, after: Identifier | None = None) -> Sequence[Identifier]:
        """Return up to `limit` members of an audience, in a fixed order, those after `after`."""
        ...

    async def due(self, audience: str, now: int, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` due deliveries. Each member has only the oldest one: joining goes before leaving."""
        ...

    async def settle(self, outcomes: Sequence[tuple[str, Outcome]]) -> None:
        """Store the results of tries, each with the id of its change."""
        ...

    async def deliveries(self, audience: str, state: State, limit: int = 50) -> Sequence[Delivery]:
        """Return the deliveries in a state, the newest change first."""
        ...

    async def tallies(self, audience: str) -> Mapping[State, int]:
        """Return the number of deliveries in each state. Delivered ones are kept for a week."""
        ...

    async def again(self, audience: str, now: int, only: str = "") -> int:
        """Make an audience's dead deliveries due again, or only the one with the id `only`. Returns their number."""
        ...

    async def clean(self, now: int) -> None:
        """Delete deliveries a week after success, and audiences a month after their last computation."""
        ...


class Count(msgspec.Struct, frozen=True):
    """The number of profiles that a rule matches, and of all profiles."""

    matches: int
    of: int


class Narrowed(msgspec.Struct, frozen=True):
    """The part of a rule's result that columns alone can give: `matches` of `of` profiles match.

    `unsure` are roots, counted in `of`, that need an evaluation. So do `changed`, which are not counted yet; some may
    no longer be profiles. `sure` are roots of matching profiles, if requested.
    """

    matches: int
    of: int
    unsure: tuple[Identifier, ...] = ()
    changed: tuple[Identifier, ...] = ()
    sure: tuple[Identifier, ...] = ()


class ProfileEvents(msgspec.Struct, frozen=True):
    """A profile's root, all its events, and the identifiers that these are filed under."""

    root: Identifier
    identifiers: Sequence[Identifier]
    events: Sequence[Event]


class Changes(msgspec.Struct, frozen=True):
    """Identifiers whose profiles may have changed.

    `carried` are those of new messages. `moved` are those of corrected or removed events: any identifier that shared a
    profile with one of them may have another owner as well.
    """

    carried: frozenset[Identifier]
    moved: frozenset[Identifier]


class CrowdLog(Protocol):
    """A snapshot of the log, for queries over all profiles. Later messages are not in it. For a single thread.

    Every method may raise StoreUnavailable.
    """

    @property
    def cursor(self) -> str:
        """The end of the log. Only the engine that wrote a cursor can read it."""
        ...

    @property
    def size(self) -> int:
        """The approximate number of messages in the log."""
        ...

    def changes(self, after: str, limit: int) -> Changes | None:
        """Return the identifiers whose profiles may have changed after a cursor.

        None if more than `limit` messages have come since, or if the engine no longer knows.
        """
        ...

    def owners(self, identifiers: Iterable[Identifier]) -> set[Identifier]:
        """Return the roots of all profiles that own these identifiers at any time."""
        ...

    def profiles(self, roots: Iterable[Identifier] | None = None) -> Iterator[ProfileEvents]:
        """Yield all profiles with events, in no order. With `roots`, yield only those of them that are roots."""
        ...


OpenCrowdLog: TypeAlias = Callable[[], AbstractContextManager[CrowdLog]]
"""Opens a snapshot of the log. It can be pickled for another process on this machine."""


class Columns(Protocol):
    """The events of all people as columns, for queries over everybody.

    A result never contradicts `core.rules.evaluate`. Profiles that columns cannot decide are left to the caller.
    Counted profiles have an event up to the moment. Every event whose `append` has returned is visible, in any process.
    """

    async def narrow(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int = 0) -> Narrowed:
        """Return a rule's result as far as columns can decide it. `audiences` are the rules that it may name.

        At most `members` matching profiles are named, the same ones while nothing changes; `matches` counts those as
        well. The first call takes as long as building all columns. Raises StoreUnavailable.
        """
        ...

    async def prepare(self) -> None:
        """Build the columns, or bring them up to date, so that `narrow` need not. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...


class Crowd(Protocol):
    """Evaluates a rule for all profiles, with the same results as `core.rules.evaluate`.

    Counted profiles have an event up to the moment. Every event whose `append` has returned is visible, in any process.
    `audiences` are the rules that the rule may name.
    """

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        """Return the number of matching profiles, and of all. Raises StoreUnavailable."""
        ...

    def members(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> AsyncIterator[Sequence[Identifier]]:
        """Yield the roots of matching profiles in batches, each root once. Raises StoreUnavailable."""
        ...

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        """Return the roots of a few matching profiles, the same ones while nothing changes. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...
