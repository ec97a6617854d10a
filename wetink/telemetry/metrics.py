"""Metrics: the table of all counters, gauges and histograms that each process of a server keeps.

An observation adds to two numbers in memory: a third of a microsecond, so the busiest endpoints can afford it. A scrape
(`wetink.web.metrics`) adds up the rows of all processes. The label values of a series are known before it starts, so
nothing looks up a label on the way. Observe in the event loop only: threads would lose additions.
"""

import os
from bisect import bisect_left
from collections.abc import Sequence
from time import perf_counter

from wetink.telemetry import tracing
from wetink.telemetry.memory import ROW_BYTES, Memory, Numbers
from wetink.telemetry.request import step

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.7, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of a histogram's buckets, in seconds. An open's default deadline is one of them."""

ALL: list["Series"] = []
"""All series, in the order of the exposition."""

_memory, _row = Memory(1), 0


class Series:
    """One series: a metric with its labels. Its numbers are in the row of this process, from index `at` on."""

    __slots__ = ("at", "labels", "meaning", "name", "numbers")
    kind, size = "", 1

    def __init__(self, name: str, meaning: str, **labels: str) -> None:
        """Add the series to the table. All series of one `name` have the same label names."""
        self.name, self.meaning, self.labels = name, meaning, labels
        self.at: int = ALL[-1].at + ALL[-1].size if ALL else 0
        if (self.at + self.size) * 8 > ROW_BYTES:
            raise ValueError(f"{name} does not fit into a row")
        self.numbers: Numbers = _memory.row(_row)
        ALL.append(self)


class Counter(Series):
    """A number that only grows."""

    __slots__ = ("_reached",)
    kind = "counter"

    def __init__(self, name: str, meaning: str, **labels: str) -> None:
        """Add the series to the table."""
        super().__init__(name, meaning, **labels)
        self._reached = 0.0

    def add(self, count: float = 1.0) -> None:
        """Add to it."""
        self.numbers[self.at] += count

    def reach(self, count: float) -> None:
        """Add what is missing to the total of this process. A later call has the same or a larger `count`."""
        self.numbers[self.at] += count - self._reached
        self._reached = count


class Gauge(Series):
    """A number of this process. A scrape shows the sum over all processes."""

    __slots__ = ()
    kind = "gauge"

    def set(self, value: float) -> None:
        """Replace it."""
        self.numbers[self.at] = value


class Histogram(Series):
    """Durations by bucket (`BOUNDS`, seconds), and their sum."""

    __slots__ = ()
    kind, size = "histogram", len(BOUNDS) + 2

    def observe(self, seconds: float) -> None:
        """Add one duration."""
        numbers, at = self.numbers, self.at
        numbers[at + bisect_left(BOUNDS, seconds)] += 1.0
        numbers[at + len(BOUNDS) + 1] += seconds

    def since(self, begun: float) -> None:
        """Add the duration since `begun`, a value of `perf_counter`."""
        self.observe(perf_counter() - begun)


class Stage(Histogram):
    """A histogram whose durations are also spans of a trace, called `span`."""

    __slots__ = ("span",)

    def __init__(self, span: str, name: str, meaning: str, **labels: str) -> None:
        """Add the series to the table."""
        super().__init__(name, meaning, **labels)
        self.span = span

    def since(self, begun: float) -> None:
        """Add the duration since `begun`, a value of `perf_counter`."""
        ended = perf_counter()
        self.observe(ended - begun)
        if tracing.tracer is not None:
            step(self.span, begun, ended)


class Route:
    """The requests of one group of paths. With `traced`, each is a trace if anything is."""

    __slots__ = ("answers", "name", "seconds", "traced")

    def __init__(self, name: str, *, traced: bool = False) -> None:
        """Add its series to the table."""
        self.name, self.traced = name, traced
        self.seconds = Histogram("wetink_request_seconds", "Time to answer a request, by group of paths.", route=name)
        self.answers = tuple(
            Counter("wetink_requests", "Answered requests, by class of status.", route=name, status=f"{digit}xx")
            for digit in range(2, 6)
        )

    def ended(self, status: int, begun: float) -> None:
        """Count an answer with its status. `begun` is a value of `perf_counter`."""
        seconds, (numbers, at) = perf_counter() - begun, (self.seconds.numbers, self.seconds.at)
        numbers[at + bisect_left(BOUNDS, seconds)] += 1.0
        numbers[at + len(BOUNDS) + 1] += seconds
        numbers[self.answers[max(status // 100, 2) - 2].at] += 1.0


PID = Gauge("wetink_process_id", "The process of a row; 0 while there is none.")
STARTED = Gauge("wetink_process_started", "When this process began to answer, in Unix seconds.")

_TRACED = ("picture", "data", "click", "alt_text", "html", "message", "batch", "behavioral", "pixel")
"""Opens and messages."""
ROUTES = {
    **{name: Route(name, traced=True) for name in _TRACED},
    **{name: Route(name) for name in ("sdk", "vote", "api", "dashboard", "other")},
}

_FIRST = {
    **{"o": "picture", "d": "data", "c": "click", "a": "alt_text", "h": "html", "v": "vote"},
    **{"api": "api", "dashboard": "dashboard", "behavioral": "behavioral"},
    **{"projects": "sdk", "sourceConfig": "sdk", "analytics.js": "sdk", "beacon": "batch"},
}
"""Groups of paths by the first part of the path. Those below /v1/ depend on the second part."""
_MESSAGES = {"batch": "batch", "b": "batch", "import": "batch", "pixel": "pixel", "projects": "sdk"}


def route_of(path: str) -> Route:
    """Return the group of a path.

    >>> [route_of(path).name for path in ("/o/hero/1", "/v1/t", "/v1/b", "/v1/pixel/track", "/api/feeds", "/", "/x")]
    ['picture', 'message', 'batch', 'pixel', 'api', 'other', 'other']
    """
    first, _, rest = path[1:].partition("/")
    if first == "v1":
        return ROUTES[_MESSAGES.get(rest.partition("/")[0], "message")]
    return ROUTES[_FIRST.get(first, "other")]


_OPENS = "Answered opens. A repeated one reuses an answer of the last two seconds; fallback means an error."
OPENS = {
    kind: {
        outcome: Counter("wetink_opens", _OPENS, kind=kind, outcome=outcome)
        for outcome in ("decided", "repeated", "fallback")
    }
    for kind in ("picture", "data", "click")
}
FALLBACKS = {
    (rung, cause): Counter(
        "wetink_fallbacks",
        "Opens that got a replacement, by rung and cause: the decision of the email's other pictures, else the "
        "recipient's last good picture, else the block's fallback; the data or the link of a fallback.",
        rung=rung,
        cause=cause,
    )
    for rung in ("decision", "last_good", "fallback", "data", "link")
    for cause in ("deadline", "error")
}
DECISIONS = {
    by: Counter(
        "wetink_decisions", "Decisions settled, by what settled them, with a stream in front of the store.", by=by
    )
    for by in ("bucket", "store")
}
UNKNOWN_BLOCKS = Counter("wetink_unknown_block_opens", "Opens of an unknown block. They get a blank picture.")

MESSAGES = {
    outcome: Counter("wetink_messages", "Received messages by outcome. A parked one is set aside.", outcome=outcome)
    for outcome in ("usable", "unusable", "parked", "duplicate", "failed")
}

REPLICA_READS = [
    Counter(
        "wetink_replica_reads", "Reads of opens that a replica answered in place of the primary.", replica=str(number)
    )
    for number in range(16)
]
"""By place of the replica in the address of the store. A scrape knows their names."""

_STAGE = "Time of a store operation as its caller waits for it, in seconds."
APPEND = Histogram("wetink_store_seconds", _STAGE, operation="append")
LOAD = Stage("load", "wetink_store_seconds", _STAGE, operation="load")
SETTLE = Stage("settle", "wetink_store_seconds", _STAGE, operation="settle")
DECIDE = Stage("decide", "wetink_decide_seconds", "Time to decide an open, with all its lookups, in seconds.")

DRAW = Histogram("wetink_draw_seconds", "Time of a drawing job, without its wait for a drawer, in seconds.")
DRAW_WAIT = Histogram("wetink_draw_wait_seconds", "Time that a drawing job waits for a free drawer, in seconds.")
DRAW_FAILURES = {
    reason: Counter(
        "wetink_draw_failures", "Drawing jobs that failed: by their template, or by the drawer's end.", reason=reason
    )
    for reason in ("template", "drawer")
}
DRAWERS = Gauge("wetink_drawers", "Processes that draw pictures.")
DRAWERS_BUSY = Gauge("wetink_drawers_busy", "Processes that are drawing a picture.")
DRAW_QUEUE = Gauge("wetink_draw_queue", "Drawing jobs that wait for a free drawer.")

LOOP_DELAY = Histogram("wetink_loop_delay_seconds", "Delay of a timer of the event loop, once a second, in seconds.")
TASK_FAILURES = Counter("wetink_task_failures", "Turns of background tasks that failed. /healthz names the tasks.")
ERRORS = Counter("wetink_logged_errors", "Errors in the log.")
LOST = Counter("wetink_lost_records", "Opens and clicks that were given up because the disk was too slow.")
RESTARTS = Counter("wetink_worker_restarts", "Worker processes that the server replaced because they ended or hung.")


def use(memory: Memory, row: int) -> None:
    """Keep the numbers of this process in a row of `memory` from now on."""
    global _memory, _row
    _memory, _row = memory, row
    for series in ALL:
        series.numbers = memory.row(row)
        if series.kind == "gauge":
            series.numbers[series.at] = 0.0


def started(now: float) -> None:
    """Note that this process answers requests from `now` (Unix seconds) on."""
    PID.set(os.getpid())
    STARTED.set(now)


def rows() -> Sequence[Numbers]:
    """Return the numbers of all processes of this server."""
    return _memory.all()


def total(series: Series, offset: int = 0) -> float:
    """Return a number of a series, added up over all processes."""
    return sum(row[series.at + offset] for row in rows())
