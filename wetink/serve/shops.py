"""Shops: what apps may ask of the shop as a whole, put together for one decision."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from wetink.core.app import App
from wetink.core.block import Block
from wetink.core.decide import fed, polled, searched, wants
from wetink.core.feed import parameters_of
from wetink.core.identifier import Identifier
from wetink.core.person import Moment, Person
from wetink.core.shop import FeedData, Shop
from wetink.core.trends import Trends
from wetink.ports import Store
from wetink.ports.feeds import Feeds
from wetink.serve.catalog import Catalog
from wetink.serve.polls import key_of


class Shops:
    """Looks up what the apps of a block want, and nothing else."""

    def __init__(self, store: Store, catalog: Catalog, trends: Trends, feeds: Feeds) -> None:
        """Read from these."""
        self._store, self._catalog, self._trends, self._feeds = store, catalog, trends, feeds

    async def _fed(self, name: str, person: Person, moment: Moment) -> FeedData:
        given = self._feeds.give(name)
        feed = self._feeds.declared(name)
        if feed is not None and feed.per_person is not None:
            known = {"person": msgspec.to_builtins(replace(person, views=())), "moment": msgspec.to_builtins(moment)}
            given = await self._feeds.ask(name, parameters_of(feed, known), feed.per_person.deadline_ms)
        fetched = moment.now - given.age_ms if given.age_ms is not None else 0
        return FeedData(given.items, fetched, f"{given.state}: {given.because}" if given.because else given.state)

    async def of(
        self,
        block: Block,
        person: Person,
        who: Identifier | None,
        moment: Moment,
        apps: Mapping[str, App],
        taken: frozenset[str],
    ) -> Shop:
        """Return the shop as this block's apps need it for this person. Raises StoreUnavailable."""
        shop = Shop(self._trends, taken=taken)
        if queries := searched(block, person, moment, apps):
            shop = replace(shop, found={query: tuple(await self._store.search(query)) for query in queries})
        if names := fed(block, person, moment, apps):
            shop = replace(shop, feeds={name: await self._fed(name, person, moment) for name in names})
        if names := polled(block, person, moment, apps):
            shop = replace(shop, polls={name: await self._store.tally(key_of(block, name), who) for name in names})
        keys, history = wants(block, person, moment, apps, shop)
        if keys:
            shop = replace(shop, products=await self._catalog.products(keys))
        if history:
            shop = replace(shop, history=await self._store.changes(history))
        return shop
