"""Schedule: feeds that are the same for all people, refreshed in the background before they expire."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from wetink.core.errors import NotFound, Unavailable
from wetink.core.outbound.feed import Feed, Fetch, Snapshot, is_due
from wetink.feeds.credentials import Credentials
from wetink.feeds.download import Hosts, foreseen, words
from wetink.feeds.guard import Refused
from wetink.feeds.snapshots import Draft, SnapshotFolder, Stamp, shape_of, source_of
from wetink.ports.content import UploadedFiles
from wetink.ports.storage import Leases

T = TypeVar("T")
logger = logging.getLogger(__name__)

AT_A_TIME = 4
"""Feeds refreshed at once: below a host's limit of calls, so that personal feeds always find room."""

SECONDS = {"data": 60.0, "catalog": 900.0}
"""How long a download may take."""

PATIENCE = 5.0
"""How long a request to fetch now waits for a process that fetches the same feed, in seconds."""

CHUNK = 1024 * 1024
HEADERS = ((b"user-agent", b"wetink (feeds)"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip"))


class Schedule:
    """Snapshots in memory, each as new as the shelf's. Only one process at a time refreshes a feed."""

    def __init__(
        self,
        folder: SnapshotFolder,
        uploads: UploadedFiles,
        hosts: Hosts,
        leases: Leases,
        clock: Callable[[], int],
        credentials: Credentials | None = None,
    ) -> None:
        """Keep snapshots on a shelf; find uploaded files in the store, and values of headers in `credentials`."""
        self._credentials = credentials or Credentials()
        self._folder, self._uploads, self._hosts, self._leases, self._clock = folder, uploads, hosts, leases, clock
        self._threads = ThreadPoolExecutor(AT_A_TIME + 2, "wetink-feeds")
        self._feeds: Mapping[str, Feed] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._stamps: dict[str, Stamp | None] = {}
        self._uploaded: dict[str, str] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._few = asyncio.Semaphore(AT_A_TIME)

    def use(self, feeds: Mapping[str, Feed]) -> None:
        """Use these feeds from now on. A feed that is read or fetched in another way is read again."""
        for name, feed in self._feeds.items():
            now = feeds.get(name)
            if now is None or (source_of(now), shape_of(now)) != (source_of(feed), shape_of(feed)):
                self._snapshots.pop(name, None)
                self._stamps.pop(name, None)
                self._uploaded.pop(name, None)
                if name in self._running:
                    self._running.pop(name).cancel()
        self._feeds = feeds

    def snapshot(self, name: str) -> Snapshot | None:
        """Return the newest snapshot that this process knows of."""
        return self._snapshots.get(name)

    async def begin_due(self, now: int) -> None:
        """Start to refresh the feeds that are due, and to read those that other processes have fetched."""
        feeds = self._feeds
        stamps = await self._in_thread(self._folder.stamps, list(feeds))
        revisions = await self._uploads.revisions() if any(feed.file for feed in feeds.values()) else {}
        tokens = {name: revisions.get(feed.file, "") for name, feed in feeds.items() if feed.file}
        if feeds is not self._feeds:
            return
        for name, feed in feeds.items():
            news = stamps[name] != self._stamps.get(name)
            uploaded = tokens.get(name, "") != self._uploaded.get(name, "")
            if name not in self._running and (news or uploaded or is_due(feed, self._snapshots.get(name), now)):
                task = self._running[name] = asyncio.create_task(self._turn(feed, tokens.get(name, "")))
                task.add_done_callback(partial(self._finished, name))

    async def fetch(self, name: str, patience: float) -> None:
        """Refresh a feed now, whether it is due or not, and wait for it at most `patience` seconds."""
        feed = self._feeds.get(name)
        if feed is None:
            return
        if name not in self._running:
            task = self._running[name] = asyncio.create_task(self._now(feed))
            task.add_done_callback(partial(self._finished, name))
        await asyncio.wait([self._running[name]], timeout=patience)

    async def _now(self, feed: Feed) -> None:
        revisions = await self._uploads.revisions() if feed.file else {}
        with suppress(Unavailable):  # another process refreshes it just now, or the store is down
            async with self._leases.hold(f"feed {feed.name}", wait=PATIENCE):
                await self._notice(feed)
                await self._refresh(feed, revisions.get(feed.file, ""))

    async def fetches(self, name: str) -> Sequence[Fetch]:
        """Return the last fetches of a feed, oldest first."""
        return await self._in_thread(self._folder.fetches, name)

    async def read_kept(self) -> None:
        """Load the snapshots that other processes have kept, and refresh none."""
        for feed in self._feeds.values():
            await self._notice(feed)

    async def close(self) -> None:
        """Cancel all refreshes."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._folder.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _finished(self, name: str, task: asyncio.Task[None]) -> None:
        if self._running.get(name) is task:
            del self._running[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("feed %s: %s", name, words(error), exc_info=error)

    async def _notice(self, feed: Feed) -> None:
        """Load the snapshot that another process has kept since the last look."""
        stamp = await self._in_thread(self._folder.stamp, feed.name)
        if stamp == self._stamps.get(feed.name):
            return
        snapshot = await self._in_thread(self._folder.load, feed, self._clock())
        if self._feeds.get(feed.name) == feed:
            self._stamps[feed.name] = stamp
            self._put(feed, snapshot)

    def _put(self, feed: Feed, snapshot: Snapshot | None) -> None:
        if snapshot is None:
            self._snapshots.pop(feed.name, None)
        else:
            self._snapshots[feed.name] = snapshot

    async def _turn(self, feed: Feed, token: str) -> None:
        await self._notice(feed)
        if not self._due(feed, token):
            return
        async with self._few:
            with suppress(Unavailable):  # another process refreshes it, or the store is down
                async with self._leases.hold(f"feed {feed.name}"):
                    await self._notice(feed)
                    if self._due(feed, token):
                        await self._refresh(feed, token)

    def _due(self, feed: Feed, token: str) -> bool:
        snapshot = self._snapshots.get(feed.name)
        if token and snapshot is not None and token not in (snapshot.etag, self._uploaded.get(feed.name)):
            return True
        self._uploaded[feed.name] = token
        return is_due(feed, snapshot, self._clock())

    async def _refresh(self, feed: Feed, token: str) -> None:
        before, began, error_text = self._snapshots.get(feed.name), self._clock(), ""
        self._uploaded[feed.name] = token
        try:
            after = await (self._copy(feed, before, token) if feed.file else self._download(feed, before))
        except Exception as error:
            if foreseen(error):
                logger.info("feed %s cannot be refreshed: %s", feed.name, words(error))
            else:
                logger.exception("feed %s cannot be refreshed", feed.name)
            error_text = words(error)
            after = await self._in_thread(self._folder.fail, feed, before, error_text, self._clock())
        items = 0 if error_text else after.count
        same = not error_text and before is not None and before.checked_at > 0 and before.version == after.version
        took = max(0, self._clock() - began)
        await self._in_thread(self._folder.note, feed.name, Fetch(began, took, items, same, error_text[:200]))
        if self._feeds.get(feed.name) == feed:
            self._stamps[feed.name] = await self._in_thread(self._folder.stamp, feed.name)
            self._put(feed, after)

    async def _download(self, feed: Feed, before: Snapshot | None) -> Snapshot:
        draft = self._folder.draft(feed.name)
        try:
            writing = _Writing(draft, self._in_thread)
            reply = await self._hosts.ask(
                feed.url,
                [*HEADERS, *_conditions(before)],
                writing.take,
                largest=feed.most_bytes,
                seconds=SECONDS[feed.purpose],
                private=self._credentials.of(feed),
            )
            if reply.status == 304 and before is not None and before.checked_at:
                return await self._in_thread(self._folder.renew, feed, before, self._clock())
            if reply.status != 200:
                raise Refused(f"it answered {reply.status}")
            await writing.flush()
            etag, modified = reply.headers.get("etag", ""), reply.headers.get("last-modified", "")
            return await self._in_thread(self._folder.adopt, feed, draft, etag, modified, self._clock())
        finally:
            draft.discard()

    async def _copy(self, feed: Feed, before: Snapshot | None, token: str) -> Snapshot:
        if not token:
            raise Refused(f"there is no uploaded file {feed.file}")
        if before is not None and before.checked_at and before.etag == token:
            return await self._in_thread(self._folder.renew, feed, before, self._clock())
        draft = self._folder.draft(feed.name)
        try:
            size = 0
            async for part in self._uploads.read(feed.file, token):
                size += len(part)
                if size > feed.most_bytes:
                    raise Refused(f"more than {feed.most_bytes} bytes")
                await self._in_thread(draft.write, part)
            return await self._in_thread(self._folder.adopt, feed, draft, token, "", self._clock())
        except NotFound as error:
            raise Refused(f"{feed.file} changed while it was read") from error
        finally:
            draft.discard()

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


class _Writing:
    """Gathers small parts of a body, so that a thread writes large ones."""

    def __init__(self, draft: Draft, in_thread: Callable[..., Any]) -> None:
        self._draft, self._in_thread = draft, in_thread
        self._parts: list[bytes] = []
        self._size = 0

    async def take(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size >= CHUNK:
            await self.flush()

    async def flush(self) -> None:
        body, self._parts, self._size = b"".join(self._parts), [], 0
        await self._in_thread(self._draft.write, body)


def _conditions(before: Snapshot | None) -> list[tuple[bytes, bytes]]:
    """Return the headers that request only data newer than ours."""
    if before is None or not before.checked_at:
        return []
    conditions = ((b"if-none-match", before.etag), (b"if-modified-since", before.last_modified))
    return [(name, value.encode("latin-1")) for name, value in conditions if _plain(value)]


def _plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and 0 < len(value) <= 1024
