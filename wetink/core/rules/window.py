"""Window: when events count, worked out for one person at one moment."""

from collections.abc import Callable, Sequence

from wetink.core.errors import BadContent
from wetink.core.events.clock import parse
from wetink.core.identity import FOREVER
from wetink.core.rules.subject import Subject
from wetink.core.rules.tree import Window
from wetink.core.units.duration import parse as span_of

DAY_MS = 86_400_000
VISIT_GAP_MS = 30 * 60_000
"""After so long without an event a visit is over."""

Bounds = Callable[[Subject], tuple[int, int]]
"""The [start, end) in which events count (Unix ms)."""

ALWAYS = (-FOREVER, FOREVER)
NEVER = (FOREVER, FOREVER)


def ends(between: Sequence[str]) -> tuple[int, int]:
    """Return the [start, end) of two dates or times; a date without a time is all of that day (UTC).

    Raises BadContent for what is no time.

    >>> start, end = ends(("2026-01-01", "2026-01-02"))
    >>> (end - start) // DAY_MS
    2
    """
    start, end = (parse(text) for text in between)
    if start is None or end is None:
        wrong = between[0] if start is None else between[1]
        raise BadContent(f"{wrong!r} is no time", hint="write 2026-01-31 or 2026-01-31T09:00:00Z")
    return start, end + (DAY_MS if len(between[1].strip()) <= 10 and "-" in between[1] else 1)


def bounds(window: Window) -> Bounds:
    """Return how a window is worked out. Raises BadContent for a span or a date that means nothing."""
    if window.within:
        span = span_of(window.within)
        return lambda subject: (subject.now - span, FOREVER)
    if window.between:
        fixed = ends(window.between)
        return lambda subject: fixed
    if window.since:
        return lambda subject: _after_last(subject, window.since)
    if window.visit:
        return _visit
    return lambda subject: ALWAYS


def said(window: Window) -> str:
    """Return a window in words, with a space before."""
    if window.within:
        return f" within {window.within}"
    if window.between:
        return f" between {window.between[0]} and {window.between[1]}"
    if window.since:
        return f" since their last {window.since}"
    return " in this visit" if window.visit else ""


def _after_last(subject: Subject, event: str) -> tuple[int, int]:
    times = subject.person.done.get(event)
    return (times[-1] + 1, FOREVER) if times else ALWAYS


def _visit(subject: Subject) -> tuple[int, int]:
    """The visit that goes on: back from now as far as no gap is longer than half an hour."""
    start = 0
    for at in reversed(subject.person.history.times()):
        if (start or subject.now) - at > VISIT_GAP_MS:
            break
        start = at
    return (start, FOREVER) if start else NEVER
