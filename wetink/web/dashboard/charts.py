"""Charts: numbers as the coordinates of an SVG in a box that stretches to the page's width."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from wetink.core.signals.experiment_result import Point
from wetink.core.signals.lift import Lift

HEIGHT = 120.0
"""Height of a chart's box; its width is 1000."""
WIDTH = 1000.0


class Bar(msgspec.Struct, frozen=True):
    """The bars of one day: values and positions. A second value of None draws one bar."""

    day: int
    values: tuple[float, ...]
    x: float
    width: float
    tops: tuple[tuple[float, float, float, float], ...]
    """x, y, width and height of each bar."""


class Bars(msgspec.Struct, frozen=True):
    """A chart of bars by day, with the maximum rounded up to a readable number."""

    bars: tuple[Bar, ...]
    top: float


def bars(days: Sequence[tuple[int, tuple[float, ...]]]) -> Bars:
    """Return the bars of these days, which have the same number of values."""
    most = nice(max((max(values) for _, values in days), default=0))
    step = WIDTH / max(len(days), 1)
    made = []
    for index, (day, values) in enumerate(days):
        left, room = index * step, step * 0.72
        each = room / len(values)
        made.append(
            Bar(
                day,
                values,
                round(left, 2),
                round(step, 2),
                tuple(
                    (
                        round(left + (step - room) / 2 + place * each, 2),
                        round(HEIGHT - HEIGHT * max(value, 0) / most, 2),
                        round(each * 0.92, 2),
                        round(HEIGHT * max(value, 0) / most, 2),
                    )
                    for place, value in enumerate(values)
                ),
            )
        )
    return Bars(tuple(made), most)


def nice(value: float) -> float:
    """Return the next higher number that reads well on an axis.

    >>> [nice(each) for each in (0, 3, 7, 12, 41, 980)]
    [1.0, 3.0, 8.0, 15.0, 50.0, 1000.0]
    """
    if value <= 1:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return float(next(step * size for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * size >= value))


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


class Course(msgspec.Struct, frozen=True):
    """A comparison over time: the line of the difference and the band of its bounds, as SVG points. 0 is at `zero`."""

    line: str
    band: str
    zero: float
    limit: float
    first: int
    last: int


def course(points: Sequence[Point], worth: float) -> Course | None:
    """Return a comparison over time; None with fewer than two days."""
    known = [each for each in points if each.lift.relative is not None and all(map(math.isfinite, each.lift.relative))]
    if len(known) < 2:
        return None
    limit = min(limit_of((each.lift for each in known[len(known) // 3 :]), worth), 2.0)

    def height(value: float) -> float:
        return round(HEIGHT / 2 - HEIGHT / 2 * max(-1.0, min(1.0, value / limit)), 2)

    xs = [round(WIDTH * index / (len(known) - 1), 2) for index in range(len(known))]
    ends = [each.lift.relative or (0.0, 0.0, 0.0) for each in known]
    line = " ".join(f"{x},{height(middle)}" for x, (middle, _, _) in zip(xs, ends, strict=True))
    upper = [f"{x},{height(high)}" for x, (_, _, high) in zip(xs, ends, strict=True)]
    lower = [f"{x},{height(low)}" for x, (_, low, _) in zip(xs, ends, strict=True)]
    return Course(line, " ".join([*upper, *lower[::-1]]), HEIGHT / 2, limit, known[0].day, known[-1].day)
