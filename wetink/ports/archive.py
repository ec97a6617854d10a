"""The seam of past opens: what each got, kept to be drawn again."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from wetink.core.blocks.block import Block, Decision
from wetink.core.profile.person import Moment


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

    async def close(self) -> None:
        """Write what waits and let go of everything. Calling it twice is fine."""
        ...
