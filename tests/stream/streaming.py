"""A stream with a store behind it, and its messages, for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contracts.profiles import LATE, received
from tests.storage import opened
from wetink.core.errors import StoreUnavailable
from wetink.ports import Record, Storage
from wetink.stream.apply import Applier
from wetink.stream.jetstream import JetStream


def viewed(number: int, who: str = "jane") -> Record:
    message = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": who}
    return received({**message, "timestamp": LATE - 9, "properties": {"sku": "S", "url": "https://shop.example/s"}})


def now_ms() -> int:
    return LATE


@asynccontextmanager
async def opened_store(folder: Path) -> AsyncIterator[Storage]:
    store = opened(folder, now_ms)
    try:
        await store.start()
        yield store
    finally:
        await store.close()


async def connect(stream: JetStream) -> None:
    """Start a stream as a server does, again and again: nodes that have just begun choose a leader first."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await stream.start()
            except StoreUnavailable:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def streaming(address: str, folder: Path) -> AsyncIterator[tuple[JetStream, Storage]]:
    stream = JetStream(address)
    async with opened_store(folder) as store:
        try:
            await connect(stream)
            yield stream, store
        finally:
            await stream.close()


async def stored(store: Storage) -> list[str]:
    _, found = await store.log.read(await store.log.cursor(0), 100_000)
    return [each.message_id for each in found]


async def drain(applier: Applier, stream: JetStream) -> None:
    """Store all that is in the stream."""
    async with asyncio.timeout(60):
        while (await stream.state()).waiting:
            steps = (applier.step, applier.step_opens)
            await asyncio.gather(*(step(partition) for step in steps for partition in range(stream.partitions)))
