"""Report: opens, clicks, orders and revenue by block, email, variant, campaign, audience, device, day and weekday."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from wetink.core.signals.attribution import Touch
from wetink.core.signals.credits import CreditSum
from wetink.core.signals.date_range import DAY_MS as DAY_MS
from wetink.core.signals.date_range import QUARTER_MS as QUARTER_MS
from wetink.core.signals.date_range import day_of
from wetink.core.signals.device_class import dimension_of
from wetink.core.units.csv import sheet
from wetink.core.units.currency import rounded

DIMENSIONS = ("block", "email", "variant", "campaign", "audience", "device", "day", "weekday")
"""The dimensions of a report. A day is an ISO date in the shop's zone, a weekday its English name."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class DayCount(msgspec.Struct, frozen=True, gc=False):
    """Counts of one day (its first Unix ms) for one block, variant and campaign.

    A unique open is a recipient's first of this block and campaign, ever, so unique opens add up over days and
    variants. Machines are prefetches and scanners: no person looked at their fetches.
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
    implied_opens: int = 0
    """Opens that a person's click proves, although no person's fetch shows them."""
    part: str = ""
    """In counts that are apart by parts of the crowd: a `DeviceClass`, or `@` and an audience. Pictures have none."""


COUNTS = DayCount.__struct_fields__[4:-1]


class Line(msgspec.Struct, frozen=True):
    """One line of a report: its key, its counts, and the orders and revenue. `revenue` is by currency.

    `orders` are conversions of the goal, or parts of them if several opens and clicks share the credit.
    """

    key: dict[str, str]
    pictures: int = 0
    opens: int = 0
    unique_opens: int = 0
    machine_opens: int = 0
    unique_machine_opens: int = 0
    clicks: int = 0
    unique_clicks: int = 0
    machine_clicks: int = 0
    implied_opens: int = 0
    orders: float = 0.0
    revenue: dict[str, float] = {}
    page_revenue: dict[str, float] = {}
    """The revenue that only browser keys reported, which anybody can use."""
    squares: dict[str, float] = {}
    """The sum of the squares of the orders' revenue, by currency."""

    @property
    def page_share(self) -> dict[str, float]:
        """The share of revenue that only pages reported, by currency, for currencies with revenue."""
        return {
            code: round(self.page_revenue.get(code, 0.0) / amount, 4) for code, amount in self.revenue.items() if amount
        }

    @property
    def click_rate(self) -> float | None:
        """Recipients who clicked per recipient who opened; None without either.

        Every person who clicked has opened, if only before these days or in another variant: the rate is never above 1.
        """
        return self.unique_clicks / self.openers if self.openers else None

    @property
    def openers(self) -> int:
        """Recipients who are known to have opened it: in these days, or before they clicked in these days."""
        return max(self.unique_opens, self.unique_clicks)

    @property
    def per_thousand(self) -> dict[str, float]:
        """Revenue per thousand unique opens, by currency."""
        if not self.unique_opens:
            return {}
        return {code: rounded(1000 * amount / self.unique_opens, code) for code, amount in self.revenue.items()}


class Filter(msgspec.Struct, frozen=True):
    """The part of the figures that a report covers. None means any; an empty variant is the fallback."""

    block: str | None = None
    variant: str | None = None
    campaign: str | None = None
    email: str | None = None
    audience: str | None = None
    device: str | None = None
    weekday: str | None = None

    @property
    def part(self) -> str | None:
        """The part of the crowd: `@` and an audience, or a device class."""
        return f"@{self.audience}" if self.audience is not None else self.device

    def admits(self, each: DayCount | CreditSum | Touch, emails: Mapping[str, str]) -> bool:
        """Return whether a count, credit or touch is in the report, on any day. `emails` are those of the blocks."""
        return (
            self.block in (None, each.block)
            and self.variant in (None, each.variant)
            and self.campaign in (None, each.campaign)
            and self.email in (None, emails.get(each.block, ""))
            and (self.part is None or self.part in ((each.part,) if isinstance(each, DayCount) else each.parts))
        )

    def includes(self, day: date) -> bool:
        """Return whether a day is in the report, by its weekday."""
        return self.weekday in (None, WEEKDAYS[day.weekday()])


