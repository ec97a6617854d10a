"""Clock: when did it happen? Client clocks are corrected, impossible ones are not believed. All times are Unix ms."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from wetink.core.units.timestamps import number, read

YEAR_2000 = 946_684_800_000
"""No event is older (Unix ms)."""

LATEST = 253_370_764_799_000
"""The last second of the year 9998: no moment is later. A calendar ends with 9999, and apps look months ahead."""

AHEAD_MS = 5 * 60_000
"""How far ahead of its receipt an event may claim to be."""

SLIGHT_MS = 5_000
"""A clock that seems no further off than this is right: the rest is the way here, and differs from batch to batch."""

MOST_MS = 86_400_000
"""A clock that seems further off than this was not off: what it sent is history that is sent again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_PLAIN = datetime(1970, 1, 1)  # noqa: DTZ001 - a time without an offset is UTC


def parse(value: Any) -> int | None:
    """Return the Unix ms of a time as clients write it, None when it is none.

    A text in any of the writings that `timestamps.read` knows (without an offset: UTC), or the seconds, milli-, micro-
    or nanoseconds since 1970, as a number or in a string.

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
        return read(value)
    if kind is int:
        return value if 100_000_000_000 <= value < 10_000_000_000_000 else number(value)
    if kind is float and -1e20 < value < 1e20:  # also false for NaN
        return number(Decimal(repr(value)))
    return None


def _ms(moment: datetime) -> int:
    since = moment - (_EPOCH_PLAIN if moment.tzinfo is None else _EPOCH)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def believed(at: int, received: int) -> bool:
    """Whether something that was received then (Unix ms) can have happened at this time."""
    return YEAR_2000 <= at <= received + AHEAD_MS


def corrected(own: int | None, sent: int | None, received: int, first_received: int | None = None) -> int:
    """Return when it happened by our clock: `received - (sent - own)`, all in Unix ms.

    `own` is the client's time of the event and `sent` the client's time of sending; without `sent` there is nothing to
    correct by. `first_received` is when a relay received it, which is then what its sending is compared with. A clock
    that seems off by five seconds or less is right. One that seems off by more than a day is not corrected as long as
    the event's own time can be believed: history keeps its dates. A result before 2000 or more than five minutes ahead
    of receipt is not believed: then `received`.

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
