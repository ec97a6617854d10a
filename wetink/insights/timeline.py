"""Timeline: events, opens and clicks of one person, the newest first, a page at a time."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.insights.reports import Reports
from wetink.ports import Storage
from wetink.ports.ledger import Opened

PAGE, MOST = 50, 3_200
"""Entries of a page, and the most that one page reads when many happened in one millisecond."""
SAME_MS = 2_000
"""An open that was counted this many milliseconds from one with a picture is the same open."""
EVER = -(1 << 60)

Entry: TypeAlias = Event | Opened
"""Something that happened: an event, or an open with its decision."""


class Timeline(msgspec.Struct, frozen=True):
    """A page of entries, the newest first. `older` (Unix ms) is where the next page begins; None after the last."""

    entries: Sequence[Entry]
    older: int | None


def at_of(entry: Entry) -> int:
    """Return when an entry happened, in Unix ms."""
    return entry.at if isinstance(entry, Event) else entry.decision.at


async def timeline(
    store: Storage, reports: Reports, root: Identifier, names: Sequence[Identifier], now: int, until: int
) -> Timeline:
    """Return what the profile of `root` and its `names` at `now` did up to `until` (both Unix ms).

    A page ends between two milliseconds, so that pages neither repeat an entry nor leave one out. Raises
    StoreUnavailable.
    """
    recipients, limit = [str(each) for each in names], PAGE
    while True:
        events = list(await store.profiles.history(root, until, limit, owner_at=now))
        contacts = await reports.contacts(names, until, limit)
        opens = await store.archive.newest(until, limit, recipients=recipients)
        read: list[Sequence[Entry]] = [events[::-1], contacts[::-1], opens]
        end = max((at_of(each[-1]) for each in read if len(each) == limit), default=EVER)
        ends = any(each and at_of(each[0]) > end for each in read)
        if ends or end == EVER or limit >= MOST:
            break
        limit *= 4
    first = end + 1 if ends or end == EVER else end  # of more in one millisecond, some are left out
    every: list[Entry] = [*events, *_unseen(contacts, opens), *opens]
    kept = [entry for entry in every if at_of(entry) >= first]
    return Timeline(sorted(kept, key=at_of, reverse=True), first - 1 if end != EVER else None)


def _unseen(contacts: Sequence[Event], opens: Sequence[Opened]) -> list[Event]:
    """Return the clicks, and the opens without a decision."""
    seen: dict[tuple[str, str], list[int]] = {}
    for each in opens:
        seen.setdefault((each.decision.block, each.decision.variant), []).append(each.decision.at)

    def is_seen(contact: Event) -> bool:
        place = contact.properties["block"], contact.properties["variant"]
        return contact.name == "Email Opened" and any(abs(at - contact.at) <= SAME_MS for at in seen.get(place, ()))

    return [contact for contact in contacts if not is_seen(contact)]
