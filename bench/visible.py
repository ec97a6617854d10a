"""Visible: whether the next open shows what was acknowledged, while 2,000 tracks a second come in.

A view of a new product is acknowledged, then its person's JSON is asked for; a new price of it is acknowledged, told by
somebody else, then the JSON of one more person is asked for, who saw the product before. Two processes serve, and every
open has a connection of its own: often the process that answers it is not the one that took the event.
"""

import asyncio
import itertools
import shutil
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import uvloop

from bench import opens, tracks
from bench.figure import Figure
from bench.load import Connection, request
from bench.messages import product
from bench.server import CORES, key_of, one_core, serving

PROFILES, PROBES, PROBERS = 10_000, 800, 4
EVENTS_PER_SECOND, SENDERS = 2_000, 20
PATIENCE = 5.0
"""Seconds after which nobody waits for something to be shown."""


def measure() -> list[Figure]:
    """Return the figures: first opens that show what was acknowledged, to all first opens."""
    built = opens.built(PROFILES)
    data = built.with_name("visible")
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(built, data)
    key, doors = key_of(data), opens.asks(data, range(PROFILES))
    load = [request("POST", "/v1/track", body, authorization=key) for body in tracks.bodies()]
    try:
        with serving(data, workers=len(CORES), cores=CORES) as settings, one_core():
            views, prices, rate = uvloop.run(_measured(settings.port, key, doors, load))
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return [
        _figure("a view", views, rate),
        _figure("a price that somebody else was shown", prices, rate),
    ]


def _figure(what: str, waits: list[list[float]], rate: float) -> Figure:
    """Return a figure of how long each probe's opens had taken (s), the last of which showed it."""
    times = sorted(wait[-1] * 1000 for wait in waits)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    told = f"{p50:.1f} ms from its acknowledgment (p99 {p99:.1f} ms), at {rate:,.0f} tracks/s"
    first = sum(len(wait) == 1 for wait in waits)
    cells = {
        "event": what,
        "shown by the first open": f"{first:,} of {len(waits):,}",
        "p50 after its acknowledgment": f"{p50:.1f} ms",
        "p99": f"{p99:.1f} ms",
        "meanwhile": f"{rate:,.0f} tracks/s",
    }
    return Figure(f"visible: {what} is in the next open", first / len(waits), 1.0, told, cells)


async def _measured(
    port: int, key: str, doors: list[bytes], load: list[bytes]
) -> tuple[list[list[float]], list[list[float]], float]:
    """Return how long views and prices took to be shown, and the tracks a second that came in meanwhile."""
    waiting = iter(load)
    sent = itertools.count()
    senders = [asyncio.ensure_future(_send(port, waiting, sent, turn)) for turn in range(SENDERS)]
    views: list[list[float]] = []
    prices: list[list[float]] = []
    begun = time.perf_counter()

    async def probe(first: int) -> None:
        connection = await Connection.to(port)
        for number in range(first, PROBES, PROBERS):
            shown, before, teller = (number + part * PROBES for part in range(3))
            await connection.ask(_view(key, before, number, 11.0))
            await connection.ask(_view(key, shown, number, 11.0))
            views.append(await _shown(port, doors[shown], f'"SKU-probe-{number}"', '"price":11'))
            await connection.ask(_view(key, teller, number, 22.0))
            prices.append(await _shown(port, doors[before], f'"SKU-probe-{number}"', '"price":22'))
        connection.close()

    await asyncio.gather(*map(probe, range(PROBERS)))
    seconds = time.perf_counter() - begun
    for sender in senders:
        sender.cancel()
    for ended in await asyncio.gather(*senders, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise ended or RuntimeError("there were too few tracks")
    return views, prices, next(sent) / seconds


async def _send(port: int, waiting: Iterator[bytes], sent: Iterator[int], turn: int) -> None:
    """Send a share of the tracks, at its times."""
    connection = await Connection.to(port)
    due = time.perf_counter() + turn / EVENTS_PER_SECOND
    for track in waiting:
        await asyncio.sleep(due - time.perf_counter())
        await connection.ask(track)
        next(sent)
        due += SENDERS / EVENTS_PER_SECOND


def _view(key: str, person: int, number: int, price: float) -> bytes:
    now = time.time_ns() // 1_000_000
    seen = product(number) | {"product_id": f"probe-{number}", "sku": f"SKU-probe-{number}", "price": price}
    body: dict[str, Any] = {"userId": f"person-{person}", "event": "Product Viewed", "properties": seen}
    body |= {"messageId": f"probe-{number}-{person}", "timestamp": now}
    return request("POST", "/v1/track", msgspec.json.encode(body), authorization=key)


async def _shown(port: int, door: bytes, *wanted: str) -> list[float]:
    """Open until all that is wanted is shown; return the seconds up to the end of each open."""
    begun = time.perf_counter()
    waits: list[float] = []
    while not waits or waits[-1] < PATIENCE:
        connection = await Connection.to(port)
        answer = await connection.ask(door)
        connection.close()
        waits.append(time.perf_counter() - begun)
        if all(text.encode() in answer for text in wanted):
            return waits
    raise RuntimeError(f"{wanted} is not shown after {PATIENCE:.0f} s: {answer.decode()}")
