"""Timestamps: what the date printers of SDKs' languages and of databases write is read, and nothing else is guessed."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.events.clock import AHEAD_MS, MOST_MS, SLIGHT_MS, YEAR_2000, corrected, parse

AT = parse("2025-12-24T17:00:00Z") or 0
"""18:00 in Berlin."""
FIFTH = AT + 123
DAY = AT - 17 * 3_600_000

WRITTEN: list[tuple[Any, int]] = [
    # JavaScript
    ("2025-12-24T17:00:00.123Z", FIFTH),
    ("+002025-12-24T17:00:00.123Z", FIFTH),
    ("Wed Dec 24 2025 18:00:00 GMT+0100 (Central European Standard Time)", AT),
    ("Wed Dec 24 2025 18:00:00 GMT+0100 (Mitteleuropäische Normalzeit)", AT),
    ("Wed Dec 24 2025 17:00:00 GMT+0000 (Coordinated Universal Time)", AT),
    ("Wed Dec 24 2025 18:00:00 GMT+0100", AT),
    ("Wed, 24 Dec 2025 17:00:00 GMT", AT),
    ("12/24/2025, 5:00:00 PM", AT),
    ("12/24/2025, 5:00:00\u202fPM", AT),
    ("24.12.2025, 17:00:00", AT),
    ("24/12/2025, 17:00:00", AT),
    ("24/12/2025 17:00:00", AT),
    ("24-12-2025 17:00:00", AT),
    ("2025/12/24 17:00:00", AT),
    ("2025. 12. 24. 17:00:00", AT),
    ("\u200e12\u200e/\u200e24\u200e/\u200e2025\u200e \u200e5\u200e:\u200e00\u200e:\u200e00\u200e \u200ePM", AT),
    ("Wed Dec 24 2025", DAY),
    ("Dec 24, 2025, 5:00:00 PM", AT),
    ("December 24, 2025 at 5:00:00 PM", AT),
    ("December 24, 2025 at 5:00 PM UTC", AT),
    ("Wednesday, December 24, 2025 at 5:00:00 PM", AT),
    ("24 December 2025 at 17:00:00 UTC", AT),
    ("Wednesday 24 December 2025 at 17:00:00", AT),
    (1766595600123, FIFTH),
    (1766595600123.0, FIFTH),
    ("1766595600123", FIFTH),
    # Python
    ("2025-12-24 17:00:00.123456", FIFTH),
    ("2025-12-24 17:00:00.123456+00:00", FIFTH),
    ("2025-12-24T18:00:00.123456+01:00", FIFTH),
    ("2025-12-24", DAY),
    ("Wed Dec 24 17:00:00 2025", AT),
    ("Wed, 24 Dec 2025 18:00:00 +0100", AT),
    ("Wed, 24 Dec 2025 17:00:00 -0000", AT),
    (1766595600.123456, FIFTH),
    ("1766595600.123456", FIFTH),
    (1766595600, AT),
    (1766595600123456789, FIFTH),
    # Ruby
    ("2025-12-24 18:00:00 +0100", AT),
    ("2025-12-24 17:00:00 UTC", AT),
    ("2025-12-24 17:00:00.123456789 UTC", FIFTH),
    ("2025-12-24T18:00:00+01:00", AT),
    # Java and Kotlin
    ("2025-12-24T17:00:00Z", AT),
    ("2025-12-24T17:00:00.123456789Z", FIFTH),
    ("2025-12-24T17:00", AT),
    ("2025-12-24T17:00Z", AT),
    ("2025-12-24T18:00+01:00[Europe/Berlin]", AT),
    ("2025-12-24T18:00[Europe/Berlin]", AT),
    ("2025-12-24T17:00Z[UTC]", AT),
    ("2025-12-24T17:00Z[GMT]", AT),
    ("Wed Dec 24 17:00:00 UTC 2025", AT),
    ("Wed Dec 24 18:00:00 CET 2025", AT),
    ("Wed Dec 24 12:00:00 EST 2025", AT),
    ("2025-12-24 17:00:00.0", AT),
    ("Dec 24, 2025 5:00:00 PM", AT),
    ("1.766595600123E12", FIFTH),
    # Go
    ("2025-12-24 17:00:00.123456789 +0000 UTC", FIFTH),
    ("2025-12-24 18:00:00.123456789 +0100 CET", FIFTH),
    ("2025-12-24 18:00:00.123456789 +0100 CET m=+0.000012345", FIFTH),
    ("2025-12-24 20:00:00 +0300 +03", AT),
    ("2025-12-24T18:00:00.123456789+01:00", FIFTH),
    ("24 Dec 25 17:00 UTC", AT),
    ("24 Dec 25 18:00 +0100", AT),
    ("Wednesday, 24-Dec-25 17:00:00 UTC", AT),
    ("Wed, 24 Dec 2025 17:00:00 UTC", AT),
    ("Wed Dec 24 18:00:00 +0100 2025", AT),
    # PHP
    ("Wednesday, 24-Dec-2025 17:00:00 UTC", AT),
    ("Wednesday, 24-Dec-2025 18:00:00 GMT+0100", AT),
    ("Wed, 24 Dec 25 17:00:00 +0000", AT),
    ("2025-12-24T18:00:00+0100", AT),
    ("20251224T17:00:00", AT),
    ("2025-12-24 18:00:00 Europe/Berlin", AT),
    # Swift and Objective-C
    ("2025-12-24 17:00:00 +0000", AT),
    ("Dec 24, 2025 at 5:00:00\u202fPM GMT", AT),
    ("Dec 24, 2025 at 5:00 PM", AT),
    ("24. Dec 2025, 17:00", AT),
    # C# and .NET
    ("12/24/2025 5:00:00 PM", AT),
    ("12/24/2025 17:00:00", AT),
    ("12/24/2025 6:00:00 PM +01:00", AT),
    ("2025-12-24T17:00:00.1234567Z", FIFTH),
    ("2025-12-24T18:00:00.1234567+01:00", FIFTH),
    ("2025-12-24 17:00:00Z", AT),
    ("24.12.2025 17:00:00", AT),
    ("24.12.2025 17.00.00", AT),
    ("/Date(1766595600123)/", FIFTH),
    ("\\/Date(1766595600123+0100)\\/", FIFTH),
    # SQL and warehouses
    ("2025-12-24 17:00:00", AT),
    ("2025-12-24 17:00:00.123", FIFTH),
    ("2025-12-24 17:00:00.123+00", FIFTH),
    ("2025-12-24 18:00:00+01", AT),
    ("2025-12-24 22:30:00+05:30", AT),
    ("2025-12-24 18:00:00.0000000 +01:00", AT),
    ("2025-12-24 17:00:00.000000 UTC", AT),
    ("2025-12-24 18:00:00.123 +0100", FIFTH),
    ("24-DEC-25 05.00.00.123000 PM", FIFTH),
    ("24-DEC-2025 17:00:00", AT),
    ("Dec 24 2025  5:00PM", AT),
    ("2025-Dec-24 17:00:00", AT),
    ("20251224170000", AT),
    (20251224170000, AT),
    ("20251224", DAY),
    (20251224, DAY),
    # ISO 8601, as the standard has it and as people write it
    ("20251224T170000Z", AT),
    ("20251224T180000+0100", AT),
    ("20251224T170000.123Z", FIFTH),
    ("2025-W52-3", DAY),
    ("2025-W52-3T17:00:00Z", AT),
    ("2025-358", DAY),
    ("2025-358T17:00:00Z", AT),
    ("2025-12-24t17:00:00z", AT),
    ("2025-12-24 17:00:00 utc", AT),
    ("2025-12-24 17:00:00 GMT", AT),
    ("2025-12-24T17:00:00,123Z", FIFTH),
    ("2025-12-24T17:00:00.1234567890123456Z", FIFTH),
    ("2025-12-24T17:00:00.1Z", AT + 100),
    ("2025-12-24T12:00:00-05:00", AT),
    ("2025-12-24T12:00:00\u221205:00", AT),
    ("2025-12-24T16:60:00Z", 0),
    ("2025-12-24T16:59:60Z", AT),
    ("2025-12-24T24:00:00Z", DAY + MOST_MS),
    ("2025-12-24T24:00:01Z", 0),
    ("2025-12-24T17Z", AT),
    ("2025-2-02T00:30:08.276Z", 1738456208276),
    ("  2025-12-24T17:00:00Z\n", AT),
    ("24th December 2025 5 PM", 0),
    ("24th December 2025 5:00 p.m.", AT),
    ("Wed, 24 Dec 2025 12:00:00 EST", AT),
    ("24 Dec 2025 17:00:00 GMT", AT),
    ("24 Dec 2025", DAY),
    (1766595600123456, FIFTH),
    ("1766595600123456", FIFTH),
    (-1000, -1_000_000),
    ("0001-01-01T00:00:00Z", -62135596800000),
    # A zone that begins like half of a day
    ("2025-12-24 12:00:00 America/New_York", AT),
    ("2025-12-24 10:30 America/St_Johns", AT - 3 * 3_600_000),
    ("12/24/2025 12:00 PM America/New_York", AT),
    ("12/24/2025 5:00 p.m. UTC", AT),
]
"""What is written -> Unix ms; 0: it is not a time."""

NO_TIME: list[Any] = [
    "04/05/2026", "4/5/2026 10:00", "04-05-2026", "12/11/10", "24.12.25", "24/12", "24.13.2025", "13/24/2025",
    "2025-13-01", "2025-02-30", "30 Feb 2025", "2025-12-24T25:00:00Z", "2025-12-24T17:00:00+25:00", "2025-366",
    "2025-000", "2025-W60-1", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z", "12/24/2025 13:00 PM", "17:00:00",
    "2025-12-24 17:00:00 Nowhere/Land", "2025-12-24 17:00:00 XYZ", "2025-12-24 17:00:00 CET-1", "2025-12-24[../../x]",
    "2025-12-24 17:00:00 ../../etc/passwd",
    "soon", "yesterday", "now", "", " ", "null", "undefined", "NaN", "Invalid Date", "Invalid date", "-", "+", "/",
    "Mon", "monday", "may", "Marvellous Mug", "decanter 12", "sat 1", "1.2.3", "10-12", "S-1", "12 kg", "$12.50",
    "9" * 25, "1" * 5000, "Wed " * 30, True, False, None, [], {}, [2025, 12, 24], {"$date": 0}, 10**30, -(10**30),
    1e300, float("nan"), float("inf"), "1e99", "٢٠٢٥-١٢-٢٤", "2025-12-24T17:00:00Z and more", "2025年12月24日",
]  # fmt: skip


@pytest.mark.parametrize(("written", "at"), WRITTEN, ids=lambda each: str(each)[:50])
def test_a_time_is_read_as_its_printer_meant_it(written: Any, at: int) -> None:
    assert parse(written) == (at or None)


def test_the_table_of_printers_is_large() -> None:
    assert len(WRITTEN) >= 110
    assert len(NO_TIME) >= 60


@pytest.mark.parametrize("written", NO_TIME, ids=lambda each: str(each)[:50])
def test_an_invalid_or_ambiguous_timestamp_is_none(written: Any) -> None:
    assert parse(written) is None


TIMES = st.integers(YEAR_2000, AT + 5 * 365 * MOST_MS)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
PRINTERS = [
    lambda when: when.isoformat(),
    lambda when: when.isoformat(" ", "milliseconds"),
    lambda when: when.isoformat().lower(),
    lambda when: format_datetime(when.replace(microsecond=0)),
    lambda when: when.strftime("%Y-%m-%d %H:%M:%S.%f %z"),
    lambda when: when.strftime("%a %b %d %Y %H:%M:%S GMT%z (Somewhere)"),
    lambda when: when.strftime("%d.%m.%Y %H:%M:%S %z"),
    lambda when: when.strftime("%a %b %d %H:%M:%S %z %Y"),
    lambda when: when.strftime("%Y%m%dT%H%M%S%z"),
    lambda when: when.strftime("%Y-%jT%H:%M:%S%z"),
    lambda when: when.strftime("%G-W%V-%uT%H:%M:%S%z"),
    lambda when: when.strftime("%A, %d-%b-%y %H:%M:%S %z"),
    lambda when: when.strftime("%B %d, %Y at %I:%M:%S %p %z"),
    lambda when: str(int(when.timestamp())),
    lambda when: int(when.timestamp()) * 1_000_000,
    lambda when: int(when.timestamp()) * 1_000_000_000,
]


@given(TIMES, ZONES, st.sampled_from(PRINTERS))
def test_any_moment_in_any_zone_is_read_back(at: int, zone: timezone, printer: Any) -> None:
    when = datetime.fromtimestamp(at // 1000, UTC).astimezone(zone)
    assert parse(printer(when)) == at // 1000 * 1000


@given(st.text(max_size=80) | st.from_regex(r"\A[0-9]{1,4}[-/. ][0-9A-Za-z]{1,4}[-/. ][0-9TZ:. +-]{1,30}\Z"))
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert parse(text) is None or isinstance(parse(text), int)


BELIEVED = st.integers(AT - 400 * MOST_MS, AT)
OFF = st.integers(-3 * MOST_MS, 3 * MOST_MS) | st.integers(-2 * SLIGHT_MS, 2 * SLIGHT_MS)


@given(BELIEVED, BELIEVED, OFF)
def test_two_events_of_one_request_stay_in_their_order(one: int, other: int, off: int) -> None:
    sent = max(one, other, AT - off)
    first, second = sorted((one, other))
    assert corrected(first, sent, AT) <= corrected(second, sent, AT)


@given(BELIEVED, st.integers(0, 60_000), st.integers(-2_000, 0), st.integers(0, 2_999), st.integers(0, 2_999))
def test_a_late_batch_does_not_turn_the_order_of_two_events(
    at: int, apart: int, clock: int, one_way: int, other_way: int
) -> None:
    """A clock that is about right, and batches that take up to three seconds."""
    first, second = at, at + apart
    found = [corrected(own + clock, own + clock, own + way) for own, way in ((first, one_way), (second, other_way))]
    assert found == sorted(found)
    assert found[1] - found[0] == apart


@given(st.integers(AT - 12 * 3_600_000, AT), st.integers(SLIGHT_MS + 1, MOST_MS), st.sampled_from([1, -1]))
def test_a_clock_off_by_up_to_a_day_is_corrected_as_segment_does(at: int, off: int, way: int) -> None:
    """Segment: timestamp = receivedAt - (sentAt - originalTimestamp)."""
    own, sent = at + way * off, AT + way * off
    assert corrected(own, sent, AT) == AT - (sent - own) == at


@given(BELIEVED, st.integers(MOST_MS + 1, 3_000 * MOST_MS))
def test_history_that_is_sent_again_keeps_its_dates(at: int, old: int) -> None:
    """An import of messages with the `sentAt` of back then, or none, or a relay's of today."""
    assert corrected(at, AT - old, AT) == at
    assert corrected(at, None, AT) == at
    assert corrected(at, at + 400, AT, at + 700) == at
    for zero in ("0001-01-01T00:00:00Z", "0", 0, "1970-01-01T00:00:00Z"):
        assert corrected(at, parse(zero), AT) == at


@given(st.integers(0, YEAR_2000 - 1) | st.integers(AT + AHEAD_MS + 1, AT * 2), st.integers(0, 3_600_000))
def test_a_clock_that_never_was_set_is_corrected_whatever_it_says(sent: int, ago: int) -> None:
    assert corrected(sent - ago, sent, AT) == AT - ago
    assert corrected(sent, None, AT) == AT
