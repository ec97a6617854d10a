"""Date range: the days that a report covers, in the shop's time zone, and the days that it is compared with.

Days begin at midnight of a zone, so a day has 23 or 25 hours where clocks change. Times are Unix ms.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from wetink.core.errors import BadRequest
from wetink.core.units.zone import zone

DAY_MS, QUARTER_MS = 86_400_000, 900_000
"""A day without changes of clocks, and a quarter of an hour: every zone's midnight begins one."""

PRESETS: dict[str, str] = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "14d": "Last 14 days",
    "28d": "Last 28 days",
    "90d": "Last 90 days",
    "month": "This month",
    "last-month": "Last month",
    "custom": "Custom",
}
"""Preset -> its words. The last ones include today."""

Against = Literal["none", "before", "year"]
COMPARISONS: dict[Against, str] = {
    "before": "Previous period",
    "year": "Same days last year",
    "none": "No comparison",
}

MOST_DAYS = 3_660
LATEST = 4_133_980_800_000
"""The beginning of 2101, in Unix ms."""
EARLIEST_DAY, LATEST_DAY = date(1970, 1, 2), date(2100, 12, 31)
"""The first and the last day of a report. In between, every zone's midnight begins a quarter of an hour."""


class DateRange(msgspec.Struct, frozen=True):
    """The days from `first` to `last` in a zone. `until` is an end before the last midnight, 0 for none."""

    first: date
    last: date
    zone: str = "UTC"
    until: int = 0

    @property
    def since(self) -> int:
        """The first midnight."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> int:
        """The time at which it ends, exclusive."""
        return self.until or midnight(self.last + timedelta(1), self.zone)

    @property
    def span(self) -> tuple[int, int]:
        """The first midnight and the end."""
        return self.since, self.end

    @property
    def count(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    @property
    def periods(self) -> list[tuple[int, int]]:
        """The start and the end of each day."""
        starts = [midnight(day, self.zone) for day in self.dates]
        return list(zip(starts, [*starts[1:], self.end], strict=True))

    @property
    def dates(self) -> Iterator[date]:
        """Its days."""
        return (self.first + timedelta(index) for index in range(self.count))

    def words(self) -> str:
        r"""Return the days as text.

        >>> one, two, three = date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 7)
        >>> [DateRange(*each).words() for each in ((one, one), (one, two), (two, three))]
        ['31 Dec 2025', '31 Dec 2025 \u2013 1 Jan 2026', '1 Jan \u2013 7 Feb 2026']
        """
        end = f"{self.last.day} {self.last:%b %Y}"
        if self.first == self.last:
            return end
        year = f" {self.first:%Y}" if self.first.year != self.last.year else ""
        return f"{self.first.day} {self.first:%b}{year} \u2013 {end}"


@lru_cache(maxsize=20_000)
def midnight(day: date, name: str) -> int:
    """Return the first moment of a day in a zone. Where clocks skip midnight, that is the moment after the gap.

    >>> midnight(date(2026, 3, 30), "Europe/Berlin") - midnight(date(2026, 3, 29), "Europe/Berlin")
    82800000
    """
    at = datetime.combine(day, time(), zone(name)).timestamp()
    return int(at * 1000) // QUARTER_MS * QUARTER_MS


def day_of(at: int, name: str) -> date:
    """Return the day of a time in a zone.

    >>> day_of(1_774_908_000_000 - 1, "Europe/Berlin"), day_of(1_774_908_000_000, "Europe/Berlin")
    (datetime.date(2026, 3, 30), datetime.date(2026, 3, 31))
    """
    return _day(at // QUARTER_MS, name)


@lru_cache(maxsize=50_000)
def _day(quarter: int, name: str) -> date:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=min(max(quarter * QUARTER_MS, 0), LATEST))
    return at.astimezone(zone(name)).date()


def day_start(at: int, name: str) -> int:
    """Return the midnight that begins the day of a time in a zone."""
    return at - at % DAY_MS if name == "UTC" else midnight(day_of(at, name), name)


def last_days(count: int, now: int, name: str = "UTC") -> DateRange:
    """Return the last days, including today."""
    today = min(max(day_of(now, name), EARLIEST_DAY), LATEST_DAY)
    return DateRange(max(today - timedelta(count - 1), EARLIEST_DAY), today, name)


def days_within(since: int, until: int, name: str = "UTC") -> DateRange:
    """Return the days of [since, until) in Unix ms, at least one."""
    first = min(max(day_of(max(since, 0), name), EARLIEST_DAY), LATEST_DAY)
    return DateRange(first, max(min(day_of(max(until - 1, 0), name), LATEST_DAY), first), name)


def preset_range(preset: str, now: int, name: str = "UTC") -> DateRange:
    """Return the days of a preset other than `custom`. Raises KeyError for an unknown one."""
    today = day_of(now, name)
    first_of_month = today.replace(day=1)
    match preset:
        case "today":
            return DateRange(today, today, name)
        case "yesterday":
            return DateRange(today - timedelta(1), today - timedelta(1), name)
        case "month":
            return DateRange(first_of_month, today, name)
        case "last-month":
            end = first_of_month - timedelta(1)
            return DateRange(end.replace(day=1), end, name)
    if preset not in PRESETS or preset == "custom":
        raise KeyError(preset)
    return last_days(int(preset.removesuffix("d")), now, name)


def custom_range(first: str, last: str, name: str = "UTC") -> DateRange:
    """Return the days between two ISO dates. Raises BadRequest at `from` or `to`."""
    begin, end = _date("from", first), _date("to", last)
    if begin > end:
        raise BadRequest("from: it is after the last day", hint="choose an earlier day", where="from")
    if (end - begin).days >= MOST_DAYS:
        raise BadRequest(f"from: at most {MOST_DAYS:,} days before the last day", where="from")
    return DateRange(begin, end, name)


def _date(field: str, text: str) -> date:
    try:
        found = date.fromisoformat(text.strip()[:40])
    except ValueError:
        shown = repr(text[:40]) if text else "nothing"
        raise BadRequest(
            f"{field}: {shown} is not a date", hint="write a day such as 2026-11-23", where=field
        ) from None
    if not EARLIEST_DAY <= found <= LATEST_DAY:
        raise BadRequest(f"{field}: choose a day from {EARLIEST_DAY} to {LATEST_DAY}", where=field)
    return found


def compared_with(found: DateRange, against: Against, now: int) -> DateRange | None:
    """Return the days to compare a range with, None for none.

    If the range has not ended by `now`, the comparison ends at the same time of its day, so that both are as long.
    """
    if against == "none":
        return None
    if against == "before":
        first, last = found.first - timedelta(found.count), found.first - timedelta(1)
        if found.first.day == 1 and _is_whole_month(found):
            first = last.replace(day=1)
        elif found.first.day == 1 and found.first <= day_of(now, found.zone) == found.last:  # this month so far
            first = last.replace(day=1)
            last = min(first + timedelta(found.count - 1), last)
    else:
        first, last = _year_before(found.first), _year_before(found.last)
    if first < EARLIEST_DAY:
        return None
    today = day_of(now, found.zone)
    until = 0
    if found.first <= today <= found.last:
        day = min(first + (today - found.first), last)
        passed = now - midnight(today, found.zone)
        end = midnight(day, found.zone) + passed // QUARTER_MS * QUARTER_MS
        until = min(max(end, midnight(first, found.zone) + QUARTER_MS), midnight(day + timedelta(1), found.zone))
        last = day
    return DateRange(first, last, found.zone, until)


def _is_whole_month(found: DateRange) -> bool:
    after = found.last + timedelta(1)
    return after.day == 1 and (after - timedelta(1)).replace(day=1) == found.first


def _year_before(day: date) -> date:
    """Return the same day a year before; 28 February for a leap day."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)
