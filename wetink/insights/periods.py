"""Periods: keeps in memory the results for the conversions of a day, an hour or a minute while they hold.

A result is valid as long as the revisions behind it are the same, whichever process wrote in the meantime. A changed
day is made again from its hours, and a changed hour from its minutes, so a view costs as much as has changed since the
last one. Revisions are read before the data, so a result is never newer than its revision.

Results of days and hours that are over are also in the store, for other processes and for the next start.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec

from wetink.core.errors import StoreUnavailable
from wetink.ports import DAY, HOUR, MINUTE, Revision, Storage
from wetink.render.cache import Kept, key_of

MOST_BYTES = 32 << 20
"""Results kept by a process."""
FEW = 50
"""Conversions that are not worth dividing into shorter periods. Each takes about half a millisecond."""

NARROWER = {DAY: HOUR, HOUR: MINUTE}
PREPARED = 460 * DAY
"""How far back results are made in advance: 90 days beside those of the year before."""
FORMAT = 1
"""The version of stored results: a change of `Credits`, or of the rules behind them, needs the next one."""

logger = logging.getLogger(__name__)


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


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Valid).decode


class Periods:
    """Results of a store's conversions, for the event loop of one process."""

    def __init__(self, store: Storage, clock_ms: Callable[[], int], *, most: int = MOST_BYTES, few: int = FEW) -> None:
        """Start empty. The results used least recently go first when they take more than `most` bytes.

        A period with up to `few` conversions is not divided. `clock_ms` returns Unix ms.
        """
        self._store, self._few, self._clock, self._most = store, few, clock_ms, most
        self._begin(0)

    def _begin(self, day: int) -> None:
        """Start empty on a day: goals come and go, and the store deletes old results, which are made again."""
        self._day = day
        self._prepared: dict[bytes, dict[tuple[int, int], tuple[Revision, Revision]]] = {}
        self._kept: Kept[_Valid] = Kept(self._most, lambda each: len(each.made.packed) + 200)

    async def made(self, work: Work, since: int, until: int) -> list[Made]:
        """Return the results for the parts of [since, until) (Unix ms) that have conversions, oldest first."""
        return await self._within(work, since, until, DAY)

    async def prepare(self, work: Work) -> bool:
        """Make and store the newest result that is not stored, of a day or of an hour of today, if there is one.

        Only periods that are over count. Returns whether there was one.
        """
        now = self._clock()
        today, hour = now // DAY * DAY, now // HOUR * HOUR
        if today != self._day:
            self._begin(today)
        done = self._prepared.setdefault(work.key, {})
        for width, since, until in ((HOUR, today, hour), (DAY, today - PREPARED, today)):
            if since == until:
                continue
            for start, revisions in reversed(await self._revisions(work, since, until, width)):
                if done.get((width, start)) != revisions:
                    await self._within(work, start, start + width, width)
                    done[width, start] = revisions
                    return True
        return False

    async def _revisions(
        self, work: Work, since: int, until: int, width: int
    ) -> list[tuple[int, tuple[Revision, Revision]]]:
        """Return the periods that have conversions, oldest first, with the revisions of these and of the touches."""
        revisions = sorted((await self._store.conversions.revisions(work.names, since, until, width)).items())
        touches: Sequence[Revision] = [""] * len(revisions)
        if work.touched and revisions:
            touches = await self._store.ledger.revisions([start + width for start, _ in revisions])
        return [(start, (revision, touch)) for (start, revision), touch in zip(revisions, touches, strict=True)]

    async def _within(self, work: Work, since: int, until: int, width: int) -> list[Made]:
        revisions = await self._revisions(work, since, until, width)
        found: list[Made] = []
        stored = await self._stored(work, width, [start for start, _ in revisions])
        for start, each in revisions:
            made = await self._valid(work, start, width, each, stored.get(start))
            if made.conversions and since <= made.first and made.last < until:
                found.append(made)
            elif made.conversions and made.first < until and made.last >= since:  # only a part of it is asked for
                found += await self._part(work, max(since, start), min(until, start + width), width)
        return found

    async def _stored(self, work: Work, width: int, starts: Sequence[int]) -> Mapping[int, _Valid]:
        """Return the results in the store for periods that memory has none for."""
        missing = [start for start in starts if key_of(work.key, start, width) not in self._kept]
        if width not in NARROWER or not missing:
            return {}
        try:
            found = await self._store.report_cache.get(_place(work, width), missing)
            return {start: _decode(body) for start, body in found.items()}
        except (StoreUnavailable, msgspec.DecodeError) as error:
            logger.warning("stored sums of reports cannot be used: %s", error)
            return {}

    async def _valid(
        self, work: Work, start: int, width: int, revisions: tuple[Revision, Revision], stored: _Valid | None
    ) -> Made:
        """Return the result for a whole period, from memory or the store if it is still valid."""
        key, over = key_of(work.key, start, width), start + width <= self._clock()
        kept = self._kept.get(key) or stored
        if kept is None or kept.revisions != revisions:
            divided = kept.made.conversions > self._few if kept is not None else width == DAY and not over
            if divided and width in NARROWER:
                parts = await self._within(work, start, start + width, NARROWER[width])
                made = await asyncio.to_thread(work.join, parts)
            else:
                made = await work.make(start, start + width)
            kept = _Valid(revisions, made)
            if over and width in NARROWER:
                with suppress(StoreUnavailable):  # it is only a cache
                    await self._store.report_cache.put(_place(work, width), start, _encode(kept), self._clock())
        self._kept.put(key, kept)
        return kept.made

    async def _part(self, work: Work, since: int, until: int, width: int) -> list[Made]:
        if width in NARROWER:
            return await self._within(work, since, until, NARROWER[width])
        made = await work.make(since, until)
        return [made] if made.conversions else []


def _place(work: Work, width: int) -> bytes:
    return key_of(work.key, width, FORMAT)
