"""Wanted: what became of a product since somebody saw it: its price, and whether it can be bought."""

from collections.abc import Sequence

from wetink.core.catalog.price_history import Change
from wetink.core.profile.person import Seen


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
