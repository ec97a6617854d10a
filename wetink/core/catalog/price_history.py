"""Price history: what the catalog said of a product over time, and what became of it since somebody saw it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from wetink.core.profile.person import Seen


class FeedData(msgspec.Struct, frozen=True):
    """What a feed holds right now. `fetched_at` is Unix ms, 0 for never; `state` says in words how fresh it is."""

    items: tuple[dict[str, Any], ...] = ()
    fetched_at: int = 0
    state: str = "this feed does not exist"


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


def price_then(seen: Seen, changes: Sequence[Change]) -> float | None:
    """Return what it cost when it was seen: as the event said, else as the catalog's history does."""
    if seen.product.price is not None:
        return seen.product.price
    prices = [change.price for change in changes if change.at <= seen.at]
    return prices[-1] if prices else None


def returned_at(seen: Seen, changes: Sequence[Change]) -> int | None:
    """Return when a product could be bought again after it was wanted in vain (Unix ms), None if it never was.

    Wanted in vain: sold out when it was seen, or at any time since.
    """
    out, returned = not seen.product.buyable, None
    before = [change for change in changes if change.at <= seen.at][-1:]
    for change in (*before, *(change for change in changes if change.at > seen.at)):
        if not change.buyable:
            out, returned = True, None
        elif out and returned is None and change.at > seen.at:
            returned = change.at
    return returned
