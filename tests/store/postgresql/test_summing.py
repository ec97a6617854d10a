"""Several processes add to the same sums of opens at once, and none waits for another in a circle."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.contracts.loop import run
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DAY_MS, QUARTER_MS
from wetink.ports import Storage
from wetink.ports.drawing import Served

PROCESSES, ROUNDS, BLOCKS = 4, 40, 40
START = 1_795_000_000_000 - 1_795_000_000_000 % DAY_MS


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Storage]]:
    made = [postgresql.opened(tmp_path) for _ in range(PROCESSES)]
    yield made
    for each in made:
        run(each.close())
    postgresql.drop({postgresql.database_of(tmp_path)})


def deadlocks(folder: Path) -> int:
    name = postgresql.database_of(folder)
    return int(postgresql.shared().sql(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'"))


def test_processes_that_count_the_same_blocks_at_once_never_deadlock(stores: list[Storage], tmp_path: Path) -> None:
    """Each adds some quarters of an hour and changes others, of the same days, while all opens are classified again."""
    day = [(START, START + DAY_MS)]

    async def count(number: int, store: Storage) -> int:
        chance, pictures = random.Random(number), 0
        for turn in range(ROUNDS):
            for block in chance.sample(range(BLOCKS), BLOCKS // 2):
                at = START + chance.randrange(DAY_MS // QUARTER_MS) * QUARTER_MS
                store.ledger.served(Served(f"block-{block}", "", "may"), at)
                pictures += 1
                if turn % 4 == 0:
                    await store.ledger.record(Touch("open", f"block-{block}", f"user:{number}-{turn}", "may", at))
            await store.ledger.sums(day, ())
            if turn == number * 5:
                await store.ledger.reclassify(lambda block, kind: True)
        return pictures

    async def story() -> tuple[int, int]:
        pictures = await asyncio.gather(*(count(*each) for each in enumerate(stores)))
        [found] = await stores[0].ledger.sums(day, ())
        assert found.opens == PROCESSES * ROUNDS // 4 * (BLOCKS // 2)
        return sum(pictures), found.pictures

    pictures, found = run(story())
    assert found == pictures
    for each in stores:
        run(each.close())  # a session reports its statistics when it ends
    assert deadlocks(tmp_path) == 0
