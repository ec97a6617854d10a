"""A move of a store under a real server: nothing that was acknowledged is lost, and the other engine takes over."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests import postgresql
from tests.cli.run import wetink
from tests.cli.test_backup import message, prepared
from tests.jetstream import cluster
from tests.moving_house import House, story
from tests.serving import Server
from tests.web.scraped import basic


@pytest.fixture
def database() -> Iterator[str]:
    """The address of an empty database."""
    server = postgresql.shared()
    name = f"move_{os.getpid()}"
    server.sql(f"CREATE DATABASE {name}")
    yield server.address(name)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_store_moves_under_load_there_and_back_and_the_servers_are_switched(tmp_path: Path, database: str) -> None:
    wrong, clients = asyncio.run(story(House(tmp_path, database), messages=300, count=30))
    assert wrong == []
    assert clients.refused.keys() - {"no answer"} == {"503"}, "messages are refused while the store is sealed"


def test_with_a_stream_in_front_a_move_refuses_nothing(tmp_path: Path, database: str) -> None:
    with cluster() as nats:
        wrong, clients = asyncio.run(story(House(tmp_path, database, log=nats.address), messages=100, count=30))
    assert wrong == []
    assert clients.refused.keys() <= {"no answer"}, "a server that ends leaves requests to the next one"


def test_links_of_sent_emails_and_keys_go_on_after_a_move(tmp_path: Path, database: str) -> None:
    data = tmp_path / "data"
    key, token = prepared(data)
    stores = [f"sqlite:///{data}", database, f"sqlite:///{tmp_path / 'back'}"]
    with Server(data, workers=1) as server:
        assert sent(server, key, 0) == 200
    for number, (source, target) in enumerate(pairwise(stores), 1):
        wetink("move", source, target, "--finish")
        assert "has moved" in wetink("keys", "create", "x", "--data", data, status=1, WETINK_STORE=source)
        with Server(tmp_path / "restarted", workers=1, settings={"store": source}) as server:
            assert (shown(server, token), sent(server, key, 9)) == (["Mug"], 503), "opens are answered until the switch"
        with Server(tmp_path / "new", workers=1, settings={"store": target}) as server:
            assert (shown(server, token), sent(server, key, number)) == (["Mug"], 200)


def shown(server: Server, token: str) -> list[str]:
    """Open an email, and return the products in it."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("GET", f"/d/hero/{token}.json")
    found = [item["product"]["name"] for item in json.loads(client.getresponse().read())["items"]]
    client.close()
    return found


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_server_does_not_start_on_the_target_of_an_unfinished_move(
    tmp_path: Path, database: str, engine: str
) -> None:
    prepared(tmp_path / "data")
    target = database if engine == "postgresql" else f"sqlite:///{tmp_path / 'target'}"
    wetink("move", f"sqlite:///{tmp_path / 'data'}", target)
    for arguments in ("serve --port 0 --workers 1", "serve --port 0 --workers 2", "doctor", "keys list"):
        command = [sys.executable, "-m", "wetink", *arguments.split(), "--data", str(tmp_path / "new")]
        ended = subprocess.run(command, env={**os.environ, "WETINK_STORE": target}, capture_output=True, text=True)
        assert ended.returncode == 1, arguments
        assert "a move to this store is not complete" in ended.stdout + ended.stderr, arguments
        assert "wetink move FROM TO --finish" in ended.stdout + ended.stderr, arguments
        assert "Traceback" not in ended.stderr, arguments


def sent(server: Server, key: str, number: int) -> int:
    """Send a message, and return the status of the answer."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("POST", "/v1/track", message(number), {"authorization": basic(key)})
    status = client.getresponse().status
    client.close()
    return status


def test_what_cannot_be_moved_is_told(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'data'}"
    other = f"sqlite:///{tmp_path / 'other'}"
    assert "no store" in wetink("move", store, other, status=1)
    prepared(tmp_path / "data")
    prepared(tmp_path / "other")
    assert "same" in wetink("move", store, store, status=1)
    assert "other data" in wetink("move", store, other, status=1)
    assert "--cancel takes FROM alone" in wetink("move", store, other, "--cancel", status=2)


def test_a_canceled_move_leaves_a_store_that_takes_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    store = f"sqlite:///{data}"
    key, _ = prepared(data)
    wetink("move", store, f"sqlite:///{tmp_path / 'other'}", "--finish")
    assert "has moved elsewhere" in wetink("move", store, f"sqlite:///{tmp_path / 'third'}", status=1)
    assert "was not canceled" in wetink("move", store, "--cancel", given="n\n", status=1)
    assert "has moved" in wetink("keys", "create", "x", "--data", data, status=1)
    assert "canceled" in wetink("move", store, "--cancel", "--yes")
    with Server(data, workers=1) as server:
        assert sent(server, key, 1) == 200