ALL = Filter()
T = TypeVar("T", DayCount, CreditSum, Touch)


class Report:
    """A report broken down by some of DIMENSIONS. Credits are added part by part, and only their sums are kept.

    Orders are counted on their day, for the open or click that gets the credit.
    """

    def __init__(
        self,
        by: Sequence[str],
        *,
        only: Filter = ALL,
        emails: Mapping[str, str] | None = None,
        zone: str = "UTC",
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """Start without credits. `emails` are those of the blocks, and days are the zone's.

        `aliases` are the present names of renamed blocks by their earlier ones.
        """
        self._by, self._only, self._emails, self._zone = by, only, emails or {}, zone
        self._aliases = aliases or {}
        self._orders: dict[tuple[str, ...], float] = {}
        self._revenue: dict[tuple[str, ...], dict[str, float]] = {}
        self._page_revenue: dict[tuple[str, ...], dict[str, float]] = {}
        self._squares: dict[tuple[str, ...], dict[str, float]] = {}

    def add(self, sums: Iterable[CreditSum]) -> None:
        """Add the credits of places, each to its line."""
        for found in sums:
            each = present(found, self._aliases)
            if not self._admits(each):
                continue
            for part in self._parts(each):
                key = self._key(each, part)
                self._orders[key] = self._orders.get(key, 0.0) + each.orders
                mine = self._revenue.setdefault(key, {})
                mine[each.currency] = mine.get(each.currency, 0.0) + each.revenue
                if each.page_revenue:
                    paged = self._page_revenue.setdefault(key, {})
                    paged[each.currency] = paged.get(each.currency, 0.0) + each.page_revenue
                squares = self._squares.setdefault(key, {})
                squares[each.currency] = squares.get(each.currency, 0.0) + each.squares

    def _admits(self, each: DayCount | CreditSum) -> bool:
        if not self._only.admits(each, self._emails):
            return False
        return self._only.weekday is None or self._only.includes(day_of(each.day, self._zone))

    def _parts(self, each: CreditSum) -> Sequence[str]:
        """Return the parts of the crowd that a credit has a line for."""
        apart = next((name for name in ("audience", "device") if name in self._by), "")
        if not apart:
            return ("",)
        only = self._only.part
        return [part for part in each.parts if dimension_of(part) == apart and only in (None, part)]

    def _key(self, each: DayCount | CreditSum, part: str) -> tuple[str, ...]:
        return tuple([self._value(each, dimension, part) for dimension in self._by])

    def _value(self, each: DayCount | CreditSum, dimension: str, part: str) -> str:
        if dimension in ("audience", "device"):
            return part.removeprefix("@")
        if dimension == "email":
            return self._emails.get(each.block, "")
        if dimension in ("day", "weekday"):
            day = day_of(each.day, self._zone)
            return day.isoformat() if dimension == "day" else WEEKDAYS[day.weekday()]
        return str(getattr(each, dimension))

    def lines(self, counts: Iterable[DayCount], *, keys: Iterable[Mapping[str, str]] = ()) -> list[Line]:
        """Return one line for each combination of the dimensions, in order; `keys` have a line even without counts."""
        by, nothing = self._by, [0] * len(COUNTS)
        added: dict[tuple[str, ...], list[int]] = {tuple(key[each] for each in by): [*nothing] for key in keys}
        for found in counts:
            count = present(found, self._aliases)
            if not self._admits(count):
                continue
            sums = added.setdefault(self._key(count, count.part), [*nothing])
            for index, name in enumerate(COUNTS):
                sums[index] += getattr(count, name)
        return [
            Line(
                dict(zip(by, key, strict=True)),
                orders=round(self._orders.get(key, 0.0), 9),
                revenue=_rounded(self._revenue.get(key, {})),
                page_revenue=_rounded(self._page_revenue.get(key, {})),
                squares=self._squares.get(key, {}),
                **dict(zip(COUNTS, added.get(key, nothing), strict=True)),
            )
            for key in sorted({*added, *self._orders}, key=_order)
        ]


def present(each: T, aliases: Mapping[str, str]) -> T:
    """Return a count, credit or touch of a renamed block under the block's present name."""
    return replace(each, block=aliases[each.block]) if each.block in aliases else each


def _order(key: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sort key of a line: weekdays come in the order of a week."""
    return tuple(str(WEEKDAYS.index(each)) if each in WEEKDAYS else each for each in key)


def _rounded(revenue: Mapping[str, float]) -> dict[str, float]:
    return {code: rounded(amount, code) for code, amount in sorted(revenue.items())}


def total(lines: Iterable[Line]) -> Line:
    """Return the sum of lines."""
    sums, orders, revenue, of_pages = [0] * len(COUNTS), 0.0, dict[str, float](), dict[str, float]()
    squares: dict[str, float] = {}
    for line in lines:
        for index, name in enumerate(COUNTS):
            sums[index] += getattr(line, name)
        orders += line.orders
        for code, amount in line.revenue.items():
            revenue[code] = rounded(revenue.get(code, 0.0) + amount, code)
        for code, amount in line.page_revenue.items():
            of_pages[code] = rounded(of_pages.get(code, 0.0) + amount, code)
        for code, amount in line.squares.items():
            squares[code] = squares.get(code, 0.0) + amount
    whole = Line({}, orders=round(orders, 6), revenue=revenue, page_revenue=of_pages, squares=squares)
    return replace(whole, **dict(zip(COUNTS, sums, strict=True)))


def flat(line: Line, lifts: Mapping[str, str] | None = None) -> dict[str, object]:
    """Return a line as JSON values: flat, and with the figures that follow from its counts.

    `lifts` has a text for each block with an experiment.
    """
    counts = {name: getattr(line, name) for name in COUNTS}
    rate = round(line.click_rate, 6) if line.click_rate is not None else None
    orders = round(line.orders, 6)
    brought = {"orders": orders, "revenue": line.revenue, "revenue_per_thousand_opens": line.per_thousand}
    if line.page_revenue:
        brought["page_share"] = line.page_share
    lift = (lifts or {}).get(str(line.key.get("block", "")))
    return {**line.key, **counts, "click_rate": rate, **brought, **({"lift": lift} if lift is not None else {})}


def table(lines: Sequence[Line], by: Sequence[str], lifts: Mapping[str, str] | None = None) -> str:
    """Return a report as CSV: a column per dimension and count, and two per currency.

    `lifts` has a text for each block with an experiment, for reports by block.
    """
    currencies = sorted({code for line in lines for code in line.revenue})
    lifted = lifts is not None and "block" in by
    header = [*by, *COUNTS, "click_rate", "orders"]
    header += [f"revenue_{code}" for code in currencies]
    header += [f"revenue_per_thousand_opens_{code}" for code in currencies]
    shared = sorted({code for line in lines for code in line.page_revenue})
    header += [f"page_share_{code}" for code in shared]
    rows = []
    for line in lines:
        figures = flat(line)
        row = [figures[name] for name in (*by, *COUNTS, "click_rate", "orders")]
        row += [line.revenue.get(code, 0.0) for code in currencies]
        row += [line.per_thousand.get(code) for code in currencies]
        row += [line.page_share.get(code) for code in shared]
        rows.append([*row, (lifts or {}).get(str(line.key["block"]), "")] if lifted else row)
    return sheet([*header, "lift"] if lifted else header, rows)


def in_currency(lines: Iterable[Line], currency: str) -> list[Line]:
    """Return the lines with the revenue of one currency only; unchanged without a currency."""
    if not currency:
        return list(lines)
    return [
        replace(
            line,
            revenue={code: amount for code, amount in line.revenue.items() if code == currency},
            page_revenue={code: amount for code, amount in line.page_revenue.items() if code == currency},
        )
        for line in lines
    ]
