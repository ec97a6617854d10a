"""Clock: when did it happen? Client clocks are corrected, impossible ones are not believed. All times are Unix ms."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

YEAR_2000 = 946_684_800_000
"""No event is older (Unix ms)."""

AHEAD_MS = 5 * 60_000
"""How far ahead of its receipt an event may claim to be."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_PLAIN = datetime(1970, 1, 1)  # noqa: DTZ001 - a time without an offset is UTC
_MS = timedelta(milliseconds=1)
_LARGEST_SECONDS = 100_000_000_000
"""A smaller number of a time is seconds (until the year 5138), a larger one milliseconds (since 1973)."""
_LARGEST_MS = 1 << 53
_LOOSE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?)?"
    r"\s*(?:[Zz]|UTC|GMT|([+-])(\d{1,2}):?(\d{2})?)?"
)
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{0,20})?")


def parse(value: Any) -> int | None:
    """Return the Unix ms of a time as clients write it, None when it is none.

    ISO 8601 (not padded; without an offset: UTC), or epoch seconds or milliseconds, as a number or in a string.

    >>> parse("2015-2-02T00:30:08.276Z"), parse(1257894000), parse("1257894000000"), parse("soon")
    (1422837008276, 1257894000000, 1257894000000, None)
    """
    if type(value) is str:
        try:
            if value[4] == "-":
                return _ms(datetime.fromisoformat(value))
        except (ValueError, IndexError, OverflowError):
            pass
        return _loose(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _epoch(value)


def _ms(moment: datetime) -> int:
    return (moment - (_EPOCH_PLAIN if moment.tzinfo is None else _EPOCH)) // _MS


def _epoch(number: float) -> int | None:
    if not -_LARGEST_MS < number < _LARGEST_MS:  # also false for NaN
        return None
    return int(number * 1000) if -_LARGEST_SECONDS < number < _LARGEST_SECONDS else int(number)


def _loose(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        return _epoch(float(text) if "." in text else int(text))
    found = _LOOSE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = found.groups(default="0")
    try:
        offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
        return _ms(moment) + int(fraction[:3].ljust(3, "0"))
    except (ValueError, OverflowError):
        return None


def corrected(own: int | None, sent: int | None, received: int) -> int:
    """Return when it happened by our clock: `received - (sent - own)`, all in Unix ms.

    `own` is the client's time of the event and `sent` the client's time of sending; without `sent` there is nothing to
    correct by. A result before 2000 or more than five minutes ahead of receipt is not believed: then `received`.

    >>> corrected(YEAR_2000 + 50, YEAR_2000 + 60, YEAR_2000 + 1000) - YEAR_2000
    990
    """
    if own is None:
        return received
    at = own if sent is None else received - sent + own
    return at if YEAR_2000 <= at <= received + AHEAD_MS else received
