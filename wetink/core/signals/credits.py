"""Credits: the orders and the revenue that conversions bring, added up by day, block, variant, campaign and currency.

A report of any breakdown, and the figures above the list of conversions, follow from these sums. Sums of parts of a
span add up to the sums of the span.
"""

from collections.abc import Collection, Iterable
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


COLUMNS = "block", "variant", "campaign", "part"
"""The columns that sums are apart by, beside day and currency."""
ROLLUPS: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset(("block", "variant")),
    frozenset(("campaign",)),
    frozenset(("part",)),
)
"""The columns of each of `Rollup.sums`: those with the fewest rows come first."""


class Rollup(msgspec.Struct, frozen=True, array_like=True):
    """Credits of a span, packed so that a report reads few of them. `sums` are those of ROLLUPS.

    `parts` are the sums by block and variant of each part, and `campaigns` all sums of each campaign.
    """

    conversions: int
    credited: int
    unclear: int
    first: int
    last: int
    sums: tuple[msgspec.Raw, ...]
    parts: dict[str, msgspec.Raw]
    campaigns: dict[str, msgspec.Raw]

    def read(
        self, columns: Collection[str] = COLUMNS, *, campaign: str | None = None, part: str | None = None
    ) -> Iterable[CreditSum]:
        """Yield sums that are apart by these columns at least; with `campaign` or `part`, at least those of it.

        Apart by part, a credit that counts for several has one for each. Sums of all columns have all parts at once.
        """
        needed = {*columns, *(["campaign"] if campaign is not None else []), *(["part"] if part is not None else [])}
        for packed, there in zip(self.sums, ROLLUPS, strict=True):
            if part is None and needed <= there and ("part" in needed) == ("part" in there):
                yield from _unpack(packed)
                return
        every, only = (self.campaigns, campaign) if "campaign" in needed or "part" not in needed else (self.parts, part)
        for packed in every.values() if only is None else [every[only]] if only in every else []:
            yield from _unpack(packed)


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[CreditSum, ...]).decode


def rolled_up(credits: Credits) -> Rollup:
    """Return credits as they are stored."""
    by_campaign: dict[str, list[CreditSum]] = {}
    for each in credits.sums:
        by_campaign.setdefault(each.campaign, []).append(each)
    by_part: dict[str, list[CreditSum]] = {}
    for each in _apart(credits.sums, ("block", "variant", "part")):
        by_part.setdefault(each.parts[0], []).append(each)
    return Rollup(
        *(credits.conversions, credits.credited, credits.unclear, credits.first, credits.last),
        sums=tuple(msgspec.Raw(_pack(_apart(credits.sums, columns))) for columns in ROLLUPS),
        parts={part: msgspec.Raw(_pack(sums)) for part, sums in by_part.items()},
        campaigns={name: msgspec.Raw(_pack(sums)) for name, sums in by_campaign.items()},
    )


def _apart(every: Iterable[CreditSum], columns: Collection[str]) -> tuple[CreditSum, ...]:
    """Return the sums by day, currency and these columns; the others are empty."""
    sums: dict[Place, list[float]] = {}
    for each in every:
        block, variant, campaign = (getattr(each, name) if name in columns else "" for name in COLUMNS[:3])
        for parts in [(part,) for part in each.parts] if "part" in columns else [()]:
            place = each.day, block, variant, campaign, each.currency, parts
            _add(sums, place, each.orders, each.revenue, each.page_revenue, each.squares)
    return _listed(sums)


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
