"""Held: what each feed holds, and how good that is."""

from typing import Any

import msgspec

from wetink.core.outbound.feed import Feed, due_at
from wetink.web.clock import now_ms
from wetink.wiring import Wetink


class Held(msgspec.Struct, frozen=True, rename="camel"):
    """A feed and what it holds. `age_ms` is None for what is asked for each person or not there.

    `next_at` (Unix ms) is when its address is asked again, 0 for at once, None for what nobody asks by itself.
    """

    name: str
    purpose: str
    source: str
    uploaded: bool
    each: bool
    every: str
    state: str
    because: str
    age_ms: int | None
    next_at: int | None
    failures: int
    count: int
    left_out: int
    problems: tuple[str, ...]


def held(wetink: Wetink) -> list[Held]:
    """Return the feeds of the content folder with what they hold."""
    return [held_of(wetink, feed) for _, feed in sorted(wetink.content.feeds.items())]


def held_of(wetink: Wetink, feed: Feed) -> Held:
    """Return one of them."""
    given, kept = wetink.feeds.give(feed.name), wetink.feeds.snapshot(feed.name)
    seen: dict[str, Any] = {"count": 0, "left_out": 0, "problems": (), "failures": 0}
    if kept is not None:
        seen = {name: getattr(kept, name) for name in seen}
    each = feed.per_person is not None
    state, because = ("per person", "") if each else (given.state, given.because)
    due = None if each or feed.file else max(due_at(feed, kept), now_ms() if kept is None else 0)
    return Held(
        feed.name,
        feed.purpose,
        feed.url or feed.file,
        bool(feed.file),
        each,
        feed.every,
        state,
        because,
        given.age_ms,
        due,
        **seen,
    )
