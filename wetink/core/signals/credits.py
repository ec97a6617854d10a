"""Credits: the orders and the revenue that conversions bring, added up by day, block, variant, campaign and currency.

A report of any breakdown, and the figures above the list of conversions, follow from these sums. Sums of parts of a
span add up to the sums of the span.
"""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from wetink.core.signals.attribution import Attribution, split
from wetink.core.signals.conversion import Conversion
from wetink.core.signals.date_range import day_start
from wetink.core.signals.goal import Signals
from wetink.core.units.currency import rounded

Place: TypeAlias = tuple[int, str, str, str, str, tuple[str, ...]]
"""The day of a conversion (its first Unix ms in the shop's zone), the credited block, variant and campaign, the
currency, and the parts of the crowd that the open or click counts for."""


class CreditSum(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The orders and the revenue of one place. `orders` has fractions if several opens and clicks share the credit.

    `page_revenue` is the part of the revenue that only browser keys reported, which anybody can use.
    """

    day: int
    block: str
    variant: str
    campaign: str
    currency: str
    parts: tuple[str, ...]
    orders: float
    revenue: float
    page_revenue: float
    squares: float = 0.0
    """The sum of the squares of the conversions' revenue, for an interval of the revenue."""


class Credits(msgspec.Struct, frozen=True, array_like=True):
    """Conversions of a span: their number, how many have credit, how many have notes, and the sums of those that count.

    `first` and `last` are the times of the first and the last one, in Unix ms; 0 without any.
    """

    conversions: int = 0
    credited: int = 0
    unclear: int = 0
    first: int = 0
    last: int = 0
    sums: tuple[CreditSum, ...] = ()


class Sale(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A conversion that counts: its time, its value in the currency that it is reported in, and its person.

    `members` are all identifiers of the person, as `kind:value`.
    """

    at: int
    currency: str
    revenue: float
    members: tuple[str, ...]


def sales_of(conversions: Iterable[Conversion], signals: Signals) -> list[Sale]:
    """Return the conversions that count."""
    found = []
    for each in conversions:
        if each.counts:
            currency, rate = signals.rate(each.currency)
            found.append(Sale(each.at, currency, rounded(each.value * rate, currency), tuple(map(str, each.members))))
    return found


def credits_of(attributions: Iterable[Attribution], signals: Signals) -> Credits:
    """Return the sums of conversions, each on its day, in the currency that it is reported in."""
    times: list[int] = []
    credited = unclear = 0
    sums: dict[Place, list[float]] = {}
    for attribution in attributions:
        conversion = attribution.conversion
        times.append(conversion.at)
        credited += bool(attribution.credits)
        unclear += bool(conversion.notes)
        if not conversion.counts:
            continue
        currency, rate = signals.rate(conversion.currency)
        amounts = [credit.amount for credit in attribution.credits]
        if rate != 1.0:
            amounts = split(rounded(sum(amounts) * rate, currency), amounts, currency)
        day = day_start(conversion.at, signals.zone)
        for credit, amount in zip(attribution.credits, amounts, strict=True):
            touch = credit.touch
            paged = amount if conversion.page else 0.0
            _add(
                sums,
                (day, touch.block, touch.variant, touch.campaign, currency, touch.parts),
                credit.part,
                amount,
                paged,
                amount * amount,
            )
    return Credits(len(times), credited, unclear, min(times, default=0), max(times, default=0), _listed(sums))


def joined(parts: Iterable[Credits]) -> Credits:
    """Return the credits of several spans as those of one."""
    some = [part for part in parts if part.conversions]
    sums: dict[Place, list[float]] = {}
    for part in some:
        for each in part.sums:
            place = each.day, each.block, each.variant, each.campaign, each.currency, each.parts
            _add(sums, place, each.orders, each.revenue, each.page_revenue, each.squares)
    return Credits(
        sum(part.conversions for part in some),
        sum(part.credited for part in some),
        sum(part.unclear for part in some),
        min((part.first for part in some), default=0),
        max((part.last for part in some), default=0),
        _listed(sums),
    )


def _add(sums: dict[Place, list[float]], place: Place, *amounts: float) -> None:
    known = sums.get(place)
    if known is None:
        sums[place] = [*amounts]
        return
    for index, amount in enumerate(amounts):
        known[index] += amount


def _listed(sums: dict[Place, list[float]]) -> tuple[CreditSum, ...]:
    return tuple(CreditSum(*place, *amounts) for place, amounts in sums.items())
