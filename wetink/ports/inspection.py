"""Port of inspection: the facts about an engine that its operator looks at."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

Part: TypeAlias = Literal["identities", "catalog", "conversions"]
"""Stored data that is derived from the log."""


class Checked(msgspec.Struct, frozen=True):
    """The result of a check: the number of checked items, and how many of them were stored wrong."""

    count: int
    wrong: int


class Replica(msgspec.Struct, frozen=True):
    """A copy of the database, and how many seconds it is behind; None if unknown. With a `problem`, it is not read."""

    name: str
    behind: float | None
    problem: str = ""
    place: int = 0
    """Its place in the address of the store, from 0."""


class Inspection(Protocol):
    """Reports on the stored data. All processes share it."""

    async def sizes(self) -> Mapping[str, int]:
        """Return the bytes on disk of each part of the store, by name. Raises StoreUnavailable."""
        ...

    async def replicas(self) -> Sequence[Replica]:
        """Return the state of each replica, as this process sees it."""
        ...

    async def faults(self) -> Sequence[str]:
        """Return the damage of each part of the store as text; empty if all is whole. Raises StoreUnavailable."""
        ...

    async def sample(self, part: Part, limit: int | None, *, repair: bool = False) -> Checked:
        """Derive some data again by the rules of the core, and compare it with the stored data.

        Checks a random stretch of about `limit` identifiers or messages; None checks all. With `repair`, wrong data is
        replaced. Writers wait for milliseconds at a time. Raises StoreUnavailable.
        """
        ...
