"""Periods: keeps in memory the results for the conversions of a day, an hour or a minute while they hold.

A result is valid as long as the revisions behind it are the same, whichever process wrote in the meantime. A changed
day is made again from its hours, and a changed hour from its minutes, so a view costs as much as has changed since the
last one. Revisions are read before the data, so a result is never newer than its revision.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from wetink.ports import DAY, HOUR, MINUTE, Revision, Storage
from wetink.render.cache import Kept, key_of

MOST_BYTES = 16 << 20
"""Results kept by a process."""
FEW = 200
"""Conversions that are not worth dividing into shorter periods."""

NARROWER = {DAY: HOUR, HOUR: MINUTE}


class Made(msgspec.Struct, frozen=True, gc=False):
    """The result for a period, packed, and the times of the first and the last of its conversions (Unix ms)."""

    conversions: int
    first: int
    last: int
    packed: bytes


class Work(Protocol):
    """Makes results. `key` is equal only for equal work."""

    key: bytes
    names: Collection[str]
    """The names of the events behind the conversions."""
    touched: bool
    """Whether results depend on opens and clicks up to the end of their period."""

    async def make(self, since: int, until: int) -> Made:
        """Return the result for [since, until) in Unix ms."""
        ...

    def join(self, parts: Sequence[Made]) -> Made:
        """Return the result for a period from the results for its parts. Called in a thread."""
        ...


class _Valid(msgspec.Struct, frozen=True, gc=False):
    """A result with the revisions of its conversions and of opens and clicks."""

    revisions: tuple[Revision, Revision]
    made: Made


class Periods:
    """Results of a store's conversions, for the event loop of one process."""

    def __init__(self, store: Storage, *, most: int = MOST_BYTES, few: int = FEW) -> None:
        """Start empty. The results used least recently go first when they take more than `most` bytes.

        A period with up to `few` conversions is not divided.
        """
        self._store, self._few = store, few
        self._kept: Kept[_Valid] = Kept(most, lambda each: len(each.made.packed) + 200)

    async def made(self, work: Work, since: int, until: int) -> list[Made]:
        """Return the results for the parts of [since, until) (Unix ms) that have conversions, oldest first."""
        return await self._within(work, since, until, DAY)

    async def _within(self, work: Work, since: int, until: int, width: int) -> list[Made]:
        revisions = sorted((await self._store.conversions.revisions(work.names, since, until, width)).items())
        touches: Sequence[Revision] = [""] * len(revisions)
        if work.touched and revisions:
            touches = await self._store.ledger.revisions([start + width for start, _ in revisions])
        found: list[Made] = []
        for (start, revision), touch in zip(revisions, touches, strict=True):
            made = await self._valid(work, start, width, (revision, touch))
            if made.conversions and since <= made.first and made.last < until:
                found.append(made)
            elif made.conversions and made.first < until and made.last >= since:  # only a part of it is asked for
                found += await self._part(work, max(since, start), min(until, start + width), width)
        return found

    async def _valid(self, work: Work, start: int, width: int, revisions: tuple[Revision, Revision]) -> Made:
        """Return the result for a whole period, from memory if it is still valid."""
        key = key_of(work.key, start, width)
        kept = self._kept.get(key)
        if kept is not None and kept.revisions == revisions:
            return kept.made
        if kept is not None and width in NARROWER and kept.made.conversions > self._few:
            parts = await self._within(work, start, start + width, NARROWER[width])
            made = await asyncio.to_thread(work.join, parts)
        else:
            made = await work.make(start, start + width)
        self._kept.put(key, _Valid(revisions, made))
        return made

    async def _part(self, work: Work, since: int, until: int, width: int) -> list[Made]:
        if width in NARROWER:
            return await self._within(work, since, until, NARROWER[width])
        made = await work.make(since, until)
        return [made] if made.conversions else []
