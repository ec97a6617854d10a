"""Report: what blocks did and what came of it, added up by block, variant, campaign and day."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from wetink.core.credit import Attribution
from wetink.core.goal import Signals

DAY_MS = 86_400_000
DIMENSIONS = ("block", "variant", "campaign", "day")
"""By what a report can be broken down. A day is of UTC, given by its first millisecond."""


class DayCount(msgspec.Struct, frozen=True):
    """What was served, opened and clicked on one day (its first Unix ms) of one block, variant and campaign.

    A unique open is a recipient's first of this block and campaign ever, so these add up over days and variants.
    Machines are prefetches and scanners: what nobody looked at.
    """

    day: int
    block: str
    variant: str
    campaign: str
    pictures: int = 0
    opens: int = 0
    unique_opens: int = 0
    machine_opens: int = 0
    unique_machine_opens: int = 0
    clicks: int = 0
    unique_clicks: int = 0
    machine_clicks: int = 0


COUNTS = DayCount.__struct_fields__[4:]


class Line(msgspec.Struct, frozen=True):
    """One line of a report: what it is about, what was counted, and what came of it. `revenue` is by currency.

    `orders` are conversions of the goal; parts of them where a model splits the credit.
    """

    key: dict[str, str | int]
    pictures: int = 0
    opens: int = 0
    unique_opens: int = 0
    machine_opens: int = 0
    unique_machine_opens: int = 0
    clicks: int = 0
    unique_clicks: int = 0
    machine_clicks: int = 0
    orders: float = 0.0
    revenue: dict[str, float] = {}

    @property
    def click_rate(self) -> float | None:
        """Recipients who clicked for each who opened; None without opens."""
        return self.unique_clicks / self.unique_opens if self.unique_opens else None

    @property
    def per_thousand(self) -> dict[str, float]:
        """Revenue for each thousand unique opens, by currency."""
        if not self.unique_opens:
            return {}
        return {code: round(1000 * amount / self.unique_opens, 2) for code, amount in self.revenue.items()}


def report(
    counts: Iterable[DayCount],
    attributions: Iterable[Attribution],
    by: Sequence[str],
    signals: Signals,
    *,
    keys: Iterable[Mapping[str, str | int]] = (),
) -> list[Line]:
    """Return one line for each combination of `by` (of DIMENSIONS), in their order; `keys` stand there in any case.

    Orders stand on the day of the order, under the touch that is credited with them.
    """
    added: dict[tuple[str | int, ...], list[int]] = {tuple(key[each] for each in by): [0] * len(COUNTS) for key in keys}
    for count in counts:
        sums = added.setdefault(tuple(getattr(count, each) for each in by), [0] * len(COUNTS))
        for index, name in enumerate(COUNTS):
            sums[index] += getattr(count, name)
    orders: dict[tuple[str | int, ...], float] = {}
    revenue: dict[tuple[str | int, ...], dict[str, float]] = {}
    for attribution in attributions:
        conversion = attribution.conversion
        if not conversion.counts:
            continue
        currency, rate = signals.rate(conversion.currency)
        for credit in attribution.credits:
            touch = credit.touch
            place = {"block": touch.block, "variant": touch.variant, "campaign": touch.campaign}
            key = tuple(place.get(each, conversion.at - conversion.at % DAY_MS) for each in by)
            orders[key] = orders.get(key, 0.0) + credit.part
            mine = revenue.setdefault(key, {})
            mine[currency] = mine.get(currency, 0.0) + conversion.value * rate * credit.part
    nothing = [0] * len(COUNTS)
    return [
        Line(
            dict(zip(by, key, strict=True)),
            orders=round(orders.get(key, 0.0), 6),
            revenue={code: round(amount, 2) for code, amount in sorted(revenue.get(key, {}).items())},
            **dict(zip(COUNTS, added.get(key, nothing), strict=True)),
        )
        for key in sorted({*added, *orders}, key=lambda key: tuple(map(str, key)))
    ]


def total(lines: Iterable[Line]) -> Line:
    """Add lines up."""
    sums, orders, revenue = [0] * len(COUNTS), 0.0, dict[str, float]()
    for line in lines:
        for index, name in enumerate(COUNTS):
            sums[index] += getattr(line, name)
        orders += line.orders
        for code, amount in line.revenue.items():
            revenue[code] = round(revenue.get(code, 0.0) + amount, 2)
    return Line({}, orders=round(orders, 6), revenue=revenue, **dict(zip(COUNTS, sums, strict=True)))
