"""Locks: the guide says how many a process takes, and how many a server has room for."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from tests.postgresql import Server
from wetink.core.errors import StoreUnavailable
from wetink.ports import Record
from wetink.store.postgresql import commit
from wetink.store.postgresql.catalog import SQL as CATALOG
from wetink.store.postgresql.database import Connection, Database
from wetink.store.postgresql.writer import AT_ONCE, GROUP_ROWS

GUIDE = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()
CONNECTIONS = 20
TAKEN = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
PARTITIONS = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass"


def documented(pattern: str) -> int:
    [found] = re.findall(pattern, GUIDE)
    return int(found.replace(",", ""))


def group(start: int = 0) -> list[Record]:
    """Return a group of as many messages as a process writes together, each of another person with a device."""
    body = {"type": "track", "event": "X", "timestamp": LATE - 1}
    numbers = range(start, start + GROUP_ROWS)
    return [
        received({**body, "messageId": f"m{each}", "userId": f"u{each}", "anonymousId": f"d{each}"}) for each in numbers
    ]


def server_with(**settings: str) -> Iterator[Server]:
    made = Server(max_connections=str(CONNECTIONS), **settings)
    made.sql("CREATE DATABASE wetink")
    yield made
    made.remove()


@pytest.fixture
def small() -> Iterator[Server]:
    yield from server_with(max_locks_per_transaction="10")


@pytest.fixture
def enough() -> Iterator[Server]:
    a_process = documented(r"takes up to ([\d,]+) locks")
    yield from server_with(max_locks_per_transaction=str(-(-a_process // CONNECTIONS)))


def tell(server: Server, story: Callable[[Database], Awaitable[None]]) -> None:
    async def whole() -> None:
        database = Database(server.address("wetink"))
        await database.start()
        await story(database)
        await database.close()

    run(whole())


def test_a_process_takes_no_more_locks_than_the_guide_says_and_they_fit(enough: Server) -> None:
    async def story(database: Database) -> None:
        taken, all_there = list[int](), asyncio.Event()

        async def write(db: Connection, start: int) -> None:
            await commit.write(db, [commit.prepare(each) for each in group(start)])
            taken.append(await db.fetchval(TAKEN))
            if len(taken) == AT_ONCE:
                all_there.set()
            await all_there.wait()

        starts = [number * GROUP_ROWS for number in range(AT_ONCE)]
        await asyncio.gather(*(database.transact("writing", lambda db, at=at: write(db, at)) for at in starts))  # type: ignore[misc]
        assert 2 * GROUP_ROWS * AT_ONCE <= sum(taken) <= documented(r"takes up to ([\d,]+) locks")

    tell(enough, story)


def test_a_read_of_events_locks_each_partition_and_its_index(enough: Server) -> None:
    async def story(database: Database) -> None:
        async with database.reading("making partitions") as db:
            await db.execute("SELECT make_event_partitions(now(), now() + interval '3 years')")
            partitions = await db.fetchval(PARTITIONS)
        assert partitions > 12
        async with database.snapshot("following") as db:
            await db.fetch(CATALOG.slice, 0, 1 << 62, 100)
            assert 2 * partitions < await db.fetchval(TAKEN) <= 2 * partitions + documented(r"(\d+) more locks")

    tell(enough, story)


def test_a_group_that_finds_no_room_for_its_locks_is_refused_and_others_go_on(small: Server) -> None:
    async def story(database: Database) -> None:
        rows = [commit.prepare(each) for each in group()]
        with pytest.raises(StoreUnavailable, match="out of shared memory") as error:
            await database.transact("writing", lambda db: commit.write(db, rows))
        assert "max_locks_per_transaction" in error.value.hint
        assert await database.transact("writing", lambda db: commit.write(db, rows[:50])) == [False] * 50

    tell(small, story)
