"""A store that does not open when the server starts: opens get fallbacks, events are refused, and it is tried again."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpcore
import pytest
from PIL import Image

from tests import postgresql
from tests.serving import Server
from tests.storage import opened
from wetink.core.errors import StoreUnavailable
from wetink.ports import Storage
from wetink.ports.drawing import Served
from wetink.store import engine_of, open_now_or_later
from wetink.web.request import now_ms

BLOCK = """
data: true
width: 300
height: 100
recipients: [user]
variants:
  - {name: seen, app: last-viewed}
fallback: {link: "https://shop.example/", title: Come in}
"""
MESSAGE = {"type": "track", "userId": "ann", "event": "Product Viewed", "properties": {"sku": "mug"}}
NO_DATABASE = b"this is no database file, as a disk that was attached to the wrong machine might have " * 50


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
    return found


class Away(NamedTuple):
    """A store that does not open: its address, how it returns, and what the log says of it."""

    address: str
    bring_back: Callable[[], object]
    reason: str


@contextmanager
def sqlite_away(place: Path) -> Iterator[Away]:
    """A file that is no database."""
    file = place / "store" / "wetink.db"
    file.parent.mkdir()
    file.write_bytes(NO_DATABASE)
    yield Away(f"sqlite:///{file.parent}", file.unlink, "file is not a database")


@contextmanager
def postgresql_away(place: Path) -> Iterator[Away]:
    """A server that is not started yet."""
    server = postgresql.Server()
    try:
        server.sql("CREATE DATABASE late")
        server.stop()
        yield Away(server.address("late"), server.start, "Connect")
    finally:
        server.remove()


@pytest.mark.parametrize(("away", "workers"), [(sqlite_away, 1), (sqlite_away, 2), (postgresql_away, 1)])
def test_a_server_without_its_store_answers_opens_and_begins_when_the_store_is_there(
    tmp_path: Path, away: Callable[[Path], AbstractContextManager[Away]], workers: int
) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "seen.yaml").write_text(BLOCK)
    with (
        away(tmp_path) as store,
        Server(data, workers=workers, log=log, settings={"store": store.address}) as server,
        httpcore.ConnectionPool() as http,
    ):

        def ask(method: str, path: str, body: object = None) -> httpcore.Response:
            content = None if body is None else json.dumps(body).encode()
            return http.request(method, server.address + path, content=content)

        state = ask("GET", "/readyz")
        assert state.status == 503
        assert {"store", "writing", "leases", "content"} <= json.loads(state.content)["missing"].keys()
        assert ask("GET", "/healthz").status == 200, "another process could not do better"
        picture = ask("GET", "/o/seen/1.jpg?user=ann")
        assert picture.status == 200
        assert Image.open(io.BytesIO(picture.content)).size == (600, 200), "the block's own fallback"
        assert json.loads(ask("GET", "/d/seen.json?user=ann").content)["link"] == "https://shop.example/"
        refused = ask("POST", "/v1/track", {**MESSAGE, "writeKey": "any"})
        assert refused.status == 503
        assert b"retry-after" in {name.lower() for name, _ in refused.headers}
        assert ask("GET", "/dashboard/login").status == 200
        assert until(lambda: log.read_text().count("the store does not open; wetink tries again every 2 s") > workers)
        assert store.reason in log.read_text()

        store.bring_back()
        until(lambda: ask("GET", "/readyz").status == 200)
        key = asyncio.run(write_key(store.address))
        assert ask("POST", "/v1/track", {**MESSAGE, "writeKey": key}).status == 200
        assert [each["key"] for each in json.loads(ask("GET", "/d/seen.json?user=ann").content)["items"]] == ["mug"]


async def write_key(address: str) -> str:
    store = engine_of(address).open(address, now_ms, archive_days=1, archive_bytes=1 << 20)
    try:
        return (await store.sources.create_key("shop", "server", (), now_ms())).write_key
    finally:
        await store.close()


class Disk:
    """An engine over a disk that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.there = folder, False

    def open(self) -> Storage:
        if not self.there:
            raise StoreUnavailable("the disk is away", hint="attach it")
        return opened(self._folder)


def test_every_part_of_a_late_storage_says_why_until_a_start_opens_it(tmp_path: Path) -> None:
    async def story() -> None:
        disk = Disk(tmp_path)
        store = open_now_or_later(disk.open)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.sources.all(),
            lambda: store.projections.behind(),
            lambda: store.log.messages(),
            store.writable,
            store.start,
        ]
        for call in calls:
            with pytest.raises(StoreUnavailable, match="the disk is away") as refused:
                await call()
            assert refused.value.hint == "attach it"
        assert await store.pictures.get(("block", 1, "user:ann", "")) is None, "opens rely on it"
        store.ledger.served(Served("block", "seen", ""), 1)
        assert (dict(store.lost()), list(store.ended())) == ({"opens and clicks": 1}, [])
        disk.there = True
        with pytest.raises(StoreUnavailable):
            await store.sources.all()
        await store.start()
        await store.writable()
        assert await store.sources.all() == []
        async with store.leases.hold("work"):
            pass
        await store.close()
        await store.close()

    asyncio.run(story())


def test_a_storage_that_opens_at_once_is_the_engines_own(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.there = True
    store = open_now_or_later(disk.open)
    assert type(store.log).__module__.startswith("wetink.store.sqlite")
    asyncio.run(store.close())


def test_a_late_storage_that_never_opened_can_be_closed(tmp_path: Path) -> None:
    asyncio.run(open_now_or_later(Disk(tmp_path).open).close())
