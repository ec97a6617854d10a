"""Shops: what apps may ask of the shop as a whole, put together for one decision."""

from collections.abc import Mapping

from msgspec.structs import replace

from wetink.core.app import App
from wetink.core.block import Block
from wetink.core.decide import wants
from wetink.core.person import Moment, Person
from wetink.core.shop import Shop
from wetink.core.trends import Trends
from wetink.serve.catalog import Catalog


class Shops:
    """Looks up what the apps of a block want, and nothing else."""

    def __init__(self, catalog: Catalog, trends: Trends) -> None:
        """Read from these."""
        self._catalog, self._trends = catalog, trends

    async def of(self, block: Block, person: Person, moment: Moment, apps: Mapping[str, App]) -> Shop:
        """Return the shop as this block's apps need it for this person. Raises StoreUnavailable."""
        shop = Shop(self._trends)
        if keys := wants(block, person, moment, apps, shop):
            shop = replace(shop, products=await self._catalog.products(keys))
        return shop
