"""A follower of the log skips no message, although transactions become visible in another order than they began."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from wetink.ports import Cursor, Record, Storage
from wetink.store.postgresql import commit
from wetink.store.postgresql.database import Connection, Database

WRITERS = 3


def told(name: str) -> Record:
    return received({"type": "track", "event": "X", "messageId": name, "userId": f"u{name}", "timestamp": LATE - 9})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Storage]:
    made = postgresql.opened(tmp_path)
    yield made
    run(made.close())
    postgresql.drop({postgresql.database_of(tmp_path)})


@pytest.fixture
def database(store: Storage, tmp_path: Path) -> Iterator[Database]:
    made = Database(postgresql.shared().address(postgresql.database_of(tmp_path)))
    yield made
    run(made.close())


async def follow(store: Storage, place: Cursor, limit: int = 100) -> tuple[Cursor, list[str]]:
    place, found = await store.log.read(place, limit)
    return place, [each.message_id for each in found]


def test_a_message_that_becomes_visible_late_is_read_before_those_that_overtook_it(
    store: Storage, database: Database
) -> None:
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(connection: Connection) -> None:
        await commit.write(connection, [commit.prepare(told("slow"))])
        written.set()
        await go_on.wait()

    async def story() -> None:
        place = await store.log.cursor()
        slow = asyncio.create_task(database.transact("writing slowly", slowly))
        await written.wait()
        await store.log.append([told("quick")])
        place, found = await follow(store, place)
        assert found == [], "the slow one may still come"
        assert await store.log.cursor() == place
        assert [each.message_id for each in await store.log.messages()] == ["quick"], "who follows nothing sees it"
        go_on.set()
        await slow
        place, found = await follow(store, place)
        assert found == ["slow", "quick"]
        assert await follow(store, place) == (place, [])

    run(story())


def test_a_follower_of_writers_that_pause_before_they_commit_reads_each_message_once(
    store: Storage, database: Database
) -> None:
    chance = random.Random(3)

    async def writer(turn: int) -> None:
        for number in range(25):
            rows = [commit.prepare(told(f"{turn}-{number}-{each}")) for each in range(4)]
            pause = chance.choice([0, 0, 0.02])

            async def work(connection: Connection, rows: list[commit.Row] = rows, pause: float = pause) -> None:
                await commit.write(connection, rows)
                await asyncio.sleep(pause)

            await database.transact("writing", work)

    async def story() -> list[str]:
        place = await store.log.cursor()
        writing = asyncio.gather(*(writer(turn) for turn in range(WRITERS)))
        read: list[str] = []
        while True:
            over = writing.done()
            place, found = await follow(store, place, 7)
            read += found
            if over and not found:
                break
            await asyncio.sleep(0.002)
        await writing
        return read

    read = run(story())
    assert len(read) == len(set(read)) == WRITERS * 25 * 4
