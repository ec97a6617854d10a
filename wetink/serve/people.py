"""People: a profile's events folded, kept while nothing new was appended anywhere."""

from collections import OrderedDict
from collections.abc import Sequence

from wetink.core.event import Event
from wetink.core.fold import fold
from wetink.core.identifier import Identifier
from wetink.core.identity import FOREVER
from wetink.core.person import Person
from wetink.core.trust import believed, doubtful
from wetink.ports import Store

KEPT = 4_096
"""Folded persons that are kept."""


class People:
    """Folds profiles. Sees every event whose append has returned."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self._store = store
        self._kept: OrderedDict[Identifier, tuple[int, Person]] = OrderedDict()

    async def person(self, who: Identifier, now: int) -> Person:
        """Return whoever `who` means, as of `now` (Unix ms), with nothing a browser's key alone could have made up."""
        version = await self._store.version()
        kept = self._kept.get(who)
        if kept is not None and kept[0] == version and kept[1].last_seen <= now:
            return kept[1]
        events = await self._store.history(who, now)
        profile = await self._store.profile(who, now) if events else None
        person = fold(events, now, profile.identifiers if profile is not None else ())
        if keys := doubtful(person):
            person = believed(person, await self._store.products(keys))
        if await self._is_all(who, events):
            self._keep(who, version, person)
        return person

    async def _is_all(self, who: Identifier, events: Sequence[Event]) -> bool:
        """Whether these are all events there are: then the fold is the same at any time after the last of them."""
        newest = await self._store.history(who, FOREVER - 1, limit=1)
        return list(newest) == list(events[-1:])

    def _keep(self, who: Identifier, version: int, person: Person) -> None:
        self._kept[who] = (version, person)
        self._kept.move_to_end(who)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
