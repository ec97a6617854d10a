"""PostgreSQL: what a message and an open cost beside SQLite, in time of cores: wetink's and all of the database's.

One process with all roles serves each store in turn, with the same messages and the same opens. The time of cores is
what a machine has to offer; requests a second would say more about the noise of this one.
"""

import asyncio
import base64
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.figure import Figure
from bench.load import request
from bench.messages import message, product
from bench.program import answering, free_port
from bench.scale import BLOCK, cpu, send_once
from tests.postgresql import Server as Postgres
from wetink import settings as setting
from wetink.core.identity.identifier import user
from wetink.wiring import Wetink

PEOPLE, EVENTS, BATCH, ALONE = 800, 20, 100, 4_000
"""People, events of each of them that come in batches, messages in a batch, and messages that come alone."""
CONNECTIONS, REST_SECONDS = 64, 3.0
MESSAGE, OPEN = 0.5, 0.4
"""The parts of SQLite's rates that PostgreSQL should reach."""
KINDS = (("single tracks", MESSAGE), ("batches of 100", MESSAGE), ("JSON opens of a person of 20 events", OPEN))


def measure() -> list[Figure]:
    """Return the figures: messages and opens for each core on PostgreSQL to those on SQLite."""
    with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place:
        sqlite = _costs(Path(place) / "sqlite", "", lambda: 0.0)
        postgres = Postgres(durable=True, max_wal_size="4GB")
        try:
            postgres.sql("CREATE DATABASE wetink")
            found = _costs(Path(place) / "pg", postgres.address("wetink"), lambda: cpu(postgres.family()))
        finally:
            postgres.remove()
    figures = []
    for (name, goal), (ours, _), (own, database) in zip(KINDS, sqlite, found, strict=True):
        told = f"SQLite {ours:,.0f} us of a core, PostgreSQL {own:,.0f} in wetink and {database:,.0f} in the database"
        figures.append(Figure(f"PostgreSQL: {name} for each core to SQLite", ours / (own + database), goal, told))
    return figures


def _costs(place: Path, store: str, database: Callable[[], float]) -> list[tuple[float, float]]:
    """Return the time of cores of each kind of unit, in us: wetink's and the database's."""
    data, chance, port = place / "data", random.Random(7), free_port()
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
    settings = setting.read({}, data=data, **({"store": store} if store else {}))
    key, opens = asyncio.run(_made(settings))
    authorization = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    views = [_view(number, number % PEOPLE, chance) for number in range(PEOPLE * EVENTS + ALONE)]
    chance.shuffle(views)
    listed = [{"batch": views[start : start + BATCH]} for start in range(ALONE, len(views), BATCH)]
    batches = [request("POST", "/v1/batch", msgspec.json.encode(each), **authorization) for each in listed]
    single = [request("POST", "/v1/track", msgspec.json.encode(each), **authorization) for each in views[:ALONE]]
    command = [sys.executable, "-m", "wetink", "serve", "--workers", "1", "--port", str(port), "--data", str(data)]
    env = {"WETINK_STORE": settings.store, "WETINK_LINK_HOSTS": "photos.invalid"}
    with answering(*command, url=f"http://127.0.0.1:{port}/readyz", log=place / "log", env=env) as program:
        time.sleep(REST_SECONDS)

        def cost(requests: list[bytes], count: int) -> tuple[float, float]:
            before, stored = cpu(program.family()), database()
            asyncio.run(send_once(port, requests, CONNECTIONS))
            time.sleep(REST_SECONDS)  # what is written or derived a moment later
            return (cpu(program.family()) - before) / count * 1e6, (database() - stored) / count * 1e6

        several = cost(batches, len(listed) * BATCH)
        alone = cost(single, len(single))
        asyncio.run(_check(port, opens[0]))
        return [alone, several, cost(opens[1:], len(opens) - 1)]


async def _made(settings: setting.Settings) -> tuple[str, list[bytes]]:
    """Return a write key, and the open of each person."""
    async with Wetink(settings, draws=False) as wetink:
        await wetink.ready()
        key = await wetink.store.sources.create_key("bench", "server", (), 1)
        people = [user(f"person-{number}") for number in range(PEOPLE)]
        seals = [wetink.seals.seal(who, "seen", "data") for who in people if who is not None]
        return key.write_key, [request("GET", f"/d/seen/{seal}.json") for seal in seals]


async def _check(port: int, opened: bytes) -> None:
    """Raise if an open shows nothing: it would cost nothing either."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(opened)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    shown = json.loads(await reader.readexactly(length))
    writer.close()
    if not shown.get("items"):
        raise RuntimeError(f"an open shows nothing: {shown}")


def _view(number: int, person: int, chance: random.Random) -> dict[str, object]:
    viewed = {"type": "track", "event": "Product Viewed", "properties": product(chance.randrange(5_000))}
    return message(number, person, chance) | {"userId": f"person-{person}", "anonymousId": f"device-{person}"} | viewed
