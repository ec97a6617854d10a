"""Change: the difference between two periods, with an interval for what chance alone explains.

Counts are Poisson: given their sum, the later one is binomial, whose interval is Wilson's. Rates are compared with
Newcombe's interval (Newcombe 1998, "Interval estimation for the difference between independent proportions", method
10). Revenue is compound Poisson: its variance is the sum of the squares of the orders. All intervals are for one look
at 95%.
"""

import math
from typing import Literal

import msgspec

Z = 1.959964
"""The quantile of the normal distribution for 95%."""
FEW_ORDERS = 10
"""Orders of a period below which no interval of revenue is shown."""


class Change(msgspec.Struct, frozen=True):
    """A figure now and before, with their relative difference (for rates, the difference of the rates itself).

    `low` and `high` are its bounds, None if they cannot be told. `relative` is None if there was nothing before.
    """

    now: float
    before: float
    relative: float | None
    low: float | None = None
    high: float | None = None

    @property
    def direction(self) -> Literal["up", "down", "same"]:
        """Whether the figure has clearly risen or fallen."""
        if self.low is None or self.high is None:
            return "same"
        return "up" if self.low > 0 else "down" if self.high < 0 else "same"


def of_counts(now: float, before: float) -> Change:
    """Return the change of a count.

    >>> found = of_counts(120, 100)
    >>> round(found.relative, 2), round(found.low, 2), round(found.high, 2), found.direction
    (0.2, -0.08, 0.56, 'same')
    >>> of_counts(5, 0).relative, of_counts(0, 0).relative
    (None, None)
    """
    if before <= 0 or now < 0:
        return Change(now, before, None)
    low, high = wilson(now, now + before)
    return Change(now, before, now / before - 1, low / (1 - low) - 1, high / (1 - high) - 1 if high < 1 else math.inf)


def of_rates(now: tuple[float, float], before: tuple[float, float]) -> Change | None:
    """Return the change of a rate, each given by its part and its whole; None if a whole is empty.

    >>> found = of_rates((30, 100), (20, 100))
    >>> round(found.relative, 2), round(found.low, 2), round(found.high, 2)
    (0.1, -0.02, 0.22)
    """
    if now[1] <= 0 or before[1] <= 0:
        return None
    mine, theirs = min(now[0] / now[1], 1.0), min(before[0] / before[1], 1.0)
    (low, high), (their_low, their_high) = wilson(*now), wilson(*before)
    difference = mine - theirs
    down = math.hypot(mine - low, their_high - theirs)
    up = math.hypot(high - mine, theirs - their_low)
    return Change(mine, theirs, difference, difference - down, difference + up)


def of_revenue(now: tuple[float, float, float], before: tuple[float, float, float]) -> Change:
    """Return the change of revenue, each given by its sum, the sum of its orders' squares, and the number of orders.

    >>> found = of_revenue((1200.0, 14_400.0, 100), (1000.0, 10_000.0, 100))
    >>> round(found.relative, 2), round(found.low, 2), round(found.high, 2)
    (0.2, -0.09, 0.58)
    """
    if before[0] <= 0 or now[0] <= 0:
        return Change(now[0], before[0], now[0] / before[0] - 1 if before[0] > 0 else None)
    relative = now[0] / before[0] - 1
    if min(now[2], before[2]) < FEW_ORDERS:
        return Change(now[0], before[0], relative)
    spread = Z * math.sqrt(now[1] / now[0] ** 2 + before[1] / before[0] ** 2)
    ratio = now[0] / before[0]
    return Change(now[0], before[0], relative, ratio * math.exp(-spread) - 1, ratio * math.exp(spread) - 1)


def wilson(part: float, whole: float) -> tuple[float, float]:
    """Return Wilson's interval of a share.

    >>> [round(each, 3) for each in wilson(0, 10)], [round(each, 3) for each in wilson(5, 10)]
    ([0.0, 0.278], [0.237, 0.763])
    """
    share, square = min(part / whole, 1.0), Z * Z
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole)) / (1 + square / whole)
    return max(middle - half, 0.0), min(middle + half, 1.0)
