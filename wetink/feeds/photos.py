"""Photos: product pictures, fetched once for all people, cached, and returned within a deadline or not at all.

A folder keeps them, and memory the busiest ones. Both have limits: the least recently used ones go first.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from wetink.core.app.sample import PHOTOS
from wetink.core.text.link import host_of
from wetink.feeds.download import Hosts, Resting, foreseen, words
from wetink.feeds.photo import Decoders
from wetink.ports import Photos

DISK_BYTES = 256 * 1024 * 1024
MEMORY_BYTES = 64 * 1024 * 1024
SWEEP_EVERY = 200
"""Writes between two measurements of the folder's size."""


class Cache:
    """Keeps bytes by address. You can use it from any thread; processes may share a folder."""

    def __init__(self, folder: Path, *, disk_bytes: int = DISK_BYTES, memory_bytes: int = MEMORY_BYTES) -> None:
        """Keep at most this many bytes in the folder and in memory."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._disk_bytes, self._memory_bytes = folder, disk_bytes, memory_bytes
        self._memory: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._held = 0
        self._mutex = threading.Lock()
        self.sweep()
        self._written = 0

    def recall(self, url: str) -> tuple[bytes, float] | None:
        """Return the bytes of an address from memory, and when they were fetched (Unix seconds)."""
        with self._mutex:
            found = self._memory.get(url)
            if found is not None:
                self._memory.move_to_end(url)
            return found

    def get(self, url: str) -> tuple[bytes, float] | None:
        """Return the bytes of an address, and when they were fetched (Unix seconds). Reads the disk."""
        path = self._path(url)
        try:
            body, fetched = path.read_bytes(), path.stat().st_mtime
            os.utime(path, (time.time(), fetched))  # noqa: TID251 (the file system's clock, not the program's)
        except OSError:
            return None
        self._remember(url, body, fetched)
        return body, fetched

    def put(self, url: str, body: bytes) -> None:
        """Store the bytes of an address. A full disk does not keep a photo from being shown."""
        path = self._path(url)
        draft = path.with_suffix(f".{os.getpid()}.{id(body)}")
        try:
            draft.write_bytes(body)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
        self._remember(url, body, time.time())  # noqa: TID251 (compared with the file system's clock)
        self._written += 1
        if self._written % SWEEP_EVERY == 0:
            self.sweep()

    def sweep(self) -> None:
        """Remove the least recently used files until the rest fits."""
        with self._mutex:
            busy = {str(self._path(url)) for url in self._memory}
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((str(path) in busy, status.st_atime, status.st_size, str(path)))
        size = sum(each[2] for each in found)
        for _, _, length, name in sorted(found):
            if size <= self._disk_bytes:
                return
            with contextlib.suppress(OSError):
                Path(name).unlink()
            size -= length

    def _remember(self, url: str, body: bytes, fetched: float) -> None:
        with self._mutex:
            before = self._memory.pop(url, None)
            self._held += len(body) - (len(before[0]) if before is not None else 0)
            self._memory[url] = (body, fetched)
            while self._held > self._memory_bytes and self._memory:
                _, (gone, _) = self._memory.popitem(last=False)
                self._held -= len(gone)

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


T = TypeVar("T")
logger = logging.getLogger(__name__)

FRESH_SECONDS = 86_400
"""How long a photo is used before it is fetched again in the background."""

GONE_SECONDS, RESTING_SECONDS = 60, 5
"""Seconds before wetink requests a failed photo again, and one whose host was paused."""

LARGEST, LONGEST_SECONDS = 10 * 1024 * 1024, 5.0
"""Bytes of the largest photo, and seconds that its download may take."""
HEADERS = (
    (b"user-agent", b"wetink (photo fetcher)"),
    (b"accept", b"image/jpeg,image/png,image/webp,image/gif"),
)

PORTS = (80, 443)
"""Ports of the web. Anybody can name a photo, and services on other ports do not expect such requests."""

PER_HOST, MOST_WAITING, CONNECTIONS, MOST_GONE = 6, 2_000, 24, 4_096

WARM_SECONDS, MOST_WARM = 0.1, 20_000
"""Seconds between two photos that no open waits for, and how many of these are queued."""


class PhotoFetcher:
    """`ports.Photos` over HTTP. One call is in flight per address; the others wait for it."""

    def __init__(self, folder: Path, *, private_hosts: Collection[str] = ()) -> None:
        """Keep photos in a folder; allow these `host:port` pairs although they are not public."""
        self._cache = Cache(folder)
        self._hosts = Hosts(
            _now_ms, private_hosts,
            ports=PORTS, per_host=PER_HOST, most_waiting=MOST_WAITING, connections=CONNECTIONS,
        )  # fmt: skip
        self._decoders = Decoders()
        self._threads = ThreadPoolExecutor(4, "wetink-photos")
        self._running: dict[str, asyncio.Task[bytes | None]] = {}
        self._renewals: dict[str, asyncio.Task[bytes | None]] = {}
        self._gone: dict[str, float] = {}  # until when
        self._wanted: dict[str, None] = {}
        self._warming: asyncio.Task[None] | None = None

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        body = self.at_hand(url)
        if body is not None:
            return body
        task = self._task_for(url)
        if task is None:
            return None
        # The fetch goes on when this open can wait no longer: the next one will use its photo.
        done, _ = await asyncio.wait([task], timeout=deadline_ms / 1000)
        return task.result() if done and not task.cancelled() else None

    def at_hand(self, url: str) -> bytes | None:
        found = self._cache.recall(url)
        if found is None:
            return None
        self._renew(url, found[1])
        return found[0]

    def warm(self, url: str) -> None:
        if self._cache.recall(url) is None and not self._is_gone(url) and len(self._wanted) < MOST_WARM:
            self._wanted[url] = None
            if self._warming is None or self._warming.done():
                self._warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        """Fetch the queued photos, the latest first: emails will show those next."""
        while self._wanted:
            url, _ = self._wanted.popitem()
            task = self._task_for(url)
            if task is not None:
                await asyncio.wait([task])
            await asyncio.sleep(WARM_SECONDS)

    def start(self) -> None:
        """Prepare for the first photo, in the event loop that will fetch it."""
        self._hosts.prepare()

    async def close(self) -> None:
        """Cancel all fetches."""
        warming = [self._warming] if self._warming is not None else []
        tasks = [*warming, *self._running.values(), *self._renewals.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._hosts.close()
        self._decoders.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _task_for(self, url: str) -> asyncio.Task[bytes | None] | None:
        """Return the current fetch of an address, or start one; None if it failed a moment ago."""
        task = self._running.get(url)
        if task is not None:
            return task
        if self._is_gone(url):
            return None
        task = asyncio.create_task(self._find(url))
        self._running[url] = task
        task.add_done_callback(lambda _: self._running.pop(url, None))
        return task

    async def _find(self, url: str) -> bytes | None:
        """Return a photo from the disk, else from its host."""
        found = await self._in_thread(self._cache.get, url)
        if found is None:
            return await self._fetch(url)
        self._renew(url, found[1])
        return found[0]

    def _renew(self, url: str, fetched: float) -> None:
        """Fetch an expired photo again, in the background."""
        old = time.time() - fetched > FRESH_SECONDS  # noqa: TID251 (compared with the file system's clock)
        if old and url not in self._renewals and not self._is_gone(url):
            renewal = self._renewals[url] = asyncio.create_task(self._fetch(url))
            renewal.add_done_callback(lambda _: self._renewals.pop(url, None))

    def _is_gone(self, url: str) -> bool:
        return time.monotonic() < self._gone.get(url, 0.0)

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run a blocking function in our own threads: name resolution may fill the loop's."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def _fetch(self, url: str) -> bytes | None:
        try:
            raw = await self._hosts.body(url, HEADERS, largest=LARGEST, seconds=LONGEST_SECONDS)
            body = await self._decoders.plain(raw)
            await self._in_thread(self._cache.put, url, body)
        except Exception as error:
            if foreseen(error):
                logger.info("a photo of %s is not available: %s", host_of(url), words(error))
            else:
                logger.exception("a photo of %s is not available", host_of(url))
            if len(self._gone) > MOST_GONE:
                self._gone.clear()
            self._gone[url] = time.monotonic() + (RESTING_SECONDS if isinstance(error, Resting) else GONE_SECONDS)
            return None
        self._gone.pop(url, None)
        return body


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


FOLDER = Path(__file__).parent / "samples"
"""The sample products at 480 pixels; the demo has all of its shop's at 800, in `demo/photos`."""


class WithSamples:
    """Photos, and those of the sample shop beside them. Implements `ports.Photos`."""

    def __init__(self, photos: Photos) -> None:
        """Use `photos` for all other addresses."""
        self._photos = photos
        self._bodies = {f"{PHOTOS}{path.name}": path.read_bytes() for path in FOLDER.glob("*.jpg")}

    async def get(self, url: str, deadline_ms: int) -> bytes | None:
        if url.startswith(PHOTOS):
            return self._bodies.get(url)
        return await self._photos.get(url, deadline_ms)

    def at_hand(self, url: str) -> bytes | None:
        return self._bodies.get(url) if url.startswith(PHOTOS) else self._photos.at_hand(url)

    def warm(self, url: str) -> None:
        if not url.startswith(PHOTOS):
            self._photos.warm(url)
