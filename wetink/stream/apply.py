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
from wetink.ports.ledger import Group
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
KEPT_MS = 600_000
"""How long IDs of stored opens are kept after the stream has none that is as old, in milliseconds: servers that replace
a leader may deliver some again."""
PRESENT = "stream worker "
"""What begins the name of the lease that each live process holds."""


class Applier:
    """Stores the messages of the partitions that this process holds. Live processes share the partitions evenly."""

    def __init__(self, stream: Stream, store: Storage, now_ms: Callable[[], int]) -> None:
        """Move what is in `stream` to `store`, whose leases say which process has which partition."""
        self._now_ms = now_ms
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

        Raises StoreUnavailable: they come again.
        """
        deliveries = await self._stream.fetch("opens", partition, WAIT_SECONDS)
        if not deliveries:
            return False
        groups = [
            (each, Group(each.id, each.at, found.touches, found.served, found.decisions))
            for each, found in await self._read(deliveries, "opens", opens.read)
        ]
        try:
            stored = await self._store_opens(groups)
        except StoreUnavailable:
            await self._stream.again([each for each, _ in groups], AGAIN_SECONDS)
            raise
        await self._stream.done(stored)
        return True

    async def _store_opens(self, groups: Sequence[tuple[Delivery, Group]]) -> list[Delivery]:
        """Store groups together, or else each alone. Those that the store rejects are set aside.

        Returns the others. Raises StoreUnavailable.
        """
        try:
            if groups:
                await self._store.ledger.apply([group for _, group in groups])
            return [each for each, _ in groups]
        except StoreUnavailable:
            raise
        except Exception as error:
            log_error(logger, error, "opens cannot be stored")
            if len(groups) == 1:
                await self._stream.set_aside(groups[0][0], "opens", f"it cannot be stored: {type(error).__name__}")
                return []
        return [stored for each in groups for stored in await self._store_opens([each])]

    async def forget(self) -> None:
        """Forget which opens have been stored that the stream no longer has. Call it every minute.

        Raises StoreUnavailable.
        """
        oldest = await self._stream.oldest("opens")
        before = min(oldest, self._now_ms()) if oldest is not None else self._now_ms()
        await self._store.ledger.forget_applied(before - KEPT_MS)

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
