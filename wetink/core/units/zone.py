"""Zone: time zones as browsers, devices and shops write them.

wetink stores a zone under one name: IANA's (`Europe/Berlin`), `UTC`, or an offset (`+05:30`).
"""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global

TRAITS = ("timeZone", "timezone", "time_zone", "tz", "timezoneOffset", "timezone_offset")
"""Traits with a time zone, by the names that shops use."""
LONGEST = 64
"""Maximum length of a zone's name, in characters."""

FURTHEST = 14 * 60
"""The largest offset from UTC, in minutes."""

_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+\-\u2212])\s*(\d{1,2})(?::?(\d{2}))?(?::?00)?", re.IGNORECASE)
_MINUTES = re.compile(r"\d{1,5}(?:\.\d{1,2})?|-\d{3}|-\d{5}|-\d{1,2}\.\d{1,2}")
_KEPT = re.compile(r"([+-])(\d\d):(\d\d)")
_ZERO = frozenset(["utc", "gmt", "z", "zulu", "uct", "etc/utc", "etc/gmt", "etc/uct", "etc/zulu", "greenwich"])
_PLACE = re.compile(r"[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_-]+){1,2}")
_AROUND = re.compile(r"\((?:UTC|GMT)[^)]*\)\s*", re.IGNORECASE)
_LETTERS = {
    "est": "America/New_York", "edt": "America/New_York", "cdt": "America/Chicago", "mdt": "America/Denver",
    "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "akst": "America/Anchorage",
    "akdt": "America/Anchorage", "bst": "Europe/London", "cest": "Europe/Berlin", "eest": "Europe/Helsinki",
    "west": "Europe/Lisbon", "msk": "Europe/Moscow", "jst": "Asia/Tokyo", "kst": "Asia/Seoul",
    "aest": "Australia/Sydney", "aedt": "Australia/Sydney", "acst": "Australia/Adelaide", "awst": "Australia/Perth",
    "nzst": "Pacific/Auckland", "nzdt": "Pacific/Auckland",
}  # fmt: skip
"""Abbreviations that mean one zone to nearly everybody. `IST`, `CST` and `AST` have several meanings and are not
listed."""


def named(value: Any) -> str:
    """Return the one name of a zone; empty if the value names none or is misspelled.

    An offset can be text (`+02:00`, `UTC+2`, `GMT+0530`) or a number: hours east of Greenwich up to 14, or else the
    minutes of JavaScript's `getTimezoneOffset`, which count west, or else seconds east.

    >>> named("europe/berlin"), named("America/New York"), named("UTC+2"), named("GMT+0530"), named(-120), named(5.5)
    ('Europe/Berlin', 'America/New_York', '+02:00', '+05:30', '+02:00', '+05:30')
    >>> named("W. Europe Standard Time"), named("(GMT+01:00) Europe/Paris"), named("Europe/Berln"), named("Z")
    ('Europe/Berlin', 'Europe/Paris', '', 'UTC')
    """
    kind = type(value)
    if kind is str:
        return _named(value)
    if (kind is int or kind is float) and value == value:
        return _counted(value)
    return ""


@lru_cache(maxsize=2_048)
def _named(text: str) -> str:
    if len(text) > LONGEST:
        return ""
    name = _AROUND.sub("", text.strip().strip("\"'"))
    if not name:
        name = text.strip().strip("()")
    low = name.lower()
    if low in _ZERO:
        return "UTC"
    if _MINUTES.fullmatch(name):
        return _counted(float(name))  # as JavaScript prints it: an offset of three digits has a plus sign or a colon
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return _written(-minutes if offset[1] != "+" else minutes) if int(offset[3] or 0) < 60 else ""
    known = _known()
    found = known.get(low) or known.get(re.sub(r"\s*/\s*", "/", low).replace(" ", "_").replace("-", "_"))
    if found is None and _PLACE.fullmatch(name):
        found = name  # newer than the list
    return found if found is not None and _zone(found) is not None else ""


def _counted(number: float) -> str:
    if -14 <= number <= 14 and (number * 4) % 1 == 0:
        return _written(round(number * 60))
    if -FURTHEST <= number <= FURTHEST and number % 15 == 0:
        return _written(-round(number))
    return _written(round(number / 60)) if abs(number) <= FURTHEST * 60 and number % 900 == 0 else ""


def _written(minutes: int) -> str:
    if abs(minutes) > FURTHEST:
        return ""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}" if minutes else "UTC"


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Return lower-case name -> IANA's name, from CLDR's zones, their older names, and those of Windows."""
    aliases, windows = get_global("zone_aliases"), get_global("windows_zone_mapping")
    names = {str(name) for name in (*get_global("zone_territories"), *aliases, *aliases.values())}
    found = {name.lower(): str(zone) for name, zone in windows.items()}
    found |= _LETTERS | {name.lower(): name for name in names if "Unknown" not in name}
    return found | {name.replace("-", "_"): zone for name, zone in found.items() if "-" in name}


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """Return a time zone by its name; UTC for an unknown one.

    >>> zone("nowhere") is UTC, zone("+05:30").utcoffset(None)
    (True, datetime.timedelta(seconds=19800))
    """
    offset = _KEPT.fullmatch(name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    known = named(name) if name else ""
    if not known or known == "UTC":
        return UTC
    return zone(known) if _KEPT.fullmatch(known) else _zone(known) or UTC
