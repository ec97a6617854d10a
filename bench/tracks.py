"""Tracks: one message a request under 64 connections, beside the same server when its handler only decodes."""

import asyncio
import base64
import random
import tempfile
from pathlib import Path

import msgspec

from bench.figure import Figure
from bench.load import press, request
from bench.messages import message, shopper
from bench.server import CORES, key_of, serving

CONNECTIONS, SECONDS, ROUNDS, DISTINCT = 64, 3.0, 3, 40_000


def measure() -> list[Figure]:
    """Return the figure: single tracks a second, durable, to tracks a second only decoded."""
    chance = random.Random(11)
    messages = [msgspec.json.encode(message(n, shopper(n, chance), chance)) for n in range(DISTINCT)]
    durable, decoded = [], []
    for index in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place:
            data = Path(place) / "data"
            key = asyncio.run(key_of(data))
            basic = "Basic " + base64.b64encode(f"{key.write_key}:".encode()).decode()
            requests = [request("POST", "/v1/track", body, authorization=basic) for body in messages]
            with serving(data, app="bench.server:decoding", cores=CORES) as settings:
                decoded.append(_rate(settings.port, requests))
            with serving(data, cores=CORES) as settings:
                durable.append(_rate(settings.port, requests[index:]))
    ours, reference = max(durable), max(decoded)
    told = f"{ours:,.0f} tracks/s on the disk, {reference:,.0f} only decoded"
    return [Figure("ingest: single tracks under 64 connections to only decoding", ours / reference, 0.4, told)]


def _rate(port: int, requests: list[bytes]) -> float:
    return press(port, requests, connections=CONNECTIONS, seconds=SECONDS, core=CORES[-1]).rate
