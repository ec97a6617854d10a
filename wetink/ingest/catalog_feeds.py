"""Catalogs: feeds of products, taken into the shop's catalog whenever there is a new one."""

import asyncio
import logging
from collections.abc import Callable, Container, Iterator, Mapping
from itertools import islice

import msgspec

from wetink.core.events.event import Product
from wetink.core.outbound.feed import Feed, Item, product_of
from wetink.ports import Catalog
from wetink.ports.outside import Feeds

logger = logging.getLogger(__name__)

SLICE = 500
"""Products that are written together: others that write wait no longer than that takes."""
GONE = "out_of_stock"


class Imported(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a file of products: how many there were, how many others are gone, and what was left out, why."""

    products: int
    gone: int
    left_out: int
    problems: tuple[str, ...]


class Catalogs:
    """Takes catalog feeds in, once for each version of their data."""

    def __init__(self, catalog: Catalog, feeds: Feeds, clock_ms: Callable[[], int]) -> None:
        """Read `feeds` into `catalog`, which knows the last version of each that was taken in."""
        self._catalog, self._feeds, self._clock = catalog, feeds, clock_ms

    async def step(self, declared: Mapping[str, Feed]) -> None:
        """Take in what is new of these feeds. One feed that fails keeps no other out."""
        for feed in declared.values():
            if feed.purpose == "catalog":
                try:
                    await self.take_in(feed)
                except Exception:
                    logger.exception("the catalog %s cannot be imported", feed.name)

    async def take_in(self, feed: Feed) -> int:
        """Take in a feed's data unless it was already; return how many products there were."""
        version = self._feeds.give(feed.name).version
        if not version or await self._catalog.imported(feed.name) == version:
            return 0
        count, _ = await self.learn(self._feeds.stream(feed.name), feed.complete)
        await self._catalog.note_import(feed.name, version)
        logger.info("the catalog %s has %d products", feed.name, count)
        return count

    async def learn(
        self, items: Iterator[Item], complete: bool, told: Callable[[int], None] | None = None
    ) -> tuple[int, int]:
        """Take products in, slice by slice; return how many, and of how many others it says that they are gone.

        With `complete` those are all the catalog has beside them. `told` hears how many have been taken in.
        """
        at, count = self._clock(), 0
        listed: set[int] = set()
        while batch := await asyncio.to_thread(lambda: list(islice(items, SLICE))):
            products = [product for item in batch if (product := product_of(item)) is not None]
            await self._catalog.learn(products, at)
            count += len(products)
            if complete:
                listed.update(hash(product.key) for product in products)
            if told is not None:
                told(count)
        return count, await self._leave_out(listed, at) if complete and count else 0

    async def _leave_out(self, listed: Container[int], at: int) -> int:
        """Say of every product that is not listed that it cannot be bought; return how many could until then."""
        gone, after = 0, ""
        while keys := await self._catalog.keys(after, SLICE):
            after = keys[-1]
            known = await self._catalog.products([key for key in keys if hash(key) not in listed])
            lost = [
                Product(sku=key if product.sku else "", product_id="" if product.sku else key, availability=GONE)
                for key, product in known.items()
                if product.availability != GONE
            ]
            await self._catalog.learn(lost, at)
            gone += len(lost)
        return gone
