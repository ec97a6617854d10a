"""Seams of audiences: who is in each, and how the outside is told of it. Times are Unix milliseconds."""

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import Answer, MembershipChange, Outcome, Post, State


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

        `members` are roots of profiles, some at a time. `tell` is called in a thread.
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

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...


class Posts(Protocol):
    """Sends messages to public hosts, and says how they answered."""

    async def send(self, post: Post) -> Answer:
        """Return how the receiver answered; never raises, follows no redirect, waits ten seconds at most."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
