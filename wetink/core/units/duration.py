"""Duration: a length of time such as `30m`, `12h`, `7d` or `2w`."""

import re
from functools import lru_cache

from wetink.core.errors import BadContent

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
"""Unit -> milliseconds."""
MINUTE, HOUR, DAY = UNITS["m"], UNITS["h"], UNITS["d"]

_SPAN = re.compile(r"\s*(\d{1,6})\s*([smhdw])\s*")


@lru_cache(maxsize=1_000)
def parse(text: str) -> int:
    """Return the milliseconds of a duration. Raises BadContent if the text is not a duration.

    >>> parse("7d"), parse("90 m")
    (604800000, 5400000)
    """
    match = _SPAN.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise BadContent(f"{text!r} is not a duration", hint="write 30m, 12h, 7d or 2w")
    return int(match[1]) * UNITS[match[2]]
