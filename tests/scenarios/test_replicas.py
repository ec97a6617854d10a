"""A whole server with a replica of its database: emails show the shopper's last views while the primary is gone."""

import asyncio
import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.cli.run import wetink
from tests.postgresql import Server as Postgres
from tests.scenarios.test_postgresql import MUG, prepared
from tests.serving import Server

PATIENCE_SECONDS = 30.0


@pytest.fixture
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    primary = Postgres(durable=True)
    primary.sql("CREATE DATABASE wetink")
    replica = Postgres(of=primary)
    yield primary, replica
    replica.remove()
    primary.remove()


def wait(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_well(data: Path, store: str) -> bool:
    """Return whether `wetink doctor` finds that replicas are well."""
    found = json.loads(wetink("doctor", "--data", data, "--json", WETINK_STORE=store))
    return [each["state"] for each in found if each["check"] == "replicas"] == ["ok"]


def test_opens_go_on_while_the_primary_is_gone(tmp_path: Path, servers: tuple[Postgres, Postgres]) -> None:
    primary, replica = servers
    store = primary.address("wetink")
    key, token, sealed = asyncio.run(prepared(tmp_path / "data", store))
    settings = {"store": f"{store}?replicas=127.0.0.1:{replica.port}"}
    with (
        Server(tmp_path / "data", workers=1, log=tmp_path / "log", settings=settings) as server,
        httpx2.Client(base_url=server.address, timeout=30) as client,
    ):

        def shown(path: str = f"/d/seen/{sealed}.json") -> list[str]:
            return [item["key"] for item in json.loads(client.get(path).content)["items"]]

        message = {"event": "Product Viewed", "properties": MUG, "userId": "jane", "writeKey": key}
        assert client.post("/v1/track", json=message).status_code == 200
        assert shown() == ["mug"], "an acknowledged event shows in the next open"
        assert client.get("/readyz").status_code == 200
        client.post("/dashboard/login", data={"token": token})
        row = re.compile(rf"127\.0\.0\.1:{replica.port}</span><span class=\"n\">\d+ s behind")
        wait(lambda: row.search(client.get("/dashboard/status").text))
        wait(lambda: is_well(tmp_path / "data", settings["store"]))
        position = primary.sql("SELECT pg_current_wal_flush_lsn()").strip()
        wait(lambda: "t" in replica.sql(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"))
        primary.stop(signal.SIGKILL)
        time.sleep(3)  # nothing of before is in a cache of answers
        for _ in range(20):
            assert shown() == ["mug"]
        assert client.get("/o/seen/1.jpg?user=jane").content.startswith(b"\xff\xd8\xff")
        assert client.get("/c/seen/1?user=jane", follow_redirects=False).headers["location"] == MUG["url"]
        assert client.post("/v1/track", json=message).status_code == 503
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["without"].keys() == {"writing", "leases"}, "the store can be read"
    assert "shows a fallback" not in (tmp_path / "log").read_text()
