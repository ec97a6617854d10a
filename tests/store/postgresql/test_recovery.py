"""Recovery to a point in time, as docs/operating.md describes it: base backup, archived WAL, a killed server."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator

import pytest

from tests.contracts.loop import run
from tests.contracts.test_odd_rows import NOW, decision, touch
from tests.days import days
from tests.postgresql import LIMIT, Server
from tests.store.said import message
from wetink.opens.open import DECISION_MS
from wetink.ports import Storage
from wetink.store.postgresql import open_storage


@pytest.fixture
def server() -> Iterator[Server]:
    command = "test ! -f ../archive/%f && cp %p ../archive/%f"
    made = Server(durable=True, archive_mode="on", archive_command=command, wal_level="replica")
    (made.folder / "archive").mkdir()
    if os.geteuid() == 0:
        shutil.chown(made.folder / "archive", "nobody", "nogroup")
    made.sql("CREATE DATABASE wetink")
    yield made
    made.remove()


def store_of(server: Server) -> Storage:
    return open_storage(server.address("wetink"), lambda: NOW, archive_days=9, archive_bytes=1 << 30)


async def send(store: Storage, *numbers: int) -> None:
    duplicates = await store.log.append([message(number) for number in numbers])
    assert not any(duplicates)


async def followed(store: Storage) -> list[str]:
    """Return the message ids that a follower sees from the beginning, in order."""
    cursor, found = await store.log.cursor(0), list[str]()
    while True:
        cursor, some = await store.log.read(cursor, 100)
        if not some:
            return found
        found += [each.message_id for each in some]


def archived(server: Server) -> None:
    """Wait until the WAL so far is in the archive."""
    wal = server.sql("SELECT pg_walfile_name(pg_switch_wal())").strip()
    until = time.monotonic() + LIMIT
    while not (server.folder / "archive" / wal).exists():
        assert time.monotonic() < until, "the WAL is not archived"
        time.sleep(0.05)


def recover(server: Server, moment: str) -> None:
    """Put the base backup in place of the data, and start the server with it until a moment."""
    server.data.rename(server.folder / "broken")
    (server.folder / "base").rename(server.data)
    with (server.data / "postgresql.auto.conf").open("a") as conf:
        conf.write("restore_command = 'cp ../archive/%f %p'\nrecovery_target_action = 'promote'\n")
        conf.write(f"recovery_target_time = '{moment}'\n")
    (server.data / "recovery.signal").touch()
    server.start()
    until = time.monotonic() + LIMIT
    while server.sql("SELECT pg_is_in_recovery()").strip() == "t":
        assert time.monotonic() < until, "the recovery does not end"
        time.sleep(0.05)


def test_a_killed_database_is_recovered_to_a_moment(server: Server) -> None:
    first, second, mistake = range(50), range(50, 100), range(100, 110)

    async def before() -> tuple[str, str]:
        store = store_of(server)
        await store.sources.create_key("shop", "server", (), NOW)
        await send(store, *first)
        server.run("pg_basebackup", *server.place, "-U", "wetink", "-D", str(server.folder / "base"), "-c", "fast")
        await send(store, *second)
        await store.ledger.settle(decision(1), 1, DECISION_MS, "person")
        await store.ledger.record(touch(1))
        await days(store.ledger, NOW, NOW)
        async with store.leases.hold("one"):
            await send(store, 110)
            await asyncio.sleep(0.1)
            moment = server.sql("SELECT clock_timestamp()").strip()
            await asyncio.sleep(0.1)
            await store.sources.delete_source("shop")
            await send(store, *mistake)
            with store.crowd() as crowd:
                cursor = crowd.cursor
            archived(server)
            server.stop(signal.SIGKILL)
        await store.close()
        return moment, cursor

    moment, cursor = run(before())
    recover(server, moment)

    async def after() -> None:
        store = store_of(server)
        there = [f"m{number}" for number in (*first, *second, 110)]
        assert await followed(store) == there, "all until then, in their order, and nothing later"
        assert [each.name for each in await store.sources.all()] == ["shop"]
        assert await store.ledger.current("hero", "user:u1", "") == decision(1)
        assert sum(each.opens for each in await days(store.ledger, NOW, NOW)) == 1
        await send(store, *mistake)
        assert await followed(store) == [*there, *(f"m{number}" for number in mistake)], "those sent again are new"
        assert await store.log.append([message(7)]) == [True]
        with store.crowd() as crowd:
            assert crowd.changes(cursor, 1_000) is None, "a place of the time that is gone is not taken for one of now"
        async with store.leases.hold("one", wait=LIMIT):
            pass
        await store.close()

    run(after())
