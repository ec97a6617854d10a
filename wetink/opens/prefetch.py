"""Prefetch: fetches per-person feeds and photos when a person does something, before they open an email."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import settled
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import Feed, parameters_of
from wetink.core.profile.person import Moment, plain
from wetink.opens.lookup import Lookups
from wetink.ports import Cursor, Storage
from wetink.ports.drawing import Photos
from wetink.ports.outside import Feeds

SLICE = 100
"""Messages read in one step. Opens wait no longer than one step takes."""
AT_ONCE = 10
"""People whose data is fetched in one step. This limits the load on feeds."""
LATE_MS = 5_000
"""Age limit of a message in milliseconds. In a flood, only the newest messages count."""


class Prefetcher:
    """Follows the log while a block uses a feed that is fetched for each person."""

    def __init__(self, store: Storage, feeds: Feeds, apps: Mapping[str, App], clock_ms: Callable[[], int]) -> None:
        """Read from `store`, fill the cache of `feeds`."""
        self._store, self._feeds, self._apps, self._clock = store, feeds, apps, clock_ms
        self._lookups = Lookups(store)
        self._place: Cursor | None = None
        self._waiting: dict[Identifier, None] = {}

    async def step(self, blocks: Mapping[str, Block]) -> bool:
        """Read the next messages and fetch the feed data of their people for these blocks.

        Returns whether there is more. Raises StoreUnavailable.
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
        """Note the identified people of the next messages. Emails go to nobody else."""
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
        """Return the feeds of these blocks that are fetched for each person."""
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


def warm_photos(photos: Photos, allowed: Callable[[str], bool], events: Sequence[Event]) -> None:
    """Fetch the photos of these events' products from allowed hosts, before an email shows them."""
    for url in {product.image_url for event in events for product in event.products if product.image_url}:
        if allowed(url):
            photos.warm(url)
