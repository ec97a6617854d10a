"""Charts: series for the script that draws them, and intervals as the coordinates of an SVG."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from wetink.core.signals.experiment_result import Point
from wetink.core.signals.lift import Lift

Unit = Literal["count", "percent", "money", "lift"]


class Series(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of a chart: a value for each label, None for none. `low` and `high` are the bounds of a band around it."""

    words: str
    values: tuple[float | None, ...]
    dashed: bool = False
    labels: tuple[str, ...] = ()
    """Its own labels, if they differ from the chart's."""
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


class Chart(msgspec.Struct, frozen=True):
    """A chart by day: its title, the days as ISO dates, its lines, and the unit of the values."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: Unit = "count"
    currency: str = ""


class Whisker(msgspec.Struct, frozen=True):
    """An interval on a line: its ends and its middle in percent of the width, and whether each end is out of range."""

    lift: Lift
    low: float
    middle: float
    high: float
    open_low: bool
    open_high: bool


def limit_of(lifts: Iterable[Lift], worth: float) -> float:
    """Return the range of a line in both directions that holds these intervals, at most 2 (200%)."""
    ends = [abs(end) for each in lifts if each.relative is not None for end in each.relative[1:] if math.isfinite(end)]
    return min(max([*ends, 2 * worth]) * 1.05, 2.0)


def whisker(lift: Lift, limit: float) -> Whisker | None:
    """Return the drawing of an interval; None without one."""
    if lift.relative is None or not all(map(math.isfinite, lift.relative)):
        return None
    middle, low, high = (50 + 50 * max(-1.0, min(1.0, each / limit)) for each in lift.relative)
    return Whisker(
        lift, round(low, 2), round(middle, 2), round(high, 2), lift.relative[1] < -limit, lift.relative[2] > limit
    )


def course(points: Sequence[Point], words: str) -> Chart | None:
    """Return the chart of a comparison over time with its bounds; None with fewer than two days."""
    known = [each for each in points if each.lift.relative is not None and all(map(math.isfinite, each.lift.relative))]
    if len(known) < 2:
        return None
    ends = [each.lift.relative or (0.0, 0.0, 0.0) for each in known]
    middle, low, high = (tuple(each[place] for each in ends) for place in range(3))
    labels = tuple(_date(each.day) for each in known)
    return Chart(words, labels, (Series(words, middle, low=low, high=high),), "lift")


def _date(day: int) -> str:
    return datetime.fromtimestamp(day / 1000, UTC).date().isoformat()
