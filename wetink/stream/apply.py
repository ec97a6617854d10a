"""Apply: stores what comes out of the stream. Storing the same again changes nothing, so nothing is lost or doubled.

A message that the store rejects is set aside alone: its neighbors are stored, and nothing is tried for ever.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from wetink.core.errors import Held, StoreUnavailable, log_error
from wetink.core.events.event import Problem
from wetink.ending import cancelled
from wetink.ports import Record, Storage
from wetink.ports.ledger import Group
from wetink.ports.stream import TOPICS, Delivery, Stream, Topic
from wetink.stream import opens

logger = logging.getLogger(__name__)
T = TypeVar("T")

decode = msgspec.msgpack.Decoder(list[Record]).decode
WAIT_SECONDS = 1.0
"""How long a turn waits for the first message, in seconds."""
AGAIN_SECONDS = 1.0
"""How long after a failure of the store it is tried again, in seconds. Shorter than `ACK_SECONDS` of the stream."""
LEASE_SECONDS = 4.0
"""How long a killed process still holds its partitions, in seconds."""
STEP_SECONDS, CLOSE_SECONDS = 3.0, 3.5
"""How long a partition's work, and all of it with its leases, may take to end, in seconds."""
KEPT_MS = 600_000
"""How long IDs of stored opens are kept after the stream has none that is as old, in milliseconds: servers that replace
a leader may deliver some again."""
FORGET_SECONDS = 60.0
"""How often the process that holds the first partition forgets those IDs, in seconds."""
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
        self._waiting: dict[tuple[Topic, int], Any] = {}
        """What was fetched and could not be stored yet."""
        self._reading = set[tuple[Topic, int]]()
        """What this process reads from the oldest stream message on that was not stored."""
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
                for topic in TOPICS:  # what another process had fetched comes first, so the order stays
                    self._waiting.pop((topic, partition), None)
                    self._reading.discard((topic, partition))
                ending = asyncio.Event()
                work = {"messages": self.step, "opens": self.step_opens}
                if partition == 0:
                    work["stored"] = self._tidy
                steps = [
                    asyncio.create_task(self._repeat(step, partition, ending), name=f"stream {name} {partition}")
                    for name, step in work.items()
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

        Raises StoreUnavailable: the next call begins with the same ones.
        """
        readable = await self._next("messages", partition, decode)
        await self._stored("messages", partition, readable, self._store_messages)
        if readable:
            self.on_appended()
        return bool(readable)

    async def step_opens(self, partition: int) -> bool:
        """Record the next opens and clicks of a partition. Returns whether there were any.

        Raises StoreUnavailable: the next call begins with the same ones.
        """
        readable = await self._next("opens", partition, opens.decode)
        await self._stored("opens", partition, readable, self._store_opens)
        return bool(readable)

    async def _next(self, topic: Topic, partition: int, decode: Callable[[bytes], T]) -> list[tuple[Delivery, T]]:
        """Return the next stream messages: those that could not be stored before, else new ones."""
        key = topic, partition
        if key in self._waiting:
            waiting: list[tuple[Delivery, T]] = self._waiting.pop(key)
            return waiting
        if key not in self._reading:
            await self._stream.rewind(topic, partition)
            self._reading.add(key)
        try:
            return await self._read(await self._stream.fetch(topic, partition, WAIT_SECONDS), topic, decode)
        except BaseException:  # what was delivered meanwhile has to come again, before anything later
            self._reading.discard(key)
            raise

    async def _stored(
        self,
        topic: Topic,
        partition: int,
        readable: list[tuple[Delivery, T]],
        store: Callable[[Sequence[tuple[Delivery, T]]], Awaitable[Sequence[Delivery]]],
    ) -> None:
        """Store stream messages. If the store is away, they wait here, before those that come later."""
        try:
            await self._stream.done(await store(readable))
        except StoreUnavailable:
            self._waiting[topic, partition] = readable
            await self._stream.hold([each for each, _ in readable])
            raise

    async def _store_opens(self, found: Sequence[tuple[Delivery, opens.Opens]]) -> Sequence[Delivery]:
        """Store opens together, or else each publication alone. Those that the store rejects are set aside.

        Returns the others. Raises StoreUnavailable.
        """
        try:
            groups = [Group(of.id, of.at, each.touches, each.served, each.decisions) for of, each in found]
            if groups:
                await self._store.ledger.apply(groups)
            return [each for each, _ in found]
        except StoreUnavailable:
            raise
        except Exception as error:
            log_error(logger, error, "opens cannot be stored")
            if len(found) == 1:
                await self._stream.set_aside(found[0][0], "opens", f"it cannot be stored: {type(error).__name__}")
                return []
        return [stored for each in found for stored in await self._store_opens([each])]

    async def _tidy(self, partition: int) -> bool:
        await self.forget()
        await asyncio.sleep(FORGET_SECONDS)
        return True

    async def forget(self) -> None:
        """Forget which opens have been stored that the stream no longer has. Raises StoreUnavailable."""
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

    async def _store_messages(self, found: Sequence[tuple[Delivery, list[Record]]]) -> Sequence[Delivery]:
        """Store messages. Returns what is done. Raises StoreUnavailable."""
        records = [record for _, some in found for record in some]
        try:
            if records:
                await self._log.append(records)
        except StoreUnavailable:
            raise
        except Exception as error:
            log_error(logger, error, "messages cannot be stored together, so each is stored alone")
            for record in records:
                await self._store_alone(record)
        return [each for each, _ in found]

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
