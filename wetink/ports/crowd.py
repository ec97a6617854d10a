"""The seam of all people at once: for how many a rule holds, and for whom. Times are Unix milliseconds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from wetink.core.identifier import Identifier
from wetink.core.person import Moment
from wetink.core.rule.tree import Rule


class Count(msgspec.Struct, frozen=True):
    """For how many of so many profiles a rule holds."""

    matches: int
    of: int


class Crowd(Protocol):
    """Asks a rule of every profile there is at a moment. Says of each just what `core.rule.evaluate` says of it.

    Profiles are those with an event up to the moment. Sees every event whose `append` has returned, in any process.
    `audiences` are the rules that the rule may name.
    """

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        """Return for how many it holds. Raises StoreUnavailable."""
        ...

    def members(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Iterator[Identifier]:
        """Return the roots of those for whom it holds, each once, in no order. Blocks: call and read it in a thread.

        Raises StoreUnavailable.
        """
        ...

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        """Return the roots of a few for whom it holds: the same ones while nothing changes. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...
