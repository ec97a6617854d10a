"""Date ranges: presets, comparisons and days in any zone, over changes of clocks, leap days and short months."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.errors import BadRequest
from wetink.core.signals.date_range import (
    DAY_MS,
    PRESETS,
    QUARTER_MS,
    DateRange,
    compared_with,
    custom_range,
    day_of,
    day_start,
    days_within,
    last_days,
    midnight,
    preset_range,
)
from wetink.core.units.zone import zone as zone_of

ZONES = (
    *("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati"),
    *("Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "Africa/Cairo", "America/Santiago", "+05:45"),
)
HOUR = 3_600_000


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def d(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("preset", "now", "zone", "first", "last"),
    [
        ("today", "2026-11-23T23:30", "UTC", "2026-11-23", "2026-11-23"),
        ("today", "2026-11-23T23:30", "Asia/Kolkata", "2026-11-24", "2026-11-24"),
        ("today", "2026-11-23T03:00", "America/Los_Angeles", "2026-11-22", "2026-11-22"),
        ("yesterday", "2026-03-01T12:00", "UTC", "2026-02-28", "2026-02-28"),
        ("yesterday", "2028-03-01T12:00", "UTC", "2028-02-29", "2028-02-29"),
        ("yesterday", "2026-01-01T00:00", "UTC", "2025-12-31", "2025-12-31"),
        ("7d", "2026-03-03T00:00", "UTC", "2026-02-25", "2026-03-03"),
        ("14d", "2026-11-23T12:00", "UTC", "2026-11-10", "2026-11-23"),
        ("28d", "2028-03-01T12:00", "UTC", "2028-02-03", "2028-03-01"),
        ("90d", "2026-11-23T12:00", "UTC", "2026-08-26", "2026-11-23"),
        ("month", "2026-11-01T00:00", "UTC", "2026-11-01", "2026-11-01"),
        ("month", "2026-11-01T00:00", "America/Los_Angeles", "2026-10-01", "2026-10-31"),
        ("last-month", "2026-03-31T12:00", "UTC", "2026-02-01", "2026-02-28"),
        ("last-month", "2028-03-31T12:00", "UTC", "2028-02-01", "2028-02-29"),
        ("last-month", "2026-01-15T12:00", "UTC", "2025-12-01", "2025-12-31"),
    ],
)
def test_presets_are_days_of_the_zone(preset: str, now: str, zone: str, first: str, last: str) -> None:
    assert preset_range(preset, ms(now), zone) == DateRange(d(first), d(last), zone)


@pytest.mark.parametrize(
    ("first", "last", "against", "before"),
    [
        ("2026-11-10", "2026-11-16", "before", ("2026-11-03", "2026-11-09")),
        ("2026-11-10", "2026-11-10", "before", ("2026-11-09", "2026-11-09")),
        ("2026-03-01", "2026-03-31", "before", ("2026-02-01", "2026-02-28")),
        ("2028-03-01", "2028-03-31", "before", ("2028-02-01", "2028-02-29")),
        ("2026-01-01", "2026-01-31", "before", ("2025-12-01", "2025-12-31")),
        ("2026-01-01", "2026-01-07", "before", ("2025-12-25", "2025-12-31")),
        ("2026-11-10", "2026-11-16", "year", ("2025-11-10", "2025-11-16")),
        ("2028-02-29", "2028-02-29", "year", ("2027-02-28", "2027-02-28")),
        ("2028-02-28", "2028-03-01", "year", ("2027-02-28", "2027-03-01")),
        ("2025-12-29", "2026-01-04", "year", ("2024-12-29", "2025-01-04")),
    ],
)
def test_a_past_range_is_compared_with_as_many_days_whole_months_or_the_year_before(
    first: str, last: str, against: str, before: tuple[str, str]
) -> None:
    found = compared_with(DateRange(d(first), d(last)), against, ms("2030-01-01T00:00"))  # type: ignore[arg-type]
    assert found == DateRange(d(before[0]), d(before[1]))


@pytest.mark.parametrize(
    ("preset", "against", "first", "end"),
    [
        ("today", "before", "2026-11-22T00:00", "2026-11-22T15:15"),
        ("7d", "before", "2026-11-10T00:00", "2026-11-16T15:15"),
        ("month", "before", "2026-10-01T00:00", "2026-10-23T15:15"),
        ("today", "year", "2025-11-23T00:00", "2025-11-23T15:15"),
        ("yesterday", "before", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("last-month", "before", "2026-09-01T00:00", "2026-10-01T00:00"),
    ],
)
def test_a_range_that_has_not_ended_is_compared_up_to_the_same_time(
    preset: str, against: str, first: str, end: str
) -> None:
    now = ms("2026-11-23T15:20")
    found = compared_with(preset_range(preset, now), against, now)  # type: ignore[arg-type]
    assert found is not None
    assert (found.since, found.end) == (ms(first), ms(end))


def test_nothing_is_compared_without_a_comparison_or_before_the_first_day() -> None:
    now = ms("2026-11-23T15:20")
    assert compared_with(last_days(7, now), "none", now) is None
    assert compared_with(custom_range("1970-01-02", "1970-01-03"), "before", now) is None


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", "Europe/Berlin", 23.0),
        ("2026-10-25", "Europe/Berlin", 25.0),
        ("2026-03-08", "America/Los_Angeles", 23.0),
        ("2026-11-01", "America/Los_Angeles", 25.0),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        ("2026-04-24", "Africa/Cairo", 23.0),  # its midnight does not exist
        ("2026-09-06", "America/Santiago", 23.0),  # nor does this one
        ("2026-06-01", "Asia/Kathmandu", 24.0),
    ],
)
def test_days_have_23_to_25_hours_where_clocks_change(day: str, zone: str, hours: float) -> None:
    found = custom_range(day, day, zone)
    assert (found.end - found.since) / HOUR == hours
    assert day_of(found.since, zone) == day_of(found.end - 1, zone) == d(day)


@given(
    st.dates(date(1990, 1, 1), date(2099, 1, 1)), st.integers(0, 60), st.sampled_from(ZONES), st.integers(0, 2 * DAY_MS)
)
def test_periods_have_no_gaps_and_begin_at_quarters_of_an_hour(first: date, more: int, zone: str, after: int) -> None:
    found = DateRange(first, first + timedelta(more), zone)
    periods = found.periods
    assert (periods[0][0], periods[-1][1], len(periods)) == (found.since, found.end, found.count)
    assert all(one[1] == other[0] for one, other in pairwise(periods))
    assert all(each % QUARTER_MS == 0 for period in periods for each in period)
    at = found.since + after
    day = day_of(at, zone)
    assert day == datetime.fromtimestamp(at // QUARTER_MS * QUARTER_MS / 1000, UTC).astimezone(zone_of(zone)).date()
    assert midnight(day, zone) == day_start(at, zone) <= at < midnight(day + timedelta(1), zone)
    assert days_within(found.since, found.end, zone) == found


@pytest.mark.parametrize("preset", [each for each in PRESETS if each != "custom"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("now", ["2024-02-29T12:00", "2026-01-01T00:00", "2026-12-31T23:59", "2026-03-29T01:30"])
def test_a_preset_ends_by_today_and_its_comparison_ends_before_it_begins(preset: str, zone: str, now: str) -> None:
    found = preset_range(preset, ms(now), zone)
    assert found.first <= found.last <= day_of(ms(now), zone)
    before = compared_with(found, "before", ms(now))
    assert before is not None
    assert before.since < before.end <= found.since
    assert before.end % QUARTER_MS == 0


@pytest.mark.parametrize(
    ("first", "last", "where"),
    [
        ("2026-02-30", "2026-03-01", "from"),
        ("2026-02-01", "soon", "to"),
        ("", "2026-03-01", "from"),
        ("2026-03-02", "2026-03-01", "from"),
        ("0001-01-01", "9999-12-31", "from"),
        ("1969-12-31", "1970-01-05", "from"),
        ("2100-12-31", "2101-01-01", "to"),
        ("2000-01-01", "2026-01-01", "from"),
        ("\u0662\u0660\u0662\u0666-01-01", "2026-03-01", "from"),
        ("1" * 10_000, "2026-03-01", "from"),
    ],
)
def test_dates_that_make_no_range_are_refused_at_their_field(first: str, last: str, where: str) -> None:
    with pytest.raises(BadRequest) as refused:
        custom_range(first, last)
    assert refused.value.where == where
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("now", [0, 1, -(1 << 62), 1 << 62])
def test_any_time_is_of_a_day_that_a_report_may_have(now: int) -> None:
    found = days_within(now, now + 1, "Pacific/Kiritimati")
    assert found.count == 1
    assert last_days(3_660, now).since >= 0
