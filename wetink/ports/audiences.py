"""Seams of audiences: who is in each, how the outside hears of it, and for whom among all people a rule holds.

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
    """What a look at an audience found: how many are in it, who came and went. `first`: nobody had looked before."""

    size: int
    entered: int
    left: int
    first: bool = False


class Point(msgspec.Struct, frozen=True):
    """An audience's day (`at`: its first Unix ms, UTC): its last size, and how many came and went.

    The latter are None for a day before anybody looked: its size was worked out afterwards.
    """

    at: int
    size: int
    entered: int | None
    left: int | None


class Delivery(msgspec.Struct, frozen=True):
    """A change of membership that is told outside: how often that was tried, and what happened last.

    `at` is when it is due (waiting), was delivered, or was given up (dead), in Unix ms.
    """

    change: MembershipChange
    state: State
    tries: int
    at: int
    why: str = ""


Tell: TypeAlias = Callable[[MembershipChange, bool], bool]
"""Whether a change is told outside; the second says whether it comes of the first look at an audience."""


class Memberships(Protocol):
    """Remembers who is in which audience, how large each was, and what is still to be told of that outside."""

    async def take(self, audience: str, members: AsyncIterable[Sequence[Identifier]], now: int, tell: Tell) -> Moved:
        """Take these as an audience's members from now on (Unix ms); note what is to be told. All or nothing.

        `members` are roots of profiles, some at a time. `tell` must not wait for anything.
        """
        ...

    async def points(self, audience: str, since: int) -> Sequence[Point]:
        """Return an audience's days from that of `since` (Unix ms) on, in order; days nobody looked are left out."""
        ...

    async def trace_back(self, audience: str, sizes: Mapping[int, int]) -> None:
        """Keep what sizes were on days (any Unix ms of theirs) nobody looked, in place of what was kept of them before.

        Days somebody looked on stay as they are.
        """
        ...

    async def since(self, audience: str, member: Identifier) -> int | None:
        """Return since when somebody is known to be in an audience (Unix ms), None when they are not."""
        ...

    async def due(self, audience: str, now: int, limit: int) -> Sequence[Delivery]:
        """Return what is to be told now. Of one member only the first: nobody leaves before they came."""
        ...

    async def settle(self, outcomes: Sequence[tuple[str, Outcome]]) -> None:
        """Keep what became of changes, by their ids, each after one more try."""
        ...

    async def deliveries(self, audience: str, state: State, limit: int = 50) -> Sequence[Delivery]:
        """Return what is in a state, the newest change first."""
        ...

    async def tallies(self, audience: str) -> Mapping[State, int]:
        """Return how many changes are in each state. Delivered ones are remembered for a week."""
        ...

    async def again(self, audience: str, now: int, only: str = "") -> int:
        """Let dead changes (all of an audience, or one by its id) be told from now on; return how many."""
        ...

    async def clean(self, now: int) -> None:
        """Forget what was delivered a week ago, and audiences that nobody has looked at for a month."""
        ...


class Count(msgspec.Struct, frozen=True):
    """For how many of so many profiles a rule holds."""

    matches: int
    of: int


class Narrowed(msgspec.Struct, frozen=True):
    """What can be said of a rule without asking anybody: it holds for `matches` of `of` profiles.

    `unsure` are the roots of others, counted in `of`, that must be asked; so must `changed`, which are not counted at
    all yet: some of them may be no profile any more. `sure` are the roots of those that match, if they were wanted.
    """

    matches: int
    of: int
    unsure: tuple[Identifier, ...] = ()
    changed: tuple[Identifier, ...] = ()
    sure: tuple[Identifier, ...] = ()


class ProfileEvents(msgspec.Struct, frozen=True):
    """A profile with all its events, and the identifiers that those are filed under."""

    root: Identifier
    identifiers: Sequence[Identifier]
    events: Sequence[Event]


class Changes(msgspec.Struct, frozen=True):
    """Identifiers whose profiles may have changed.

    New messages carry `carried`. `moved` belong to events that were corrected or removed: every identifier that shared
    a profile with one of them may have another owner, too.
    """

    carried: frozenset[Identifier]
    moved: frozenset[Identifier]


class CrowdLog(Protocol):
    """One state of the log, read for everybody at once: what is appended later is not in it. For one thread.

    Every method may raise StoreUnavailable.
    """

    @property
    def cursor(self) -> str:
        """Where the log ends. Only the engine that wrote a cursor can read it."""
        ...

    @property
    def size(self) -> int:
        """About how many messages the log has."""
        ...

    def changes(self, after: str, limit: int) -> Changes | None:
        """Return whose profiles may have changed after a cursor.

        None when that is more than `limit` messages ago, or the engine no longer knows.
        """
        ...

    def owners(self, identifiers: Iterable[Identifier]) -> set[Identifier]:
        """Return the roots of all profiles to which these identifiers belong at any time."""
        ...

    def profiles(self, roots: Iterable[Identifier] | None = None) -> Iterator[ProfileEvents]:
        """Yield every profile that has events, in no order. With `roots` those alone, without what is no root."""
        ...


OpenCrowdLog: TypeAlias = Callable[[], AbstractContextManager[CrowdLog]]
"""Opens the log as it is now. It can be pickled: another process of this machine may call it."""


class Columns(Protocol):
    """What all people did, laid out for questions about all of them.

    Never says of anybody what `core.rule.evaluate` would not: what it cannot say is left to who asks. Profiles are
    those with an event up to the moment. Sees every event whose `append` has returned, in any process.
    """

    async def narrow(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int = 0) -> Narrowed:
        """Return for whom a rule holds, as far as that can be said. `audiences` are the rules that it may name.

        At most `members` of those that match are named, the same ones while nothing changes; `matches` counts those.
        The first time it takes as long as it takes to lay out all there is. Raises StoreUnavailable.
        """
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...


class Crowd(Protocol):
    """Asks a rule of every profile there is at a moment. Says of each just what `core.rule.evaluate` says of it.

    Profiles are those with an event up to the moment. Sees every event whose `append` has returned, in any process.
    `audiences` are the rules that the rule may name.
    """

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        """Return for how many it holds. Raises StoreUnavailable."""
        ...

    def members(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> AsyncIterator[Sequence[Identifier]]:
        """Yield the roots of those for whom it holds, some at a time, each once. Raises StoreUnavailable."""
        ...

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        """Return the roots of a few for whom it holds: the same ones while nothing changes. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...
