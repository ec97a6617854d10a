"""Catalogs: product feeds, imported into the shop's catalog when they have new data."""

import asyncio
import logging
from collections.abc import Callable, Container, Iterator, Mapping
from itertools import islice
from pathlib import Path

import msgspec

from wetink.core.events.event import Product
from wetink.core.outbound.feed import Feed, Item, product_of
from wetink.feeds.parse import Tally, read
from wetink.ports import Catalog
from wetink.ports.outside import Feeds

logger = logging.getLogger(__name__)

SLICE = 500
"""Products written together. Other writers wait no longer than one write takes."""
GONE = "out_of_stock"


class Imported(msgspec.Struct, frozen=True, rename="camel"):
    """The result of importing a file: products in it, products gone, products left out, and the reasons."""

    products: int
    gone: int
    left_out: int
    problems: tuple[str, ...]


class Catalogs:
    """Imports catalog feeds, once for each version of their data."""

    def __init__(self, catalog: Catalog, feeds: Feeds, clock_ms: Callable[[], int]) -> None:
        """Read `feeds` into `catalog`, which stores the last imported version of each feed."""
        self._catalog, self._feeds, self._clock = catalog, feeds, clock_ms

    async def step(self, declared: Mapping[str, Feed]) -> None:
        """Import new data of these feeds. A failing feed does not stop the others."""
        for feed in declared.values():
            if feed.purpose == "catalog":
                try:
                    await self.take_in(feed)
                except Exception:
                    logger.exception("the catalog %s cannot be imported", feed.name)

    async def take_in(self, feed: Feed) -> int:
        """Import a feed's data unless it is imported. Returns the number of products."""
        version = self._feeds.give(feed.name).version
        if not version or await self._catalog.imported(feed.name) == version:
            return 0
        count, _ = await self._learn(self._feeds.stream(feed.name), feed.complete)
        await self._catalog.note_import(feed.name, version)
        logger.info("the catalog %s has %d products", feed.name, count)
        return count

    async def import_file(self, path: Path, feed: Feed, progress: Callable[[int], None]) -> Imported:
        """Import the products of a file. `progress` gets the number of bytes read so far, after each slice.

        Raises Unreadable if the file does not match `feed`; products before that stay. Raises StoreUnavailable.
        """
        tally = Tally()
        with path.open("rb") as raw:
            items = read(feed, raw, tally, self._clock())
            count, gone = await self._learn(items, feed.complete, lambda: progress(raw.tell()))
        return Imported(count, gone, tally.left_out, tuple(tally.problems))

    async def _learn(
        self, items: Iterator[Item], complete: bool, on_slice: Callable[[], object] = lambda: None
    ) -> tuple[int, int]:
        """Import products in slices. Returns their number, and the number of other products that are now gone.

        With `complete`, all products of the catalog that are not listed are gone.
        """
        at, count = self._clock(), 0
        listed: set[int] = set()
        while batch := await asyncio.to_thread(lambda: list(islice(items, SLICE))):
            products = [product for item in batch if (product := product_of(item)) is not None]
            await self._catalog.learn(products, at)
            count += len(products)
            if complete:
                listed.update(hash(product.key) for product in products)
            on_slice()
        return count, await self._leave_out(listed, at) if complete and count else 0

    async def _leave_out(self, listed: Container[int], at: int) -> int:
        """Mark all unlisted products as gone. Returns the number of those that were not gone before."""
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
