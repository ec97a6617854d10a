"""Photos: pictures of products, fetched once for everybody, kept, and given within a deadline or not at all."""

import asyncio
import logging
import time
from collections.abc import Collection
from pathlib import Path

from wetink.feeds.cache import Cache
from wetink.feeds.download import Downloads
from wetink.feeds.photo import plain

logger = logging.getLogger(__name__)

FRESH_SECONDS = 86_400
"""How long a photo is given without being fetched again behind the scenes."""

GONE_SECONDS = 60
"""How long a photo that could not be had is not asked for again."""

PER_HOST, MOST_GONE = 6, 4_096


class PhotoFetcher:
    """`ports.Photos` over HTTP. One call is in flight per address; the others wait for it."""

    def __init__(self, folder: Path, *, private_hosts: Collection[str] = ()) -> None:
        """Keep photos in a folder; allow these `host:port` pairs although they are not public."""
        self._cache = Cache(folder)
        self._downloads = Downloads(private_hosts)
        self._flights: dict[str, asyncio.Task[bytes | None]] = {}
        self._gone: dict[str, float] = {}
        self._hosts: dict[str, asyncio.Semaphore] = {}

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        """See `ports.Photos.get`."""
        found = self._cache.recall(url)
        if found is None:
            found = await asyncio.to_thread(self._cache.get, url)
        if found is not None:
            body, fetched = found
            if time.time() - fetched > FRESH_SECONDS:  # noqa: TID251 (compared with the file system's clock)
                self._fly(url)
            return body
        flight = self._fly(url)
        if flight is None:
            return None
        try:
            # The flight goes on when this open can wait no longer: the next one will have it.
            return await asyncio.wait_for(asyncio.shield(flight), deadline_ms / 1000)
        except TimeoutError:
            return None

    def warm(self, url: str) -> None:
        """See `ports.Photos.warm`."""
        if self._cache.recall(url) is None:
            self._fly(url)

    async def close(self) -> None:
        """End what is in flight."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._downloads.close()

    def _fly(self, url: str) -> asyncio.Task[bytes | None] | None:
        """Return the fetch of an address that is under way or begins now; None when it failed a moment ago."""
        flight = self._flights.get(url)
        if flight is not None:
            return flight
        if time.monotonic() - self._gone.get(url, -GONE_SECONDS) < GONE_SECONDS:
            return None
        flight = asyncio.create_task(self._fetch(url))
        self._flights[url] = flight
        flight.add_done_callback(lambda _: self._flights.pop(url, None))
        return flight

    async def _fetch(self, url: str) -> bytes | None:
        host = url.split("/", 3)[2] if url.count("/") >= 2 else ""
        if len(self._hosts) > MOST_GONE:
            self._hosts.clear()
        turn = self._hosts.setdefault(host, asyncio.Semaphore(PER_HOST))
        try:
            async with turn:
                raw = await self._downloads.get(url)
            body = await asyncio.to_thread(plain, raw)
            await asyncio.to_thread(self._cache.put, url, body)
        except Exception as error:
            logger.info("a photo of %s cannot be had: %s", host, error or type(error).__name__)
            if len(self._gone) > MOST_GONE:
                self._gone.clear()
            self._gone[url] = time.monotonic()
            return None
        self._gone.pop(url, None)
        return body
