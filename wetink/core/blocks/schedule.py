"""Schedule: the time in which a block or a variant is shown, as its file spells it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import msgspec

from wetink.core.units.zone import named, zone

FIRST, LAST = 2000, 2200
"""Years that a schedule may name."""


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A beginning and an end, such as `2026-11-27T18:00`. A date alone is the whole day: `until` includes it."""

    begins: str = msgspec.field(default="", name="from")
    """Empty: it has begun."""
    until: str = ""
    """Empty: it has no end."""
    zone: str = ""
    """The time zone of both, such as `Europe/Berlin`. Empty: UTC."""


@lru_cache(maxsize=1_000)
def bounds(schedule: Schedule) -> tuple[int | None, int | None]:
    """Return the first moment of a schedule and the first one after it (Unix ms); None for a side without a bound.

    >>> bounds(Schedule("2026-01-01T01:00", "2026-01-01", "Europe/Berlin"))
    (1767225600000, 1767308400000)
    """
    return _moment(schedule.begins, schedule.zone, after=False), _moment(schedule.until, schedule.zone, after=True)


def outside(schedule: Schedule, now: int) -> str:
    """Return why a moment (Unix ms) is outside of a schedule; empty if it is not.

    >>> outside(Schedule("2026-11-27T18:00", zone="Europe/Berlin"), 1_700_000_000_000)
    'it begins on 2026-11-27 at 18:00 (Europe/Berlin)'
    >>> [outside(Schedule(until=each), 1_700_000_000_000) for each in ("2020-01-31", "2099-01-31")]
    ['it ended on 2020-02-01 at 00:00 (UTC)', '']
    """
    begins, until = bounds(schedule)
    if begins is not None and now < begins:
        return f"it begins on {_written(begins, schedule.zone)}"
    if until is not None and now >= until:
        return f"it ended on {_written(until, schedule.zone)}"
    return ""


def spoken(schedule: Schedule | None) -> str:
    """Return a schedule in words.

    >>> spoken(Schedule("2026-11-27T18:00", "2026-11-30", "Europe/Berlin")), spoken(None)
    ('from 2026-11-27 18:00 until 2026-11-30 (Europe/Berlin)', 'always')
    """
    if schedule is None:
        return "always"
    begins, until = (text.replace("T", " ") for text in (schedule.begins, schedule.until))
    parts = [f"from {begins}" if begins else "", f"until {until}" if until else "", f"({schedule.zone or 'UTC'})"]
    return " ".join(filter(None, parts))


def problems_of(schedule: Schedule) -> Iterator[str]:
    """Yield what keeps a schedule from working, with its field.

    >>> list(problems_of(Schedule("soon", "2026-01-01", "Europe/Berln")))
    ["from: 'soon' is not a date; write 2026-11-27T18:00 or 2026-11-27", "zone: there is no time zone 'Europe/Berln'"]
    """
    wrong = False
    for name, text in zip(("from", "until"), (schedule.begins, schedule.until), strict=True):
        if text and _read(text) is None:
            wrong = True
            yield f"{name}: {text[:40]!r} is not a date; write 2026-11-27T18:00 or 2026-11-27"
    if schedule.zone and named(schedule.zone) == "":
        wrong = True
        yield f"zone: there is no time zone {schedule.zone[:64]!r}"
    if not schedule.begins and not schedule.until:
        yield "add from or until, or leave out the schedule"
    elif not wrong:
        begins, until = bounds(schedule)
        if begins is not None and until is not None and until <= begins:
            yield "until: this is before the beginning"


def _read(text: str) -> datetime | date | None:
    try:
        found: datetime | date = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST <= found.year <= LAST else None


def _moment(text: str, name: str, *, after: bool) -> int | None:
    """Return the moment of a text (Unix ms), None for an empty or unreadable one. `after` is the end of a date."""
    found = _read(text) if text else None
    if found is None:
        return None
    if not isinstance(found, datetime):
        found = datetime.combine(found + timedelta(days=1) if after else found, time())
    return int((found if found.tzinfo is not None else found.replace(tzinfo=zone(name))).timestamp() * 1000)


def _written(at: int, name: str) -> str:
    where = zone(name)
    moment = datetime.fromtimestamp(at / 1000, where)
    return f"{moment:%Y-%m-%d} at {moment:%H:%M} ({name if where is not UTC and name else 'UTC'})"
