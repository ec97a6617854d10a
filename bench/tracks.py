"""Tracks: one message a request under 64 connections, beside the same server when its handler only decodes.

The catalog knows the shop's products, as it does from the second hour on; what the same takes with an empty one, where
every second message is the first to tell of a product, is told beside it.
"""

import asyncio
import random
import tempfile
from pathlib import Path

import msgspec

from bench.figure import Figure
from bench.load import press, request
from bench.messages import PRODUCTS, START, message, product, shopper
from bench.server import CORES, key_of, serving
from wetink import settings as setting
from wetink.core.events import ecommerce
from wetink.wiring import Wetink

CONNECTIONS, SECONDS, ROUNDS, DISTINCT = 64, 3.0, 5, 80_000


def measure() -> list[Figure]:
    """Return the figure: single tracks a second, durable, to tracks a second only decoded."""
    messages = bodies()
    durable, decoded, empty = [], [], []
    for index in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place:
            data = Path(place) / "data"
            key = key_of(data)
            requests = [request("POST", "/v1/track", body, authorization=key) for body in messages]
            with serving(data, app="bench.server:decoding", cores=CORES) as settings:
                decoded.append(_rate(settings.port, requests))
            with serving(data, cores=CORES) as settings:
                empty.append(_rate(settings.port, requests[index:]))
        with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place:
            data = Path(place) / "data"
            key = key_of(data)
            requests = [request("POST", "/v1/track", body, authorization=key) for body in messages]
            asyncio.run(_know_products(data))
            with serving(data, cores=CORES) as settings:
                durable.append(_rate(settings.port, requests[index:]))
    ours, reference = max(durable), max(decoded)
    told = f"{ours:,.0f} tracks/s on the disk ({max(empty):,.0f} at first), {reference:,.0f} only decoded"
    return [Figure("ingest: single tracks under 64 connections to only decoding", ours / reference, 0.4, told)]


def bodies() -> list[bytes]:
    """Return messages of shoppers who come and go."""
    chance = random.Random(11)
    return [msgspec.json.encode(message(n, shopper(n, chance), chance)) for n in range(DISTINCT)]


async def _know_products(data: Path) -> None:
    async with Wetink(setting.read({}, data=data)) as wetink:
        await wetink.store.catalog.learn([ecommerce.product(product(number))[0] for number in range(PRODUCTS)], START)


def _rate(port: int, requests: list[bytes]) -> float:
    return press(port, requests, connections=CONNECTIONS, seconds=SECONDS, core=CORES[-1]).rate
