"""Outside: what the catalog said of a product over time, and what a feed holds."""

from typing import Any

import msgspec


class FeedData(msgspec.Struct, frozen=True):
    """What a feed holds right now. `fetched_at` is Unix ms, 0 for never; `state` says in words how fresh it is."""

    items: tuple[dict[str, Any], ...] = ()
    fetched_at: int = 0
    state: str = "there is no such feed"


class Change(msgspec.Struct, frozen=True, gc=False):
    """What the catalog said of a product from `at` (Unix ms) on, until the next change. None: it did not say."""

    at: int
    price: float | None = None
    availability: str = ""
    stock: int | None = None

    @property
    def buyable(self) -> bool:
        """Whether nothing said that it could not be bought then."""
        return self.availability != "out_of_stock" and self.stock != 0
