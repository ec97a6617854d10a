"""All feeds: their data, and how fresh it is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from wetink.core.outbound.feed import Feed, Fetch, Item, Snapshot, Supply, supply
from wetink.feeds.credentials import Credentials
from wetink.feeds.download import Hosts, foreseen, words
from wetink.feeds.guard import Refused
from wetink.feeds.personal import Personal
from wetink.feeds.sample import LARGEST_DOCUMENT, LONGEST, Kept, Samples, sampled
from wetink.feeds.schedule import Schedule
from wetink.feeds.snapshots import SnapshotFolder
from wetink.feeds.uploads import Uploads
from wetink.ports.content import UploadedFiles
from wetink.ports.outside import Sample, Uploaded
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
        self._uploaded = uploaded
        self.credentials = Credentials()
        self._samples = Samples(folder / "samples", self._hosts)
        self._schedule = Schedule(self._folder, uploaded, self._hosts, leases, clock, self.credentials)
        self._uploads = Uploads(uploads, uploaded, clock)
        self._personal = Personal(self._hosts, clock, self.credentials)
        self._feeds: Mapping[str, Feed] = {}

    def use(self, feeds: Mapping[str, Feed]) -> None:
        """Use these feeds, by name, from now on."""
        self._feeds = dict(feeds)
        enabled = {name: feed for name, feed in feeds.items() if not feed.disabled}
        self._schedule.use({name: feed for name, feed in enabled.items() if feed.per_person is None})
        self._personal.use(enabled)

    def declared(self, feed: str) -> Feed | None:
        return self._feeds.get(feed)

    def give(self, feed: str) -> Supply:
        known = self._feeds.get(feed)
        if known is None:
            return Supply(because=f"there is no feed {feed}")
        if known.disabled:
            return Supply(because="it is disabled")
        if known.per_person is not None:
            return Supply(because=f"feed {feed} is fetched for each person")
        return supply(known, self._schedule.snapshot(feed), self._clock())

    async def ask(self, feed: str, parameters: Mapping[str, str], deadline_ms: int) -> Supply:
        known = self._feeds.get(feed)
        if known is None or known.per_person is None or known.disabled:
            return self.give(feed)
        return await self._personal.ask(known, parameters, deadline_ms)

    def warm(self, feed: str, parameters: Mapping[str, str]) -> None:
        known = self._feeds.get(feed)
        if known is not None and known.per_person is not None and not known.disabled:
            self._personal.warm(known, parameters)

    async def upload(self, feed: Feed, parts: AsyncIterator[bytes], *, whole: bool = True) -> Uploaded:
        return await self._uploads.take(feed, parts, whole=whole)

    async def take_in(self) -> None:
        """Import the files that people put into the folder of uploads, and drop those that they removed from it."""
        await self._uploads.take_in([feed for feed in self._feeds.values() if feed.file])

    def stream(self, feed: str) -> Iterator[Item]:
        known = self._feeds.get(feed)
        return iter(()) if known is None else self._folder.stream(known, self._clock())

    def snapshot(self, feed: str) -> Snapshot | None:
        """Return the snapshot of a scheduled or uploaded feed, with its left-out items and the reasons."""
        return self._schedule.snapshot(feed)

    async def fetch(self, feed: str, patience: float = 20.0) -> None:
        """Refresh a scheduled or uploaded feed now. Its snapshot tells the result.

        Waits at most `patience` seconds; a longer fetch goes on.
        """
        await self._schedule.fetch(feed, patience)

    async def fetches(self, feed: str) -> Sequence[Fetch]:
        """Return the last fetches of a scheduled or uploaded feed, oldest first."""
        return await self._schedule.fetches(feed)

    async def sample(
        self,
        feed: Feed,
        *,
        parameters: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        fresh: bool = False,
        sniff: bool = False,
    ) -> Sample:
        """Return the beginning of the data of a feed that need not be saved. Never raises for what a host answers.

        `parameters` fill the URL of a per-person feed; `values` are those of its headers, by name. A `fresh` sample is
        fetched again. With `sniff`, the bytes decide the format.
        """
        now = self._clock()
        try:
            if feed.file:
                token = (await self._uploaded.revisions()).get(feed.file, "")
                if not token:
                    return Sample(feed.format, problem="there is no uploaded file yet")
                kept = Kept(await self._beginning(feed, token))
            elif not fresh and (body := await asyncio.to_thread(self._folder.body, feed, LARGEST_DOCUMENT)):
                kept = Kept(body if feed.format == "json" else body[:LONGEST])
            else:
                private = self.credentials.of(feed, values)
                kept = await self._samples.fetch(feed, parameters or {}, private, now, fresh)
        except Exception as error:
            if not foreseen(error):
                raise
            return Sample(problem=words(error))
        return await asyncio.to_thread(sampled, feed, kept, now, sniff=sniff)

    async def _beginning(self, feed: Feed, token: str) -> bytes:
        body = b""
        async for part in self._uploaded.read(feed.file, token):
            body += part
            if len(body) > (LARGEST_DOCUMENT if feed.format == "json" else LONGEST):
                break
        return body

    async def ask_address(self, url: str) -> tuple[int, Mapping[str, str]]:
        """Return the status and headers of a public address's answer. Raises WetinkError with the reason."""

        async def skip(_: bytes) -> None:
            return

        try:
            reply = await self._hosts.ask(url, (), skip, largest=1 << 20, seconds=10.0)
        except Exception as error:
            if not foreseen(error):
                raise
            raise Refused(words(error)) from error
        return reply.status, reply.headers

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
