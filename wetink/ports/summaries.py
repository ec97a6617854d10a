"""The seam of summaries: what a person's events come to, worked out ahead of their next open."""

from collections.abc import Callable, Sequence
from typing import Protocol

from wetink.core.entry import Entry
from wetink.core.identifier import Identifier


class Summaries(Protocol):
    """Keeps a few bytes for a profile, as long as nothing changes its events. Losing them costs nothing but time."""

    async def summary(self, who: Identifier, rules: int) -> bytes | None:
        """Return what `summarize` kept, by these rules, of whoever `who` means; None when anything has come in since.

        So what it gives is made of the very events that `entries` would return, of all time. Raises StoreUnavailable.
        """
        ...

    def recall(self, who: Identifier) -> Sequence[Entry]:
        """Return the entries a summary of `who` is made of, for the few rules that ask for more than it says.

        Blocks for as long as that takes. What came in a moment ago may be among them. Raises StoreUnavailable.
        """
        ...

    async def summarize(self, make: Callable[[Sequence[Entry]], bytes], rules: int, now: int, limit: int) -> bool:
        """Go on in the log by up to `limit` messages and keep what `make` makes of the entries of those they are of.

        Of those who have many, and have been quiet for a while before `now` (Unix ms): what somebody does right now
        would be out of date with their next click. `rules` (64 bits) tells `make` from what made others before: with
        new ones all begins anew. Return whether there is more. Raises StoreUnavailable.
        """
        ...
