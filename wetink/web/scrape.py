"""Scrape: `/metrics` for Prometheus, on an address of its own.

Every process of the server listens there, and the one that answers adds up the numbers of all of them. The state of the
store (lag, leases, feeds, sizes) is the same for all, so it is read once, by the process that answers.
"""

import asyncio
import hmac
import platform
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import accumulate, groupby
from typing import Any

import uvicorn
from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from uvicorn.server import ServerState

from wetink import __version__
from wetink.insights.status import Status, status_of
from wetink.ports.stream import StreamState
from wetink.telemetry import metrics
from wetink.web.protocol import HttpProtocol
from wetink.web.request import now_ms
from wetink.wiring import Wetink

PATH = "/metrics"
APART = (metrics.PID, metrics.STARTED, *metrics.REPLICA_READS)
"""Gauges of a process, which are not added up, and counters whose labels are in the settings."""


@asynccontextmanager
async def scraped(wetink: Wetink, listening: socket.socket | None) -> AsyncIterator[None]:
    """Answer scrapes on a socket inside the context. None answers none."""
    if listening is None:
        yield
        return
    config = uvicorn.Config(Scrape(wetink), http=HttpProtocol, lifespan="off", log_config=None, server_header=False)
    config.load()
    state = ServerState()

    def connection() -> asyncio.Protocol:
        return HttpProtocol(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(connection, sock=listening)
    try:
        yield
    finally:
        server.close()


class Scrape:
    """Answers GET /metrics as an ASGI application."""

    def __init__(self, wetink: Wetink) -> None:
        """Report on `wetink` and on all processes of its server."""
        self._wetink, self._token = wetink, wetink.settings.metrics_token.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request: 404 for another path, 401 without the token."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        status, body, kind = 200, b"", "text/plain; charset=utf-8"
        more: list[tuple[bytes, bytes]] = []
        if scope["path"] != PATH:
            status, body = 404, b"There is only /metrics at this address.\n"
        elif scope["method"] not in ("GET", "HEAD"):
            status, body, more = 405, b"Only GET.\n", [(b"allow", b"GET, HEAD")]
        elif self._token and not hmac.compare_digest(headers.get(b"authorization", b""), b"Bearer " + self._token):
            status, body, more = 401, b"Send the metrics token as a Bearer token.\n", [(b"www-authenticate", b"Bearer")]
        else:
            encode, kind = choose_encoder(headers.get(b"accept", b"").decode("latin-1"))
            found = [*numbers(), *processes(), *state(await _status(self._wetink), self._wetink.settings.store)]
            body = encode(_Collected(found))
        more += [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _status(wetink: Wetink) -> Status:
    return await status_of(wetink.store, wetink.feeds, wetink.content.feeds, wetink.settings.data, wetink.stream)


class _Collected:
    """The families of a scrape, as prometheus_client's encoders take them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def numbers() -> Iterator[Metric]:
    """Yield the numbers that all processes keep, added up."""
    shown = sorted((each for each in metrics.ALL if each not in APART), key=lambda each: each.name)
    for name, group in groupby(shown, key=lambda each: each.name):
        series = list(group)
        labels = list(series[0].labels)
        if series[0].kind == "counter":
            family: Any = CounterMetricFamily(name, series[0].meaning, labels=labels)
        elif series[0].kind == "gauge":
            family = Gauge(name, series[0].meaning, labels=labels)
        else:
            family = HistogramMetricFamily(name, series[0].meaning, labels=labels)
        for each in series:
            values = list(each.labels.values())
            if each.kind != "histogram":
                family.add_metric(values, metrics.total(each))
                continue
            counts = accumulate(metrics.total(each, offset) for offset in range(len(metrics.BOUNDS) + 1))
            bounds = [*(str(bound) for bound in metrics.BOUNDS), "+Inf"]
            family.add_metric(
                values, list(zip(bounds, counts, strict=True)), metrics.total(each, len(metrics.BOUNDS) + 1)
            )
        yield family


def processes() -> Iterator[Metric]:
    """Yield CPU, memory and descriptors of each process, and the time since which it answers."""
    families: dict[str, Metric] = {}
    started = Gauge("wetink_worker_started_seconds", metrics.STARTED.meaning, labels=["worker"])
    for number, row in enumerate(metrics.rows()):
        pid = int(row[metrics.PID.at])
        if not pid:
            continue
        started.add_metric([str(number)], row[metrics.STARTED.at])
        for found in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
            for sample in found.samples:
                family.add_sample(sample.name, {"worker": str(number)}, sample.value)
    yield started
    yield from families.values()


def waiting(stream: StreamState, now: float) -> Iterator[Metric]:
    """Yield what waits in the stream at `now` (Unix seconds)."""
    labels = ["topic", "partition"]
    count = Gauge("wetink_stream_waiting", "Stream messages that are not stored yet.", labels=labels)
    again = Gauge("wetink_stream_redelivered", "Those of them that were delivered more than once.", labels=labels)
    age = Gauge("wetink_stream_oldest_seconds", "Age of the oldest of them, in seconds; 0: none.", labels=["topic"])
    for each in stream.backlogs:
        count.add_metric([each.topic, str(each.partition)], each.waiting)
        again.add_metric([each.topic, str(each.partition)], each.redelivered)
    for topic in sorted({each.topic for each in stream.backlogs}):
        at = stream.oldest.get(topic)
        age.add_metric([topic], max(0.0, now - at / 1000) if at is not None else 0.0)
    yield from (count, again, age)
    yield Gauge("wetink_stream_aside", "Stream messages that were set aside.", value=stream.aside)


def state(status: Status, store: str) -> Iterator[Metric]:
    """Yield the state of the store, the feeds and the disk. `store` is the address of the store."""
    build = Gauge("wetink_build", "Version of this server; always 1.", labels=["version", "python", "engine"])
    build.add_metric([__version__, platform.python_version(), store.partition(":")[0]], 1)
    yield build
    lag = Gauge("wetink_follower_lag_messages", "Messages that a projection is behind.", labels=["projection"])
    for name, count in status.lag.items():
        lag.add_metric([name], count)
    yield lag
    behind = Gauge("wetink_replica_behind_seconds", "How far a replica is behind, in seconds.", labels=["replica"])
    readable = Gauge("wetink_replica_readable", "1 for a replica that opens may read, else 0.", labels=["replica"])
    reads = CounterMetricFamily("wetink_replica_reads", metrics.REPLICA_READS[0].meaning, labels=["replica"])
    for replica in status.replicas:
        reads.add_metric([replica.name], metrics.total(metrics.REPLICA_READS[replica.place]))
        readable.add_metric([replica.name], float(not replica.problem))
        if replica.behind is not None:
            behind.add_metric([replica.name], replica.behind)
    yield from (behind, readable, reads)
    if status.stream is not None:
        yield from waiting(status.stream, now_ms() / 1000)
    leases = Gauge("wetink_lease_held", "Leases and their holders; always 1.", labels=["lease", "host", "process"])
    for lease in status.leases:
        host, _, rest = lease.holder.partition(":")
        leases.add_metric([lease.name.partition(" of ")[0], host, rest.partition(":")[0]], 1)
    yield leases
    fresh = Gauge("wetink_feed_fresh", "1 for a feed with fresh data, 0 for one with old or no data.", labels=["feed"])
    age = Gauge("wetink_feed_age_seconds", "Age of a feed's data, in seconds.", labels=["feed"])
    for feed in status.feeds:
        fresh.add_metric([feed.name], float(feed.state == "fresh"))
        if feed.age_ms is not None:
            age.add_metric([feed.name], feed.age_ms / 1000)
    yield from (fresh, age)
    sizes = Gauge("wetink_store_bytes", "Bytes on disk of a part of the store.", labels=["part"])
    for part, size in status.sizes.items():
        sizes.add_metric([part], size)
    yield sizes
    yield Gauge("wetink_disk_free_bytes", "Free bytes on the disk of the data folder.", value=status.disk_free)
    yield Gauge("wetink_disk_bytes", "Size of the disk of the data folder.", value=status.disk_size)
    unread = "Parts of the store's state that this scrape could not read."
    yield Gauge("wetink_scrape_unread_parts", unread, value=len(status.unread))
