"""Front: takes received messages to the stream instead of the store.

Messages that arrive while a publication is under way go out together in the next one, in their order, one publication
at a time for each partition.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from zlib import crc32

import msgspec

from wetink.core.errors import TooLarge
from wetink.ports import Record
from wetink.ports.stream import Stream

encode = msgspec.msgpack.Encoder().encode
GROUP_BYTES = 256 << 10
"""Raw bytes of the messages in one publication: with all that is derived from them, it stays below a megabyte."""


class _Request:
    """Messages that were appended together: how many are not published yet, and who waits for them."""

    __slots__ = ("done", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class StreamedLog:
    """`ports.storage.Inbox` whose `append` returns once a quorum has the messages. A worker stores them later.

    No message is known as a duplicate yet: the store finds duplicates when it stores them.
    """

    def __init__(self, stream: Stream) -> None:
        """Publish to `stream`."""
        self._stream = stream
        self._waiting: dict[int, deque[tuple[Record, _Request]]] = defaultdict(deque)
        self._publishing: dict[int, asyncio.Task[None]] = {}

    async def append(self, batch: Sequence[Record]) -> Sequence[bool]:
        if not batch:
            return ()
        request = _Request(len(batch))
        for record in batch:
            partition = partition_of(record, self._stream.partitions)
            self._waiting[partition].append((record, request))
            if partition not in self._publishing:
                self._publishing[partition] = asyncio.create_task(self._publish_all(partition))
        await request.done
        return [False] * len(batch)

    async def _publish_all(self, partition: int) -> None:
        """Publish what waits in a partition, group by group, until nothing does."""
        waiting = self._waiting[partition]
        await asyncio.sleep(0)  # the other requests of this turn go along
        try:
            while waiting:
                group: list[tuple[Record, _Request]] = []
                size = 0
                while waiting and (not group or size + len(waiting[0][0].raw) <= GROUP_BYTES):
                    size += len(waiting[0][0].raw)
                    group.append(waiting.popleft())
                try:
                    await self._publish(partition, [record for record, _ in group])
                except Exception as error:
                    _settle(group, error)
                else:
                    _settle(group)
        finally:
            del self._publishing[partition]

    async def _publish(self, partition: int, records: list[Record]) -> None:
        body = encode(records)
        if len(body) <= self._stream.most_bytes:
            await self._stream.publish("messages", partition, body)
        elif len(records) == 1:
            raise TooLarge("a message is larger than the stream takes", hint="raise max_payload of its servers")
        else:
            middle = len(records) // 2
            await self._publish(partition, records[:middle])
            await self._publish(partition, records[middle:])


def partition_of(record: Record, partitions: int) -> int:
    """Return a message's partition: everything filed under one identifier comes in order."""
    filed = record.filed
    return crc32(f"{filed.kind}:{filed.value}".encode()) % partitions if filed is not None else 0


def _settle(group: Sequence[tuple[Record, _Request]], error: Exception | None = None) -> None:
    """Tell the requests of a group that their messages are published, or that they may not be."""
    for _, request in group:
        request.left -= 1
        if request.done.done():
            continue
        if error is not None:
            request.done.set_exception(error)
        elif not request.left:
            request.done.set_result(None)
