"""A move of a store under a real server: nothing that was acknowledged is lost, and the other engine takes over."""

import asyncio
import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import postgresql
from tests.cli.run import wetink
from tests.cli.test_backup import PEOPLE, Load, message, prepared
from tests.serving import Server
from tests.web.scraped import basic
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.wiring import Wetink


@pytest.fixture
def database() -> Iterator[str]:
    """The address of an empty database."""
    server = postgresql.shared()
    name = f"move_{os.getpid()}"
    server.sql(f"CREATE DATABASE {name}")
    yield server.address(name)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def known(data: Path, store: str) -> Any:
    """Return the messages of a store by ID, and its profiles."""
    whom = [Identifier("user", f"u{n}") for n in range(PEOPLE)] + [
        Identifier("anonymous", f"a{n}") for n in range(PEOPLE)
    ]

    async def story() -> Any:
        async with Wetink(read({"WETINK_STORE": store}, data=data), draws=False) as made:
            found = await made.store.log.messages(limit=1_000_000)
            profiles = [await made.store.profiles.profile(who, 1 << 60) for who in whom]
            events = [await made.store.profiles.history(each.root, 1 << 60, 1 << 30) for each in profiles]
            return {each.message_id: each.raw for each in found}, profiles, [sorted(map(repr, each)) for each in events]

    return asyncio.run(story())


def test_a_store_moves_under_load_there_and_back(tmp_path: Path, database: str) -> None:
    data = tmp_path / "data"
    there, back = f"sqlite:///{data}", f"sqlite:///{tmp_path / 'back'}"
    key, token = prepared(data)
    acknowledged = 0
    for source, target in ((there, database), (database, back)):
        with Server(data, workers=2, settings={"store": source}) as server:
            load = Load(server, key, token, numbers=acknowledged)
            with load.running():
                load.wait(100)
                assert "--finish" in wetink("move", source, target)
                load.wait(len(load.acked) + 20)  # the server goes on
                assert load.failed == []
                assert "is read-only" in wetink("move", source, target, "--finish")
                load.wait_for_refusals()
        assert {each.partition(": ")[2] for each in load.failed if not each.startswith("open")} == {"503"}
        moved = known(data, target)
        assert load.acked.keys() - moved[0].keys() == set(), "an acknowledged message is lost"
        acknowledged += len(load.acked) + len(load.failed)
        assert "has moved" in wetink("keys", "create", "x", "--data", data, status=1, WETINK_STORE=source)
        wetink("move", source, "--cancel")
        assert moved == known(data, source)
    with Server(data, workers=1, settings={"store": back}) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        client.request("GET", f"/d/hero/{token}.json")
        opened = json.loads(client.getresponse().read())
        assert [item["product"]["name"] for item in opened["items"]] == ["Mug"], (
            "links of sent emails lead to the person"
        )
        client.request("POST", "/v1/track", message(10_000_000), {"authorization": basic(key)})
        assert client.getresponse().status == 200, "keys of sources go on"
        client.close()


def test_what_cannot_be_moved_is_told(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'data'}"
    other = f"sqlite:///{tmp_path / 'other'}"
    assert "no store" in wetink("move", store, other, status=1)
    prepared(tmp_path / "data")
    prepared(tmp_path / "other")
    assert "same" in wetink("move", store, store, status=1)
    assert "other data" in wetink("move", store, other, status=1)


def test_a_canceled_move_leaves_a_store_that_takes_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    store = f"sqlite:///{data}"
    key, _ = prepared(data)
    wetink("move", store, f"sqlite:///{tmp_path / 'other'}", "--finish")
    assert "canceled" in wetink("move", store, "--cancel")
    with Server(data, workers=1) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        client.request("POST", "/v1/track", message(1), {"authorization": basic(key)})
        assert client.getresponse().status == 200
        client.close()
