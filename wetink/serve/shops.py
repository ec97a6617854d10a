"""Shops: what apps may ask of the shop as a whole, put together for one decision."""

from collections.abc import Mapping

from msgspec.structs import replace

from wetink.core.app import App
from wetink.core.block import Block
from wetink.core.decide import searched, wants
from wetink.core.person import Moment, Person
from wetink.core.shop import Shop
from wetink.core.trends import Trends
from wetink.ports import Store
from wetink.serve.catalog import Catalog


class Shops:
    """Looks up what the apps of a block want, and nothing else."""

    def __init__(self, store: Store, catalog: Catalog, trends: Trends) -> None:
        """Read from these."""
        self._store, self._catalog, self._trends = store, catalog, trends

    async def of(
        self, block: Block, person: Person, moment: Moment, apps: Mapping[str, App], taken: frozenset[str]
    ) -> Shop:
        """Return the shop as this block's apps need it for this person. Raises StoreUnavailable."""
        shop = Shop(self._trends, taken=taken)
        if queries := searched(block, person, moment, apps):
            shop = replace(shop, found={query: tuple(await self._store.search(query)) for query in queries})
        keys, history = wants(block, person, moment, apps, shop)
        if keys:
            shop = replace(shop, products=await self._catalog.products(keys))
        if history:
            shop = replace(shop, history=await self._store.changes(history))
        return shop
