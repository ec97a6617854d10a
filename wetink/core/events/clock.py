"""Clock: the time of an event. Reads times, corrects client clocks, rejects impossible times. All are Unix ms.

Times are accepted in the formats of SDKs, languages and databases. A text with two readings, such as 04/05/2026, is
rejected. A time without a zone is UTC.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from wetink.core.events.event import Problem, problem
from wetink.core.events.message import Message

_LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (both sides of the difference are UTC)
_MS = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
LONGEST = 120
"""Characters of the longest time: JavaScript's, with a zone's long name."""

_SECONDS, _MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17, 10**20
"""The unit of a number by its size: each limit belongs to a unit. Seconds reach to the year 5138, finer units start in
1973."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_STARTS = frozenset((*_MONTHS, *_DAYS))

ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "wet": 0, "west": 60, "cet": 60, "cest": 120,
    "eet": 120, "eest": 180, "msk": 180, "jst": 540, "kst": 540, "sgt": 480, "hkt": 480, "awst": 480, "acst": 570,
    "acdt": 630, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip
"""Zone names with a single meaning, as minutes east of Greenwich: those of RFC 2822, and others in use."""

_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_WEEKDAY = rf"(?:(?:{'|'.join(_DAYS)})[a-z]*\.?,?\s+)"
_CLOCK = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{1,2})(?:[:.](?P<second>\d{1,2})(?:[.,](?P<part>\d+))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\b\.?)?"
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


def read_text(text: str) -> int | None:
    """Return the Unix ms of a time in any format; None for any other text, and for one with two readings.

    >>> read_text("Fri, 14 Nov 2025 10:00:00 GMT"), read_text("14.11.2025 10:00"), read_text("1763114400000000")
    (1763114400000, 1763114400000, 1763114400000)
    >>> read_text("04/05/2026"), read_text("12/24/2025 6:00 PM") == read_text("2025-12-24T18:00Z"), read_text("soon")
    (None, True, None)
    """
    text = text.translate(_BLANKS).strip()
    if not text or len(text) > LONGEST:
        return None
    begin = text[0]
    if begin not in "0123456789+-/\\" and text[:3].lower() not in _STARTS:
        return None
    if _NUMBER.fullmatch(text):
        return of_number(Decimal(text))
    found = _DOT_NET.fullmatch(text)
    if found is not None:
        return int(found[1])
    if text.startswith("+00"):  # JavaScript's form of a year with more than four digits
        text = text[3:]
    if text[:4].isdecimal() and (at := _iso(text)) is not None:
        return at
    return _matched(text)


def _iso(text: str) -> int | None:
    """Return the Unix ms of an ISO 8601 time, including the basic format, weeks and small letters; else None."""
    try:
        moment = datetime.fromisoformat(text.upper())
        return (moment.replace(tzinfo=None) - (moment.utcoffset() or timedelta()) - _LOCAL_EPOCH) // _MS
    except (ValueError, OverflowError):
        return None


def of_number(value: Decimal | int) -> int | None:
    """Return the Unix ms of a number: seconds, milli-, micro- or nanoseconds by its size, or digits such as 20251224.

    >>> [of_number(each) for each in (1763114400, 1763114400123, 1763114400123456, 1763114400123456789)]
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
    """Return the Unix ms of 20251224 or 20251224180000; None for other digits."""
    try:
        moment = datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%Y%m%d%H%M%S")  # noqa: DTZ007 (it is UTC)
    except ValueError:
        return None
    return (moment - _LOCAL_EPOCH) // _MS


def _matched(text: str) -> int | None:
    """Return the Unix ms of a text by the first pattern that matches all of it; else None."""
    for pattern, date in _PATTERNS:
        found = pattern.fullmatch(text)
        if found is not None:
            said = found.groupdict()
            try:
                day = date(said)
                return None if day is None else _moment(day, said)
            except (ValueError, OverflowError):
                return None
    return None


Said = dict[str, str | None]


def _year_first(said: Said) -> datetime:
    return datetime(int(said["year"] or 0), int(said["number"] or 0), int(said["day"] or 0))  # noqa: DTZ001


def _year_last(said: Said) -> datetime | None:
    """Return the date. With dots the day is first; otherwise a number above 12 must identify the day, else None."""
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


def _moment(day: datetime, said: Said) -> int | None:
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
    return (local - offset - _LOCAL_EPOCH) // _MS + int((said["part"] or "0")[:3].ljust(3, "0"))


def _offset(local: datetime, said: Said) -> timedelta | None:
    """Return a zone's offset, positive to the east; UTC without a zone, None for an unknown zone."""
    zone, offset, region = said["zone"], said["offset"], said["region"]
    if offset:
        if zone and ZONES.get(zone.lower()) != 0:
            return None  # the sign of CET-1 has two conventions
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


YEAR_2000 = 946_684_800_000
"""The earliest time of an event (Unix ms)."""

LATEST = 253_370_764_799_000
"""The latest moment (Unix ms): the end of the year 9998. Calendars end with 9999, and apps look months ahead."""

