"""People: a profile's events folded, kept while nothing new was appended anywhere."""

from collections import OrderedDict

from wetink.core.fold import fold
from wetink.core.identifier import Identifier
from wetink.core.person import Person
from wetink.core.trust import believed, doubtful
from wetink.ports import Store

KEPT = 4_096
"""Folded persons that are kept."""

FRESH_MS = 60_000
"""How long a fold may serve a later `now` when no event came in: nothing in a fold but the future depends on it."""


class People:
    """Folds profiles. Sees every event whose append has returned."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self._store = store
        self._kept: OrderedDict[Identifier, tuple[int, int, Person]] = OrderedDict()

    async def person(self, who: Identifier, now: int) -> Person:
        """Return whoever `who` means, as of `now` (Unix ms), with nothing a browser's key alone could have made up."""
        version = await self._store.version()
        kept = self._kept.get(who)
        if kept is not None and kept[0] == version and kept[1] <= now < kept[1] + FRESH_MS:
            return kept[2]
        events = await self._store.history(who, now)
        profile = await self._store.profile(who, now) if events else None
        person = fold(events, now, profile.identifiers if profile is not None else ())
        if keys := doubtful(person):
            person = believed(person, await self._store.products(keys))
        self._kept[who] = (version, now, person)
        self._kept.move_to_end(who)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return person
