"""Opens: takes opens, clicks and deliveries to the stream, so that they outlive this process while the store is away.

They are published in groups, a moment after they happen. If the stream does not take them, they go to the store
directly. The store keeps the IDs of groups that it has, so one that is delivered again is not counted twice.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from zlib import crc32

import msgspec

from wetink.core.blocks.block import Decision
from wetink.core.errors import StoreUnavailable
from wetink.core.signals.attribution import Touch
from wetink.ports.drawing import Served
from wetink.ports.ledger import Ledger
from wetink.ports.stream import Stream

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""How long opens and clicks wait for others to go along, in seconds."""
AT_ONCE = 500
"""Most opens and clicks in one publication: each has a few hundred bytes."""


class Opens(msgspec.Struct, frozen=True):
    """What one publication holds: opens and clicks, and pictures that were delivered at a time (Unix ms)."""

    touches: list[Touch] = []
    served: list[tuple[Served, int]] = []
    decisions: list[tuple[Decision, int]] = []


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Opens).decode


class StreamedLedger:
    """`ports.ledger.Ledger` that publishes opens, clicks and deliveries, and leaves the rest to the store's."""

    def __init__(self, ledger: Ledger, stream: Stream) -> None:
        """Publish to `stream`. `ledger` answers everything else."""
        self._ledger, self._stream = ledger, stream
        self._touches: list[Touch] = []
        self._served: list[tuple[Served, int]] = []
        self._publishing: asyncio.Task[None] | None = None

    def __getattr__(self, name: str) -> Any:
        """Return a method of the store's ledger."""
        return getattr(self._ledger, name)

    async def record(self, touch: Touch) -> None:
        """See `ports.ledger.Ledger`."""
        self._touches.append(touch)
        self._begin()

    def served(self, served: Served, at: int) -> None:
        """See `ports.ledger.Ledger`."""
        self._served.append((served, at))
        self._begin()

    async def close(self) -> None:
        """Publish what waits."""
        while self._publishing is not None:
            with suppress(asyncio.CancelledError):
                await self._publishing

    def _begin(self) -> None:
        if self._publishing is None:
            self._publishing = asyncio.create_task(self._publish_all())

    async def _publish_all(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        try:
            while self._touches or self._served:
                touches, self._touches = self._touches[:AT_ONCE], self._touches[AT_ONCE:]
                served, self._served = self._served[:AT_ONCE], self._served[AT_ONCE:]
                await self._publish(Opens(touches, served))
        finally:
            self._publishing = None

    async def _publish(self, opens: Opens) -> None:
        first = opens.touches[0].recipient if opens.touches else ""
        try:
            body = encode(opens)
            await self._stream.publish("opens", crc32(first.encode()) % self._stream.partitions, body)
        except Exception as error:
            if not isinstance(error, StoreUnavailable):
                logger.exception("opens cannot be published")
            await store(opens, self._ledger)


async def store(opens: Opens, ledger: Ledger) -> None:
    """Record opens, clicks and deliveries."""
    for touch in opens.touches:
        await ledger.record(touch)
    for served, at in opens.served:
        ledger.served(served, at)


def read(body: bytes) -> Opens:
    """Return what a publication holds. Raises msgspec.DecodeError."""
    return _decode(body)