AHEAD_MS = 5 * 60_000
"""The furthest that an event may be ahead of its receipt, in milliseconds."""

SLIGHT_MS = 5_000
"""A clock that seems off by up to this (ms) is right: the delay of delivery varies from batch to batch."""

MOST_MS = 86_400_000
"""A clock that seems off by more than this (ms) is right as well: its events are history, sent again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_PLAIN = datetime(1970, 1, 1)  # noqa: DTZ001 - a time without an offset is UTC


def parse(value: Any) -> int | None:
    """Return the Unix ms of a time as clients write it; None for any other value.

    A text has one of the formats of `read_text`, in UTC unless it has an offset. A number, also as a text, counts
    seconds, milli-, micro- or nanoseconds since 1970.

    >>> parse("2015-2-02T00:30:08.276Z"), parse(1257894000), parse("1257894000000"), parse("soon")
    (1422837008276, 1257894000000, 1257894000000, None)
    """
    kind = type(value)
    if kind is str:
        try:
            if value[4] == "-":
                return _ms(datetime.fromisoformat(value))
        except (ValueError, IndexError, OverflowError):
            pass
        return read_text(value)
    if kind is int:
        return value if 100_000_000_000 <= value < 10_000_000_000_000 else of_number(value)
    if kind is float and -1e20 < value < 1e20:  # false for NaN as well
        return of_number(Decimal(repr(value)))
    return None


def _ms(moment: datetime) -> int:
    since = moment - (_EPOCH_PLAIN if moment.tzinfo is None else _EPOCH)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def believed(at: int, received: int) -> bool:
    """Return whether an event received at `received` (Unix ms) can have happened at `at`."""
    return YEAR_2000 <= at <= received + AHEAD_MS


def corrected(own: int | None, sent: int | None, received: int, first_received: int | None = None) -> int:
    """Return the time of an event by our clock: `received - (sent - own)`, all in Unix ms.

    `own` is the client's time of the event and `sent` the client's time of sending; without `sent`, nothing is
    corrected. `first_received` is the time of receipt by a relay, which then replaces `received` in the formula. A
    clock that seems off by up to five seconds is right. If it seems off by more than a day, a possible `own` stays:
    history keeps its dates. A result before 2000, or more than five minutes after receipt, is replaced by `received`.

    >>> corrected(YEAR_2000 + 50, YEAR_2000 + 60, YEAR_2000 + 10_000) - YEAR_2000
    9990
    >>> corrected(YEAR_2000 + 50, YEAR_2000 + 60, YEAR_2000 + 1_000) - YEAR_2000
    50
    """
    if own is None:
        return received
    at = own
    if sent is not None:
        late = first_received is None or not believed(first_received, received)
        off = (received if late else first_received) - sent  # type: ignore[operator]
        if (off > SLIGHT_MS or off < -SLIGHT_MS) and (-MOST_MS <= off <= MOST_MS or not believed(own, received)):
            at = own + off
    return at if YEAR_2000 <= at <= received + AHEAD_MS else received


RECEIPT_COUNTS, NOT_CORRECTED = ", so the time of receipt counts", ", so the sender's clock is not corrected"


def happened(message: Message, received: int, noted: list[Problem], relayed: bool = False) -> tuple[int, int | None]:
    """Return the time of a message by our clock, and its own time by the client's clock, if it has one (Unix ms).

    A relay has corrected `timestamp` beside `originalTimestamp`, and that of a `relayed` message. Alone, either is the
    client's own. Unreadable and impossible times are added to `noted`.
    """
    timestamp = _read(noted, "timestamp", message.timestamp) if message.timestamp is not None else None
    original = (
        _read(noted, "originalTimestamp", message.originalTimestamp) if message.originalTimestamp is not None else None
    )
    said = timestamp if timestamp is not None else original
    if timestamp is not None and (original is not None or relayed):
        at = corrected(timestamp, None, received)
    else:
        sent_given = message.sentAt if message.sentAt is not None else message.sent_at
        sent = _read(noted, "sentAt", sent_given) if sent_given is not None else None
        before = parse(message.receivedAt) if message.receivedAt is not None else None
        at = corrected(said, sent, received, before)
        if sent is not None and said is not None and sent < YEAR_2000 <= said:
            noted.append(problem("unlikely_time", "sentAt", NOT_CORRECTED))
    if said is not None and at == received != said and not believed(said, received):
        place = "timestamp" if timestamp is not None else "originalTimestamp"
        noted.append(problem("unlikely_time", place, RECEIPT_COUNTS))
    return at, original if original is not None else timestamp


def _read(noted: list[Problem], place: str, value: Any) -> int | None:
    """Return a time of the message; an unreadable one is added to `noted`."""
    at = parse(value)
    if at is None and value != "":
        noted.append(problem("unreadable_time", place, NOT_CORRECTED if place == "sentAt" else RECEIPT_COUNTS))
    return at
