"""Summaries: persons folded ahead of their next open, at leisure, by one process."""

import logging
from collections.abc import Callable, Sequence
from hashlib import blake2b
from importlib.resources import files

import msgspec

from wetink.core.events.stored_event import Entry
from wetink.core.profile.person import Person
from wetink.core.profile.summary import person_of, summarize
from wetink.ports import Profiles

logger = logging.getLogger(__name__)

SLICE = 100
"""Messages whose senders are summed up in one go: some ten milliseconds."""
CODE = (
    *("events/event", "events/stored_event", "identity/identifier", "profile/cart", "profile/fold", "profile/history"),
    *("profile/person", "profile/summary", "profile/views"),
)
"""The modules of the core that define a fold: when one of them changes, all summaries are computed again."""


def _rules() -> int:
    """Return what tells the rules of now from all others: a fold by other rules must not be believed."""
    code = [files("wetink.core").joinpath(f"{name}.py").read_bytes() for name in CODE]
    return int.from_bytes(blake2b(repr(code).encode(), digest_size=8).digest(), "big", signed=True)


RULES = _rules()


def read(summary: bytes, recall: Callable[[], Sequence[Entry]]) -> Person | None:
    """Return the person of a summary, None when it cannot be read; `recall` gives their events to who asks for them."""
    try:
        return person_of(summary, recall)
    except msgspec.DecodeError:
        logger.warning("a summary cannot be read; the events say it all the same", exc_info=True)
        return None


class Summaries:
    """Follows the log and sums up those who have been quiet for a while."""

    def __init__(self, profiles: Profiles, clock_ms: Callable[[], int]) -> None:
        """Read from `store`, and keep there what was made."""
        self._profiles, self._clock = profiles, clock_ms

    async def step(self, limit: int = SLICE) -> bool:
        """Go on by some messages; return whether there may be more. Raises StoreUnavailable."""
        return await self._profiles.summarize(summarize, RULES, self._clock(), limit)
