"""Status: the state of the whole server, for its status page and for /metrics."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from wetink.core.errors import WetinkError
from wetink.core.outbound.feed import Feed, State
from wetink.ports import Storage
from wetink.ports.inspection import Replica
from wetink.ports.outside import Feeds
from wetink.ports.storage import Lease
from wetink.ports.stream import Stream, StreamState

STREAM_SECONDS = 2.0
"""How long to wait for the state of the stream, in seconds."""


class FeedStatus(msgspec.Struct, frozen=True):
    """The state of a scheduled or uploaded feed. `age_ms` is None without data."""

    name: str
    state: State
    because: str
    age_ms: int | None


class Status(msgspec.Struct, frozen=True):
    """The state of the server as one process sees it. Sizes are bytes.

    `lag` is the number of messages that each projection is behind the log. `unread` names the parts that could not be
    read, with the reason.
    """

    lag: Mapping[str, int]
    leases: tuple[Lease, ...]
    sizes: Mapping[str, int]
    feeds: tuple[FeedStatus, ...]
    disk_free: int
    disk_size: int
    unread: Mapping[str, str]
    replicas: tuple[Replica, ...] = ()
    stream: StreamState | None = None


async def status_of(
    store: Storage, feeds: Feeds, declared: Mapping[str, Feed], data: Path, stream: Stream | None
) -> Status:
    """Return the state of a server. `declared` are its feeds, `data` is its data folder. Never raises WetinkError."""
    unread: dict[str, str] = {}
    lag: Mapping[str, int] = {}
    leases: tuple[Lease, ...] = ()
    sizes: Mapping[str, int] = {}
    try:
        lag = await store.projections.behind()
    except WetinkError as error:
        unread["lag"] = str(error)
    try:
        leases = tuple(await store.leases.held())
    except WetinkError as error:
        unread["leases"] = str(error)
    try:
        sizes = await store.inspection.sizes()
    except WetinkError as error:
        unread["sizes"] = str(error)
    waiting: StreamState | None = None
    if stream is not None:
        try:
            async with asyncio.timeout(STREAM_SECONDS):
                waiting = await stream.state()
        except (WetinkError, TimeoutError) as error:
            unread["stream"] = str(error) or "it does not answer"
    replicas = tuple(await store.inspection.replicas())
    disk = shutil.disk_usage(data)
    supplies = [(name, feeds.give(name)) for name, feed in sorted(declared.items()) if feed.per_person is None]
    states = tuple(FeedStatus(name, each.state, each.because, each.age_ms) for name, each in supplies)
    return Status(lag, leases, sizes, states, disk.free, disk.total, unread, replicas, waiting)
