"""All feeds: their data, and how fresh it is."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from pathlib import Path

from wetink.core.outbound.feed import Feed, Item, Snapshot, Supply, supply
from wetink.feeds.download import Hosts
from wetink.feeds.personal import Personal
from wetink.feeds.schedule import Schedule
from wetink.feeds.snapshots import SnapshotFolder
from wetink.feeds.uploads import Uploads
from wetink.ports.content import UploadedFiles
from wetink.ports.outside import Uploaded
from wetink.ports.storage import Leases


class FeedService:
    """`ports.outside.Feeds` over HTTP and uploaded files."""

    def __init__(
        self,
        folder: Path,
        uploads: Path,
        uploaded: UploadedFiles,
        leases: Leases,
        clock: Callable[[], int],
        *,
        private_hosts: Collection[str] = (),
    ) -> None:
        """Keep snapshots in a folder that processes share; take files from the folder `uploads` into `uploaded`.

        `clock` returns the time in Unix ms. `private_hosts` are `host:port` pairs that are allowed although not public.
        """
        self._clock = clock
        self._hosts = Hosts(clock, private_hosts)
        self._folder = SnapshotFolder(folder)
        self._schedule = Schedule(self._folder, uploaded, self._hosts, leases, clock)
        self._uploads = Uploads(uploads, uploaded, clock)
        self._personal = Personal(self._hosts, clock)
        self._feeds: Mapping[str, Feed] = {}

    def use(self, feeds: Mapping[str, Feed]) -> None:
        """Use these feeds, by name, from now on."""
        self._feeds = dict(feeds)
        self._schedule.use({name: feed for name, feed in feeds.items() if feed.per_person is None})
        self._personal.use(self._feeds)

    def declared(self, feed: str) -> Feed | None:
        return self._feeds.get(feed)

    def give(self, feed: str) -> Supply:
        known = self._feeds.get(feed)
        if known is None:
            return Supply(because=f"there is no feed {feed}")
        if known.per_person is not None:
            return Supply(because=f"feed {feed} is fetched for each person")
        return supply(known, self._schedule.snapshot(feed), self._clock())

    async def ask(self, feed: str, parameters: Mapping[str, str], deadline_ms: int) -> Supply:
        known = self._feeds.get(feed)
        if known is None or known.per_person is None:
            return self.give(feed)
        return await self._personal.ask(known, parameters, deadline_ms)

    def warm(self, feed: str, parameters: Mapping[str, str]) -> None:
        known = self._feeds.get(feed)
        if known is not None and known.per_person is not None:
            self._personal.warm(known, parameters)

    async def upload(self, feed: Feed, parts: AsyncIterator[bytes]) -> Uploaded:
        return await self._uploads.take(feed, parts)

    async def take_in(self) -> None:
        """Import the files that people put into the folder of uploads, and drop those that they removed from it."""
        await self._uploads.take_in([feed for feed in self._feeds.values() if feed.file])

    def stream(self, feed: str) -> Iterator[Item]:
        known = self._feeds.get(feed)
        return iter(()) if known is None else self._folder.stream(known, self._clock())

    def snapshot(self, feed: str) -> Snapshot | None:
        """Return the snapshot of a scheduled or uploaded feed, with its left-out items and the reasons."""
        return self._schedule.snapshot(feed)

    async def begin_due(self) -> None:
        """Start to refresh the feeds that are due, and to read those that other processes have fetched."""
        now = self._clock()
        self._personal.begin_due(now)
        await self._schedule.begin_due(now)

    async def read_kept(self) -> None:
        """Load the data of scheduled and uploaded feeds that other processes have kept, and refresh none."""
        await self._schedule.read_kept()

    async def close(self) -> None:
        """Cancel all calls and close everything. You can call it twice."""
        self._uploads.close()
        await self._schedule.close()
        await self._personal.close()
        await self._hosts.close()
