"""Warm: what feeds say of a person is asked for when that person does something, before they open an email."""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import settled
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import Feed, parameters_of
from wetink.core.profile.person import Moment, plain
from wetink.opens.lookup import Lookups
from wetink.ports import Cursor, Storage
from wetink.ports.outside import Feeds

SLICE = 100
"""Messages that are read in one go: opens wait no longer than that takes."""
AT_ONCE = 10
"""People whose data is asked for in one go: what feeds have to answer is bounded."""
LATE_MS = 5_000
"""How late this may be: of a flood only the newest messages count."""


class Prefetcher:
    """Reads along in the log, whoever writes it, for as long as some block draws on a feed that is asked per person."""

    def __init__(self, store: Storage, feeds: Feeds, apps: Mapping[str, App], clock_ms: Callable[[], int]) -> None:
        """Read from `store`, warm `feeds`."""
        self._store, self._feeds, self._apps, self._clock = store, feeds, apps, clock_ms
        self._lookups = Lookups(store)
        self._place: Cursor | None = None
        self._waiting: dict[Identifier, None] = {}

    async def step(self, blocks: Mapping[str, Block]) -> bool:
        """Look at the next messages and warm what their people need in these blocks; return whether there is more.

        Raises StoreUnavailable.
        """
        feeds = self._per_person(blocks)
        if not feeds:
            self._place = None
            self._waiting.clear()
            return False
        more = await self._notice()
        now = self._clock()
        for who in list(self._waiting)[:AT_ONCE]:
            del self._waiting[who]
            person = await self._lookups.begin().person(who, now)
            known = {
                "person": plain(replace(person, views=())),
                "moment": msgspec.to_builtins(Moment(now)),
            }
            for feed in feeds:
                self._feeds.warm(feed.name, parameters_of(feed, known))
        return more or bool(self._waiting)

    async def _notice(self) -> bool:
        """Note who has done something: those that emails are sent to."""
        log, late = self._store.log, self._clock() - LATE_MS
        if self._place is None:
            self._place = await log.cursor()
        self._place, found = await log.read(self._place, SLICE)
        if found and found[-1].received < late:
            self._place, found = await log.read(await log.cursor(late), SLICE)
        for each in found:
            if each.filed is not None and each.filed.kind != "anonymous":
                self._waiting[each.filed] = None
        return len(found) == SLICE

    def _per_person(self, blocks: Mapping[str, Block]) -> list[Feed]:
        """Return the feeds that some block draws on and that are asked for each person."""
        found: dict[str, Feed] = {}
        for block in blocks.values():
            for variant in block.variants:
                app = self._apps.get(variant.app)
                if app is None or app.feeds is None:
                    continue
                settings, _ = settled(app, variant)
                for name in app.feeds(settings) if settings is not None else ():
                    feed = self._feeds.declared(name)
                    if feed is not None and feed.per_person is not None:
                        found[name] = feed
        return list(found.values())
