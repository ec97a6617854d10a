"""People: a profile's events folded, kept while nothing new was appended anywhere."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from wetink.core.catalog.trust import believed, doubtful
from wetink.core.events.event import Event
from wetink.core.identity import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Person
from wetink.opens.summaries import RULES, read
from wetink.ports import Storage

_TIME = attrgetter("at")

KEPT = 64
"""Folded persons that are kept: an email's pictures are asked for together, and any new message makes them stale."""


class People:
    """Folds profiles. Sees every event whose append has returned."""

    def __init__(self, store: Storage) -> None:
        """Read from `store`."""
        self._store = store
        self._kept: OrderedDict[Identifier, tuple[int, Person]] = OrderedDict()

    async def supposed(self, who: Identifier | None, now: int, events: Sequence[Event]) -> Person:
        """Return whoever `who` means, None being a stranger, as if these had happened, too. Keeps nothing."""
        entries = await self._store.profiles.entries(who, now) if who is not None else ()
        return await self._believed(fold([*entries, *events], now))

    async def person(self, who: Identifier, now: int) -> Person:
        """Return whoever `who` means, as of `now` (Unix ms), with nothing a browser's key alone could have made up.

        Without identifiers: no decision needs them. A fold of all there is stays right at any later time, until a
        new message comes in.
        """
        version = await self._store.log.version()
        kept = self._kept.get(who)
        if kept is not None and kept[0] == version and kept[1].last_seen <= now:
            return kept[1]
        summary = await self._store.profiles.summary(who, RULES)
        summed_up = read(summary, partial(self._store.profiles.recall, who)) if summary is not None else None
        if summed_up is not None and summed_up.last_seen <= now:
            person = await self._believed(summed_up)
            self._keep(who, version, person)
            return person
        entries = await self._store.profiles.entries(who, FOREVER - 1)
        settled = max(map(_TIME, entries), default=0) <= now
        if not settled:  # some of it has not happened yet at `now`, and may belong to others then
            entries = await self._store.profiles.entries(who, now)
        person = await self._believed(fold(entries, now))
        if settled:
            self._keep(who, version, person)
        return person

    async def _believed(self, person: Person) -> Person:
        keys = doubtful(person)
        return believed(person, await self._store.catalog.products(keys)) if keys else person

    def _keep(self, who: Identifier, version: int, person: Person) -> None:
        self._kept[who] = (version, person)
        self._kept.move_to_end(who)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
