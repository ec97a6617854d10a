"""Opens and clicks through the stream: each is counted once, whatever fails on the way."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import nats
import pytest
from msgspec.structs import replace

from tests.contracts.profiles import LATE
from tests.days import days
from tests.postgresql import TEMPLATE, shared
from tests.serving import Server
from tests.storage import opened
from tests.stream.streaming import drain, now_ms, opened_store, streaming
from wetink.core.errors import StoreUnavailable
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DAY_MS
from wetink.ports import Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import Group
from wetink.ports.stream import Delivery, Topic
from wetink.store.postgresql.storage import open_storage
from wetink.stream.apply import Applier
from wetink.stream.jetstream import Address, JetStream
from wetink.stream.opens import Opens, StreamedLedger, encode


def opened_at(at: int, who: str = "jane") -> Touch:
    return Touch("open", "hero", f"user:{who}", "spring", at, "v")


def test_opens_and_deliveries_are_counted_once_a_worker_has_them(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            ledger, applier = StreamedLedger(store.ledger, stream, now_ms), Applier(stream, store, now_ms)
            for number in range(1_200):
                await ledger.record(opened_at(LATE + number * 60_000, f"u{number % 9}"))
                ledger.served(Served("hero", "v", "spring"), LATE)
            await ledger.close()
            assert await days(store.ledger, LATE, LATE + DAY_MS) == []
            await drain(applier, stream)
            sums = await days(store.ledger, LATE, LATE + DAY_MS)
            assert sum(day.pictures for day in sums) == 1_200
            assert sum(day.opens for day in sums) == 1_200
            assert await ledger.contacts("hero", "user:u1") == await store.ledger.contacts("hero", "user:u1") != (0, 0)

    asyncio.run(story())


class Ledger:
    """A ledger that is away, or rejects a group, as it is told to."""

    def __init__(self, store: Storage) -> None:
        self.ledger, self.away, self.rejects = store.ledger, False, ""

    async def apply(self, groups: Sequence[Group]) -> None:
        if self.away:
            raise StoreUnavailable("the database cannot be reached")
        if any(touch.recipient == self.rejects for group in groups for touch in group.touches):
            raise ValueError("this one cannot be stored")
        await self.ledger.apply(groups)


def test_opens_wait_in_the_stream_while_the_store_cannot_be_written(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            ledger, flawed = StreamedLedger(store.ledger, stream, now_ms), Ledger(store)
            applier = Applier(stream, replace(store, ledger=flawed), now_ms)
            await ledger.record(opened_at(LATE))
            await ledger.close()
            flawed.away = True
            with pytest.raises(StoreUnavailable):
                await applier.step_opens(crc32(b"user:jane") % stream.partitions)
            assert (await stream.state()).waiting == 1
            flawed.away = False
            await drain(applier, stream)
            assert await store.ledger.contacts("hero", "user:jane") == (1, 0)

    asyncio.run(story())


def test_opens_that_the_store_rejects_are_set_aside_alone(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            flawed = Ledger(store)
            flawed.rejects = "user:u1"
            for number in range(3):
                await stream.publish("opens", 0, encode(Opens([opened_at(LATE, f"u{number}")])))
            await drain(Applier(stream, replace(store, ledger=flawed), now_ms), stream)
            counts = [await store.ledger.contacts("hero", f"user:u{number}") for number in range(3)]
            assert counts == [(1, 0), (0, 0), (1, 0)]
            place = Address(address)
            client = await nats.connect(place.servers)
            aside = await client.jetstream().get_msg(f"{place.name}_aside", 1)
            await client.close()
            assert "cannot be stored" in (aside.headers or {})["Wetink-Reason"]

    asyncio.run(story())


def test_opens_go_to_the_store_while_the_stream_is_away(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened_store(tmp_path) as store:
            ledger = StreamedLedger(store.ledger, JetStream("nats://127.0.0.1:9"), now_ms)
            await ledger.record(opened_at(LATE))
            ledger.served(Served("hero", "v", "spring"), LATE)
            await ledger.close()
            assert await store.ledger.contacts("hero", "user:jane") == (1, 0)

    asyncio.run(story())


def test_opens_that_the_stream_took_although_it_failed_are_counted_once(address: str, tmp_path: Path) -> None:
    class Unsure(JetStream):
        """A stream whose answers get lost."""

        async def publish(self, topic: Topic, partition: int, body: bytes, id_: str = "") -> None:
            await super().publish(topic, partition, body, id_)
            raise StoreUnavailable("no answer")

    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            unsure = Unsure(address)
            ledger = StreamedLedger(store.ledger, unsure, now_ms)
            for number in range(3):
                await ledger.record(opened_at(LATE + number * 60_000))
                ledger.served(Served("hero", "v", "spring"), LATE)
                await ledger.close()
            await unsure.close()
            assert (await stream.state()).waiting == 1, "it does not ask a stream that has just failed"
            assert await store.ledger.contacts("hero", "user:jane") == (3, 0)
            await drain(Applier(stream, store, now_ms), stream)
            assert await store.ledger.contacts("hero", "user:jane") == (3, 0)
            assert sum(day.pictures for day in await days(store.ledger, LATE, LATE)) == 3

    asyncio.run(story())


def test_opens_of_a_worker_that_is_killed_before_it_acknowledges_are_counted_once(address: str, tmp_path: Path) -> None:
    class Killed(JetStream):
        """The stream as it sees a worker that stored what it fetched and then ended."""

        async def done(self, deliveries: Sequence[Delivery]) -> None:
            pass

    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            for number in range(20):
                touches, served = [opened_at(LATE + number * 60_000)], [(Served("hero", "v", "spring"), LATE)]
                await stream.publish("opens", 0, encode(Opens(touches, served)))
            killed = Killed(address)
            assert await Applier(killed, store, now_ms).step_opens(0)
            await killed.close()
            assert await store.ledger.contacts("hero", "user:jane") == (20, 0)
            applier = Applier(stream, store, now_ms)
            await applier.forget()  # it must not forget what comes again
            await drain(applier, stream)
            assert await store.ledger.contacts("hero", "user:jane") == (20, 0)
            assert sum(day.pictures for day in await days(store.ledger, LATE, LATE)) == 20

    asyncio.run(story())


def test_a_worker_forgets_the_ids_of_opens_that_the_stream_no_longer_has(address: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with streaming(address, tmp_path) as (stream, store):
            old = Group("old", now_ms() - 86_400_000, [opened_at(LATE)])
            await store.ledger.apply([old])
            await store.ledger.apply([old])
            assert await store.ledger.contacts("hero", "user:jane") == (1, 0)
            applier = Applier(stream, store, now_ms)
            async with asyncio.timeout(60):
                while await store.ledger.contacts("hero", "user:jane") == (1, 0):
                    await applier.share()
                    await store.ledger.apply([old])  # nothing delivers it again: it shows that its ID is forgotten
                    await asyncio.sleep(0.1)
            await applier.close()

    asyncio.run(story())


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_opens_are_counted_once_while_workers_are_killed(engine: str, nodes: Any, tmp_path: Path) -> None:
    """Workers are killed (-9) at random moments while they record opens."""
    data, chance, count = tmp_path / "data", random.Random(7), 4_000
    log = f"{nodes.address}?name=killed_{engine}"
    settings = {"role": "worker", "log": log}
    if engine == "postgresql":
        name = f"killed_{os.getpid()}"
        shared().sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        settings["store"] = shared().address(name)

    async def publish(first: int, last: int) -> None:
        stream = JetStream(log)
        for number in range(first, last):
            who, at = f"u{number % 50}", 1_790_000_000_000 + number * 60_000
            await stream.publish("opens", number % stream.partitions, encode(Opens([opened_at(at, who)])))
        await stream.close()

    async def waiting() -> int:
        stream = JetStream(log)
        try:
            return (await stream.state()).waiting
        finally:
            await stream.close()

    async def counted() -> int:
        store = opened(data, now_ms)
        if engine == "postgresql":
            store = open_storage(settings["store"], now_ms, archive_days=1, archive_bytes=1 << 20)
        try:
            return sum([(await store.ledger.contacts("hero", f"user:u{number}"))[0] for number in range(50)])
        finally:
            await store.close()

    rounds = 4
    for turn in range(rounds):
        asyncio.run(publish(turn * count // rounds, (turn + 1) * count // rounds))
        with Server(data, workers=1, settings=settings) as server:
            before, end = asyncio.run(waiting()), time.monotonic() + 60
            while asyncio.run(waiting()) == before:
                assert time.monotonic() < end
            time.sleep(chance.uniform(0, 0.1))
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(20)
    with Server(data, workers=1, settings=settings):
        end = time.monotonic() + 60
        while asyncio.run(waiting()):
            assert time.monotonic() < end
            time.sleep(0.1)
    assert asyncio.run(counted()) == count
