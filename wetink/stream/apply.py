"""Apply: stores what comes out of the stream. Storing the same again changes nothing, so nothing is lost or doubled.

A message that the store rejects is set aside alone: its neighbors are stored, and nothing is tried for ever.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from wetink.core.errors import Held, StoreUnavailable, log_error
from wetink.core.events.event import Problem
from wetink.ending import cancelled
from wetink.ports import Record, Storage
from wetink.ports.stream import Delivery, Stream, Topic
from wetink.stream import opens

logger = logging.getLogger(__name__)
T = TypeVar("T")

decode = msgspec.msgpack.Decoder(list[Record]).decode
WAIT_SECONDS = 1.0
"""How long a turn waits for the first message, in seconds."""
AGAIN_SECONDS = 1.0
"""How long after a failure of the store its messages are delivered again, in seconds."""
LEASE_SECONDS = 4.0
"""How long a killed process still holds its partitions, in seconds."""
STEP_SECONDS, CLOSE_SECONDS = 3.0, 3.5
"""How long a partition's work, and all of it with its leases, may take to end, in seconds."""
PRESENT = "stream worker "
"""What begins the name of the lease that each live process holds."""


class Applier:
    """Stores the messages of the partitions that this process holds. Live processes share the partitions evenly."""

    def __init__(self, stream: Stream, store: Storage) -> None:
        """Move what is in `stream` to `store`, whose leases say which process has which partition."""
        self._stream, self._store, self._log, self._leases = stream, store, store.log, store.leases
        self._present: asyncio.Task[None] | None = None
        self._held: dict[int, asyncio.Task[None]] = {}
        self.on_appended: Callable[[], None] = lambda: None
        """Called after messages were stored."""

    async def share(self) -> None:
        """Take a free partition, or give one up, so that each live process has its share. Call it every second.

        Raises StoreUnavailable.
        """
        if self._present is None or self._present.done():
            self._present = asyncio.create_task(self._be_present())
            await asyncio.sleep(0)
        self._held = {partition: task for partition, task in self._held.items() if not task.done()}
        names = {lease.name for lease in await self._leases.held()}
        workers = sum(name.startswith(PRESENT) for name in names)
        share = -(-self._stream.partitions // max(1, workers))
        if len(self._held) > share:
            self._held.popitem()[1].cancel()
        if len(self._held) > share:
            self._held.popitem()[1].cancel()
        free = [each for each in range(self._stream.partitions) if each not in self._held and _lease(each) not in names]
        for partition in free[: share - len(self._held)] if len(self._held) < share else ():
            self._held[partition] = asyncio.create_task(self._hold(partition))

    @property
    def partitions(self) -> Sequence[int]:
        """The partitions that this process holds."""
        return sorted(self._held)

    async def close(self) -> None:
        """Give all partitions up."""
        await cancelled([*self._held.values(), *([self._present] if self._present is not None else [])], CLOSE_SECONDS)

    async def _be_present(self) -> None:
        with suppress(Held, StoreUnavailable):  # the next turn begins again
            async with self._leases.hold(f"{PRESENT}{secrets.token_hex(4)}", LEASE_SECONDS):
                await asyncio.Event().wait()

    async def _hold(self, partition: int) -> None:
        """Store a partition's messages for as long as this process holds it."""
        with suppress(Held, StoreUnavailable):  # a later turn begins again
            async with self._leases.hold(_lease(partition), LEASE_SECONDS):
                ending = asyncio.Event()
                steps = [
                    asyncio.create_task(self._repeat(step, partition, ending), name=f"stream {name} {partition}")
                    for name, step in (("messages", self.step), ("opens", self.step_opens))
                ]
                try:
                    await asyncio.wait(steps)
                finally:
                    ending.set()
                    await cancelled(steps, STEP_SECONDS)

    async def _repeat(self, step: Callable[[int], Awaitable[bool]], partition: int, ending: asyncio.Event) -> None:
        while not ending.is_set():  # a cancellation may get lost in a library
            try:
                await step(partition)
            except StoreUnavailable as error:
                logger.warning("partition %d waits: %s", partition, error)
                await asyncio.sleep(AGAIN_SECONDS)
            except Exception as error:
                log_error(logger, error, "partition %d waits", partition)
                await asyncio.sleep(AGAIN_SECONDS)

    async def step(self, partition: int) -> bool:
        """Store the next messages of a partition. Returns whether there were any.

        Raises StoreUnavailable: they come again.
        """
        deliveries = await self._stream.fetch("messages", partition, WAIT_SECONDS)
        if not deliveries:
            return False
        readable = await self._read(deliveries, "messages", decode)
        try:
            await self._store_messages(readable)
        except StoreUnavailable:
            await self._stream.again([each for each, _ in readable], AGAIN_SECONDS)
            raise
        await self._stream.done([each for each, _ in readable])
        self.on_appended()
        return True

    async def step_opens(self, partition: int) -> bool:
        """Record the next opens and clicks of a partition. Returns whether there were any.

        Raises StoreUnavailable: they come again. If the store fails just while it writes, they wait in the ledger's
        memory, as those of a process without a stream do, since recording them again would count them twice.
        """
        deliveries = await self._stream.fetch("opens", partition, WAIT_SECONDS)
        if not deliveries:
            return False
        readable = await self._read(deliveries, "opens", opens.read)
        try:
            await self._store.writable()
        except StoreUnavailable:
            await self._stream.again(deliveries, AGAIN_SECONDS)
            raise
        for _, each in readable:
            await opens.store(each, self._store.ledger)
        await self._store.ledger.write_pending()
        await self._stream.done([each for each, _ in readable])
        return True

    async def _read(
        self, deliveries: Sequence[Delivery], topic: Topic, decode: Callable[[bytes], T]
    ) -> list[tuple[Delivery, T]]:
        """Return what is in stream messages. Those that cannot be read are set aside."""
        readable: list[tuple[Delivery, T]] = []
        for each in deliveries:
            try:
                readable.append((each, decode(each.body)))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log_error(logger, error, "a stream message cannot be read")
                await self._stream.set_aside(each, topic, f"it cannot be read: {type(error).__name__}")
        return readable

    async def _store_messages(self, readable: Sequence[tuple[Delivery, list[Record]]]) -> None:
        records = [record for _, some in readable for record in some]
        try:
            await self._log.append(records)
        except StoreUnavailable:
            raise
        except Exception as error:
            log_error(logger, error, "messages cannot be stored together, so each is stored alone")
            for record in records:
                await self._store_alone(record)

    async def _store_alone(self, record: Record) -> None:
        """Store a message, or else its bytes with the reason, as a message that nobody could read."""
        try:
            await self._log.append([record])
        except StoreUnavailable:
            raise
        except Exception as error:
            log_error(logger, error, "a message cannot be stored")
            await self._log.append([_bare(record)])


def _bare(record: Record) -> Record:
    """Return a message without anything derived from it, as one that nobody could read."""
    why = Problem("unreadable", "", "wetink could not store this message; it is kept: see the log, then replay it")
    return Record(record.source, record.message_id, record.received, record.sent_at_key, record.raw, "parked", (why,))


def _lease(partition: int) -> str:
    return f"stream partition {partition}"
