"""Order: messages of one identifier are stored in the order of their acknowledgments, whatever is delivered again."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.stream.streaming import drain, now_ms, stored, streaming, viewed
from wetink.core.errors import StoreUnavailable
from wetink.ports import Inbox, Record
from wetink.stream.apply import Applier
from wetink.stream.front import StreamedLog, partition_of
from wetink.stream.jetstream import JetStream


class Failing:
    """A store's log that fails about every other time."""

    def __init__(self, log: Inbox) -> None:
        self._log, self._chance = log, random.Random(3)

    async def append(self, batch: Sequence[Record]) -> Any:
        if self._chance.random() < 0.5:
            raise StoreUnavailable("the database cannot be reached")
        return await self._log.append(batch)


def test_order_stays_after_a_killed_worker_and_a_store_that_fails(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            front = StreamedLog(stream)
            for start in range(0, 400, 2):
                await front.append([viewed(number) for number in range(start, start + 2)])
            partition = partition_of(viewed(0), stream.partitions)
            killed = JetStream(address)
            fetched = await killed.fetch("messages", partition, 5.0)
            await killed.done(fetched[:1])  # it stored no more than this before it was killed
            await killed.close()
            applier = Applier(stream, replace(store, log=Failing(store.log)), now_ms)
            async with asyncio.timeout(60):
                while (await stream.state()).waiting:
                    with suppress(StoreUnavailable):
                        await applier.step(partition)
            assert [int(each[1:]) for each in await stored(store)] == list(range(2, 400))

    asyncio.run(story())


async def endless(applier: Applier, partition: int) -> None:
    """Take steps until one fails: some end before the servers have delivered anything."""
    while True:
        await applier.step(partition)


def test_a_worker_that_missed_a_delivery_reads_again_from_the_oldest(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            front, other, partition = (
                StreamedLog(stream),
                JetStream(address),
                partition_of(viewed(0), stream.partitions),
            )
            applier = Applier(stream, store, now_ms)
            await front.append([viewed(0)])
            assert await applier.step(partition)
            while await applier.step(partition):
                pass
            await asyncio.sleep(1.1)  # until nobody asks for the next one
            await front.append([viewed(1)])
            assert await other.fetch("messages", partition, 5.0), "a delivery that goes astray"
            await other.close()
            await front.append([viewed(2)])
            with pytest.raises(StoreUnavailable, match="was lost"):
                await asyncio.wait_for(endless(applier, partition), 60)
            await drain(applier, stream)
            assert await stored(store) == ["m0", "m1", "m2"]

    asyncio.run(story())
