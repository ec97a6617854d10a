"""Ingest: 500 KB batches over HTTP, on the disk before the answer, beside a bare loop that writes the same rows.

The server has started before: for about a second its drawers do, on the same two cores.
"""

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.load import Connection, request
from bench.messages import batch
from bench.server import CORES, key_of, serving
from wetink.store.queries import script
from wetink.store.sqlite.connection import connect

BATCHES, BYTES, ROUNDS = 120, 500_000, 4
START_SECONDS = 2.0
TABLES = ("message", "arrival", "event", "claim", "holding")
"""What ingest writes; the catalog and conversions are derived from it later, by whichever process has the time."""


def measure() -> list[Figure]:
    """Return the figure: messages a second over HTTP to rows' messages a second of the bare loop."""
    chance = random.Random(7)
    bodies = [batch(n * 700, BYTES, chance) for n in range(BATCHES)]
    served, bare = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place:
            served.append(_over_http(Path(place) / "data", bodies))
            bare.append(_bare_loop(Path(place)))
    ours, reference = max(served), max(bare)
    told = f"{ours:,.0f} messages/s over HTTP, {reference:,.0f} in a bare loop"
    return [Figure("ingest: durable 500 KB batches to a bare loop writing the same rows", ours / reference, 0.5, told)]


def _over_http(data: Path, bodies: list[bytes]) -> float:
    key = key_of(data)
    requests = [request("POST", "/v1/batch", body, authorization=key) for body in bodies]
    with serving(data, workers=len(CORES), cores=CORES) as settings:
        time.sleep(START_SECONDS)
        begun = time.perf_counter()
        asyncio.run(_post_all(settings.port, requests))
        seconds = time.perf_counter() - begun
    count: int = connect(data / "wetink.db").execute("SELECT count(*) FROM message").get
    return count / seconds


async def _post_all(port: int, requests: list[bytes]) -> None:
    waiting = requests[::-1]  # the oldest first, as senders do

    async def post(turn: int) -> None:
        await asyncio.sleep(turn * 0.02)  # connections of many senders do not all come at once
        connection = await Connection.to(port)
        while waiting:
            await connection.ask(waiting.pop())
        connection.close()

    await asyncio.gather(*(post(turn) for turn in range(8)))


def _bare_loop(place: Path) -> float:
    """Write the rows that the server wrote, in as many transactions as there were batches, with nothing else to do."""
    source = connect(place / "data" / "wetink.db")
    rows: dict[str, list[Any]] = {
        table: source.execute(f"SELECT * FROM {table}{' ORDER BY seq' if table == 'event' else ''}").fetchall()
        for table in TABLES
    }
    source.close()
    target = connect(place / "bare.db")
    target.execute(script("wetink.store.sqlite", "schema.sql"))
    begun = time.perf_counter()
    for index in range(BATCHES):
        target.execute("BEGIN IMMEDIATE")
        for table, listed in rows.items():
            share = listed[index * len(listed) // BATCHES : (index + 1) * len(listed) // BATCHES]
            if share:
                marks = ", ".join("?" * len(share[0]))
                target.executemany(f"INSERT INTO {table} VALUES ({marks})", share)
        target.execute("COMMIT")
    seconds = time.perf_counter() - begun
    target.close()
    return len(rows["message"]) / seconds
