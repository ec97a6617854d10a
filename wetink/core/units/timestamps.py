"""Timestamps: every way that SDKs, languages and databases write a time, read into Unix ms.

A writing that has two readings, such as 04/05/2026, has none here. A time without a zone is UTC.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (both sides of the difference are UTC)
_MS = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
LONGEST = 120
"""Characters of the longest time: what JavaScript prints, with a zone's long name."""

_SECONDS, _MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17, 10**20
"""A smaller number is of this unit: seconds until the year 5138, finer units from 1973 on."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_STARTS = frozenset((*_MONTHS, *_DAYS))

ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "wet": 0, "west": 60, "cet": 60, "cest": 120,
    "eet": 120, "eest": 180, "msk": 180, "jst": 540, "kst": 540, "sgt": 480, "hkt": 480, "awst": 480, "acst": 570,
    "acdt": 630, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip
"""Zone names with one meaning -> minutes east of Greenwich: those of RFC 2822, and others that printers use."""

_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_WEEKDAY = rf"(?:(?:{'|'.join(_DAYS)})[a-z]*\.?,?\s+)"
_CLOCK = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})(?:[.,](?P<part>\d+))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_TIME = rf"(?:(?:\s*,\s*|\s+at\s+|\s*t\s*|\s+){_CLOCK}"
_ZONE = (
    r"\s*(?:(?P<zone>[a-z]{1,5})\b(?!/))?\s*(?P<offset>[+-]\d{1,2}(?::?\d{2}(?::?\d{2})?)?)?"
    r"(?:\s+(?:[a-z]{2,5}\b(?!/)|[+-]\d{2,4}))?(?:\s+m=[+-][\d.]+)?"
    r"(?:\s*\[?(?P<region>[a-z_]+/[a-z0-9_/+-]+|utc|gmt)\]?)?(?:\s*\([^()]{0,60}\))?"
)
_REST = rf"{_TIME}{_ZONE})?"


def _pattern(date: str, rest: str = _REST) -> re.Pattern[str]:
    return re.compile(date + rest, re.ASCII | re.IGNORECASE)


_YEAR_FIRST = _pattern(r"(?P<year>\d{4})(?P<sep>[-/.])\s?(?P<number>\d{1,2})(?P=sep)\s?(?P<day>\d{1,2})\.?")
_YEAR_LAST = _pattern(r"(?P<one>\d{1,2})(?P<sep>[-/.])\s?(?P<two>\d{1,2})(?P=sep)\s?(?P<year>\d{4})")
_DAY_OF_YEAR = _pattern(r"(?P<year>\d{4})-(?P<ordinal>\d{3})")
_WORDS = (
    _pattern(rf"{_WEEKDAY}?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s.-]+{_MONTH}[\s,-]+(?P<year>\d{{4}}|\d{{2}})(?!\d|:)"),
    _pattern(rf"{_WEEKDAY}?{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})"),
    _pattern(rf"{_WEEKDAY}?{_MONTH}\s+(?P<day>\d{{1,2}})", rf"{_TIME}{_ZONE})\s+(?P<year>\d{{4}})"),
    _pattern(rf"(?P<year>\d{{4}})[\s-]{_MONTH}[\s-](?P<day>\d{{1,2}})"),
)
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,20})?(?:e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_DOT_NET = re.compile(r"\\?/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?/", re.ASCII)
_COMPACT = re.compile(r"(?:19|20)\d{6}(?:\d{6})?", re.ASCII)
_BLANKS = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2009": " ", "\u2212": "-", "\u200e": "", "\u200f": ""})


def read(text: str) -> int | None:
    """Return the Unix ms of a time in any writing; None for what is no time, or might be two.

    >>> read("Fri, 14 Nov 2025 10:00:00 GMT"), read("14.11.2025 10:00"), read("1763114400000000")
    (1763114400000, 1763114400000, 1763114400000)
    >>> read("04/05/2026"), read("12/24/2025 6:00 PM") == read("2025-12-24T18:00Z"), read("soon")
    (None, True, None)
    """
    text = text.translate(_BLANKS).strip()
    if not text or len(text) > LONGEST:
        return None
    begin = text[0]
    if begin not in "0123456789+-/\\" and text[:3].lower() not in _STARTS:
        return None
    if _NUMBER.fullmatch(text):
        return number(Decimal(text))
    found = _DOT_NET.fullmatch(text)
    if found is not None:
        return int(found[1])
    if text.startswith("+00"):  # how JavaScript writes a year of more than four digits
        text = text[3:]
    if text[:4].isdecimal() and (at := _iso(text)) is not None:
        return at
    return _matched(text)


def _iso(text: str) -> int | None:
    """Return what Python reads as ISO 8601, its basic form, weeks and small letters among it."""
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment.replace(tzinfo=None) - (moment.utcoffset() or timedelta()) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        return None


def number(value: Decimal | int) -> int | None:
    """Return the Unix ms of a number: seconds, milli-, micro- or nanoseconds by its size, or digits such as 20251224.

    >>> [number(each) for each in (1763114400, 1763114400123, 1763114400123456, 1763114400123456789)]
    [1763114400000, 1763114400123, 1763114400123, 1763114400123]
    """
    size = value if value >= 0 else -value
    if size >= _NANOSECONDS:
        return None
    if size >= _MICROSECONDS:
        return int(value // 1_000_000)
    if size >= _MILLISECONDS:
        return int(value // 1_000)
    whole = value == int(value)
    if whole and _COMPACT.fullmatch(str(int(value))) and (at := _compact(str(int(value)))) is not None:
        return at
    return int(value) if size >= _SECONDS else int(value * 1_000)


def _compact(text: str) -> int | None:
    """Return the time that 20251224 or 20251224180000 is; None for what is none."""
    try:
        moment = datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%Y%m%d%H%M%S")  # noqa: DTZ007 (it is UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // _MS


def _matched(text: str) -> int | None:
    """Return the time of a text by the first pattern that is all of it."""
    for pattern, date in _PATTERNS:
        found = pattern.fullmatch(text)
        if found is not None:
            said = found.groupdict()
            try:
                day = date(said)
                return None if day is None else _ms(day, said)
            except (ValueError, OverflowError):
                return None
    return None


Said = dict[str, str | None]


def _year_first(said: Said) -> datetime:
    return datetime(int(said["year"] or 0), int(said["number"] or 0), int(said["day"] or 0))  # noqa: DTZ001


def _year_last(said: Said) -> datetime | None:
    """Dots are written with the day first everywhere; else a number above 12 must tell which is the day."""
    one, two, year = int(said["one"] or 0), int(said["two"] or 0), int(said["year"] or 0)
    if said["sep"] == "." or one > 12 or one == two:
        return datetime(year, two, one)  # noqa: DTZ001
    return datetime(year, one, two) if two > 12 else None  # noqa: DTZ001


def _day_of_year(said: Said) -> datetime | None:
    year, ordinal = int(said["year"] or 0), int(said["ordinal"] or 0)
    day = datetime(year, 1, 1) + (ordinal - 1) * _DAY  # noqa: DTZ001
    return day if day.year == year else None


def _words(said: Said) -> datetime:
    year = int(said["year"] or 0)
    if len(said["year"] or "") == 2:  # POSIX: 69 to 99 are of the last century
        year += 1900 if year >= 69 else 2000
    return datetime(year, _MONTHS.index((said["month"] or "").lower()) + 1, int(said["day"] or 0))  # noqa: DTZ001


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[Said], datetime | None]], ...] = (
    (_YEAR_FIRST, _year_first),
    (_YEAR_LAST, _year_last),
    (_DAY_OF_YEAR, _day_of_year),
    *((pattern, _words) for pattern in _WORDS),
)


def _ms(day: datetime, said: Said) -> int | None:
    hour, minute, second = (int(said[name] or 0) for name in ("hour", "minute", "second"))
    if said["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if said["half"] in "pP" else 0)
    if minute > 59 or second > 60 or hour > 23 + (minute == second == 0):  # 24:00 is the end of a day
        return None
    local = day + timedelta(hours=hour, minutes=minute, seconds=second)
    offset = _offset(local, said)
    if offset is None:
        return None
    return (local - offset - _EPOCH) // _MS + int((said["part"] or "0")[:3].ljust(3, "0"))


def _offset(local: datetime, said: Said) -> timedelta | None:
    """Return how far east a zone is; none is UTC. Return None for a zone that is not known."""
    zone, offset, region = said["zone"], said["offset"], said["region"]
    if offset:
        if zone and ZONES.get(zone.lower()) != 0:
            return None  # whether CET-1 is east or west depends on who is asked
        parts = re.findall(r"\d{1,2}", offset if len(offset) % 2 or ":" in offset else f"0{offset[1:]}")
        hours, minutes, seconds = (*map(int, parts), 0, 0)[:3]
        if hours > 23 or minutes > 59 or seconds > 59:
            return None
        east = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return -east if offset[0] == "-" else east
    if zone:
        minutes = ZONES.get(zone.lower(), -1)
        return None if minutes == -1 else timedelta(minutes=minutes)
    if region and "/" in region:
        known = _zone(region)
        return None if known is None else local.replace(tzinfo=known).utcoffset()
    return timedelta()


@lru_cache(maxsize=1_000)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None
