"""Port of challenges: steps of a sign-in that are under way. Each one ends soon, and can be used once."""

from typing import Protocol

import msgspec

MOST_CHALLENGES = 10_000
"""Challenges that are stored at a time. Beyond that, those that end first are deleted."""


class Challenge(msgspec.Struct, frozen=True):
    """A step under way. `account` is empty while nobody is known; `data` is what its kind needs, as text."""

    id: str
    kind: str
    account: str = ""
    data: str = ""

    def __repr__(self) -> str:
        """Leave out the ID, which stands for a password, and the data."""
        return f"Challenge({self.kind!r}, {self.account!r})"


class Challenges(Protocol):
    """Stores challenges. Times are Unix ms. The stored form of an ID does not answer a challenge."""

    async def begin(self, kind: str, account: str, data: str, now: int, until: int) -> str:
        """Return the random ID of a new challenge that ends at `until`. Raises StoreUnavailable."""
        ...

    async def look(self, id_: str, kind: str, now: int) -> Challenge | None:
        """Return a challenge of a kind without using it up; None if it is unknown, used or over."""
        ...

    async def take(self, id_: str, kind: str, now: int) -> Challenge | None:
        """Use up a challenge of a kind and return it; None if it is unknown, used or over. One caller gets it."""
        ...

    async def forget(self, account: str) -> None:
        """Delete all challenges of an account."""
        ...
