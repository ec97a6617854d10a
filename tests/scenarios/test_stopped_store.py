"""The database stands still while many emails are opened: a decision is shared by the stream's bucket alone.

One process of the role open decides, and another one answers the same emails after the database was stopped (SIGSTOP).
"""

import asyncio
import io
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpcore
import pytest
from PIL import Image

from tests.jetstream import Cluster, cluster
from tests.postgresql import Server as Postgres
from tests.serving import Server

BLOCK = """
slots: 2
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/fallback", title: Hello}
gone: "https://shop.example/gone"
"""
PEOPLE, PATIENCE_SECONDS = 30, 60.0


@pytest.fixture(scope="module")
def postgres() -> Any:
    server = Postgres(max_connections="100")
    server.sql("CREATE DATABASE wetink")
    yield server
    for process in server.family():
        process.resume()
    server.remove()


async def ask(http: httpcore.AsyncConnectionPool, server: Server, method: str, path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    return await http.request(method, server.address + path, content=content)


async def picture(http: httpcore.AsyncConnectionPool, server: Server, who: int, slot: int) -> bytes:
    answer = await ask(http, server, "GET", f"/o/seen/{slot}.jpg?user=u{who}")
    assert answer.status == 200
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
    return bytes(answer.content)


async def clicked(http: httpcore.AsyncConnectionPool, server: Server, who: int, slot: int) -> str:
    answer = await ask(http, server, "GET", f"/c/seen/{slot}?user=u{who}")
    assert answer.status == 302
    return dict(answer.headers)[b"location"].decode()


def servers(folder: Path, nodes: Cluster, postgres: Postgres) -> tuple[list[Server], str]:
    """Return a process for messages and work, and two for opens, each with its own folder, and a write key."""
    settings = {"store": postgres.address("wetink"), "deadline": "20000"}
    settings["log"] = f"{nodes.address}?monitoring=http://127.0.0.1:{nodes.nodes[0].monitor}"
    blocks = folder / "0" / "content" / "blocks"
    blocks.mkdir(parents=True)
    (blocks / "seen.yaml").write_text(BLOCK)
    command = [sys.executable, "-m", "wetink", "keys", "create", "shop", "--host", "shop.example", "--json"]
    env = {f"WETINK_{name.upper()}": text for name, text in settings.items()}
    done = subprocess.run(
        [*command, "--data", str(folder / "0")], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    roles = ("ingest,worker", "open", "open")
    made = [
        Server(folder / str(number), workers=1, log=folder / f"{number}.log", settings={**settings, "role": role})
        for number, role in enumerate(roles)
    ]
    return made, json.loads(done.stdout)["writeKey"]


async def seen(http: httpcore.AsyncConnectionPool, ingest: Server, opens: Server, key: str) -> None:
    """Have everybody view two products of their own, and wait until opens show them."""
    for who in range(PEOPLE):
        for slot in (2, 1):
            url = f"https://shop.example/{who}-{slot}"
            product = {"sku": f"S-{who}-{slot}", "url": url, "name": f"Mug {who} {slot}", "price": 9}
            sent = {"userId": f"u{who}", "event": "Product Viewed", "properties": product, "writeKey": key}
            assert (await ask(http, ingest, "POST", "/v1/track", sent)).status == 200
    end = time.monotonic() + PATIENCE_SECONDS
    for who in range(PEOPLE):
        while b"S-%d-1" % who not in (await ask(http, opens, "GET", f"/d/seen.json?user=u{who}")).content:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)


def test_a_storm_of_opens_is_answered_by_one_decision_for_each_email(tmp_path: Path, postgres: Postgres) -> None:
    async def story(ingest: Server, here: Server, there: Server, key: str) -> None:
        async with httpcore.AsyncConnectionPool(max_connections=200) as http:
            await seen(http, ingest, here, key)
            nobody = await picture(http, there, 10_000, 1)
            before = await all_pictures(http, here, (1, 2))
            assert len({*before, nobody}) == PEOPLE + 1
            for process in postgres.family():
                process.suspend()

            stopped = await asyncio.gather(all_pictures(http, there, (1, 2)), all_pictures(http, here, (2, 1)))
            clicks = await asyncio.gather(
                *(clicked(http, server, who, slot) for server in (here, there) for who, slot in places((1, 2)))
            )

            for process in postgres.family():
                process.resume()
            assert stopped[0] == before, "another process shows what this one had decided"
            assert sorted(stopped[1]) == sorted(before)
            assert list(clicks) == [f"https://shop.example/{who}-{slot}" for who, slot in places((1, 2))] * 2
            await counted(http, ingest)

    async def all_pictures(http: httpcore.AsyncConnectionPool, server: Server, slots: Sequence[int]) -> list[bytes]:
        return await asyncio.gather(*(picture(http, server, who, slot) for who, slot in places(slots)))

    async def counted(http: httpcore.AsyncConnectionPool, ingest: Server) -> None:
        """Wait until what happened meanwhile is in the database: each open once, and all clicks."""
        end = time.monotonic() + PATIENCE_SECONDS
        query = "SELECT kind, count(*) FROM contact WHERE block = 'seen' AND NOT implied GROUP BY kind ORDER BY kind"
        while (found := postgres.sql(query, "wetink").split()) != [f"0|{PEOPLE + 1 + PEOPLE}", f"1|{4 * PEOPLE}"]:
            assert time.monotonic() < end, found
            await asyncio.sleep(0.2)
        assert postgres.sql("SELECT count(*) FROM decision WHERE block = 'seen'", "wetink") == f"{PEOPLE + 1}\n"

    def places(slots: Sequence[int]) -> list[tuple[int, int]]:
        return [(who, slot) for who in range(PEOPLE) for slot in slots]

    with cluster() as nodes, ExitStack() as stack:
        made, key = servers(tmp_path, nodes, postgres)
        for each in made:
            stack.enter_context(each)
        asyncio.run(story(*made, key))
