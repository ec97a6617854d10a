"""A whole server over PostgreSQL: messages, an open as data and as a picture, the dashboard, and an audience."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.postgresql import shared
from tests.serving import Server
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.wiring import Wetink

FILES = {
    "blocks/seen.yaml": """
data: true
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/"}
""",
    "audiences/lookers.yaml": "rule:\n  - {done: Product Viewed}\n",
}
MUG = {"sku": "mug", "name": "Mug", "url": "https://shop.example/mug", "price": 9}
PATIENCE_SECONDS = 60.0


@pytest.fixture
def store() -> Iterator[str]:
    """The address of a new database."""
    shared().sql("CREATE DATABASE scenario")
    yield shared().address("scenario")
    shared().sql("DROP DATABASE scenario WITH (FORCE)")


async def prepared(data: Path, store: str) -> tuple[str, str, str]:
    """Return a write key, the dashboard's token and the sealed token of Jane's opens as data, of a new wetink."""
    for name, text in FILES.items():
        (data / "content" / name).parent.mkdir(parents=True, exist_ok=True)
        (data / "content" / name).write_text(text)
    async with Wetink(read({}, data=data, store=store), draws=False) as wetink:
        key = await wetink.store.sources.create_key("shop", "server", ("shop.example",), 1)
        return key.write_key, wetink.dashboard_token, wetink.seals.seal(Identifier("user", "jane"), "seen", "data")


def test_a_server_over_postgresql_does_all_that_one_over_sqlite_does(tmp_path: Path, store: str) -> None:
    key, token, sealed = asyncio.run(prepared(tmp_path / "data", store))
    more = {"store": store, "audience_seconds": "1"}
    log = tmp_path / "log"
    with (
        Server(tmp_path / "data", log=log, settings=more) as server,
        httpx2.Client(base_url=server.address, timeout=30) as client,
    ):

        def send(type_: str, **message: Any) -> None:
            said = {**message, "userId": "jane", "writeKey": key}
            assert client.post(f"/v1/{type_}", json=said).status_code == 200

        send("identify", anonymousId="d1", traits={"email": "jane@shop.example", "firstName": "Jane"})
        send("track", event="Product Viewed", properties=MUG)
        for path in ("/d/seen.json?user=jane", f"/d/seen/{sealed}.json"):
            shown = json.loads(client.get(path).content)
            assert [item["key"] for item in shown["items"]] == ["mug"], path
        assert client.get("/o/seen/1.jpg?user=jane").content.startswith(b"\xff\xd8\xff")

        assert client.post("/dashboard/login", data={"token": token}).status_code == 303
        pages = {path: client.get(path) for path in ("/dashboard", "/dashboard/live", "/dashboard/people/user:jane")}
        assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(pages, 200)
        assert "jane@shop.example" in pages["/dashboard/people/user:jane"].text
        assert "Product Viewed" in pages["/dashboard/live"].text

        until = time.monotonic() + PATIENCE_SECONDS
        while "jane" not in client.get("/dashboard/audiences/lookers.csv").text:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
    assert "Traceback" not in log.read_text()
