"""Catalogs: feeds of products, taken into the shop's catalog whenever there is a new one."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

from wetink.core.errors import WetinkError
from wetink.core.feed import Feed, product_of
from wetink.ports import Feeds, Store

logger = logging.getLogger(__name__)

SLICE = 500
"""Products that are written together: others that write wait no longer than that takes."""
LOOK_SECONDS = 2.0


class Catalogs:
    """Takes catalog feeds in, once for each version of their data, whichever process is first."""

    def __init__(
        self,
        store: Store,
        feeds: Feeds,
        declared: Callable[[], Mapping[str, Feed]],
        folder: Path,
        clock_ms: Callable[[], int],
    ) -> None:
        """Read `feeds` into `store`; note in `folder` which version of each was taken in."""
        self._store, self._feeds, self._declared, self._folder = store, feeds, declared, folder
        self._clock = clock_ms

    async def run(self) -> None:
        """Look for new data until cancelled. Never raises anything else."""
        while True:
            for feed in list(self._declared().values()):
                if feed.purpose == "catalog":
                    try:
                        await self.take_in(feed)
                    except (WetinkError, OSError):
                        logger.exception("the catalog %s cannot be taken in", feed.name)
            await asyncio.sleep(LOOK_SECONDS)

    async def take_in(self, feed: Feed) -> int:
        """Take in a feed's data unless it was already; return how many products there were."""
        version = self._feeds.give(feed.name).version
        mark = self._folder / feed.name
        if not version or (mark.exists() and mark.read_text() == version):
            return 0
        at, count = self._clock(), 0
        items = self._feeds.stream(feed.name)
        while batch := await asyncio.to_thread(lambda: list(islice(items, SLICE))):
            products = [product for item in batch if (product := product_of(item)) is not None]
            await self._store.learn(products, at)
            count += len(products)
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = mark.with_suffix(".new")
        draft.write_text(version)
        draft.replace(mark)
        logger.info("the catalog %s has %d products", feed.name, count)
        return count
