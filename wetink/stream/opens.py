"""Opens: takes opens, clicks and decisions to the stream, so that they outlive this process while the store is away.

They are published in groups, a moment after they happen. If the stream does not take them, they go to the store
directly. The store keeps the IDs of groups that it has, so one that is delivered again is not counted twice.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any
from zlib import crc32

import msgspec

from wetink.core.blocks.block import DECISION_MS, Decision, Onlooker, Settled
from wetink.core.errors import StoreUnavailable, log_error
from wetink.core.signals.attribution import Touch
from wetink.ports.drawing import Served
from wetink.ports.ledger import Group, Ledger
from wetink.ports.stream import Stream
from wetink.stream.decisions import BUCKET_SHARE, KEPT_MS, SharedDecisions
from wetink.telemetry.metrics import DECISIONS

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""How long opens and clicks wait for others to go along, in seconds."""
AWAY_SECONDS = 5.0
"""How long opens go to the store after the stream has not taken some, in seconds."""
AT_ONCE = 500
"""Most opens and clicks in one publication: each has a few hundred bytes."""


class Opens(msgspec.Struct, frozen=True):
    """What one publication holds: opens and clicks, and pictures that were delivered at a time (Unix ms)."""

    touches: list[Touch] = []
    served: list[tuple[Served, int]] = []
    decisions: list[Settled] = []


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Opens).decode


class StreamedLedger:
    """`ports.ledger.Ledger` that publishes opens, clicks, deliveries and decisions. The store's answers the rest."""

    def __init__(self, ledger: Ledger, stream: Stream, now_ms: Callable[[], int], deadline_ms: int = 700) -> None:
        """Publish to `stream`. `ledger` answers everything else. `deadline_ms` is that of an open."""
        self._ledger, self._stream, self._now_ms = ledger, stream, now_ms
        self._touches: list[Touch] = []
        self._served: list[tuple[Served, int]] = []
        self._decisions: dict[tuple[str, str, str], Settled] = {}
        self._publishing: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self._shared = SharedDecisions(stream.bucket, self._keep, deadline_ms / 1000 * BUCKET_SHARE)

    def __getattr__(self, name: str) -> Any:
        """Return a method of the store's ledger."""
        return getattr(self._ledger, name)

    def prepare(self) -> None:
        """Look for the bucket, so that the first open finds it."""
        self._shared.answers()

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        """See `ports.ledger.Ledger`."""
        found = await self._shared.settle(decision, slot, ttl_ms, by)
        if found is None:
            found = await self._ledger.settle(decision, slot, ttl_ms, by)
            DECISIONS["store"].add()
        return found

    async def current(self, block: str, recipient: str, campaign: str, since: int = 0) -> Decision | None:
        """See `ports.ledger.Ledger`."""
        found = await self._shared.current(block, recipient, campaign)
        if found is None and not (self._shared.answers() and since >= self._now_ms() - KEPT_MS):
            return await self._ledger.current(block, recipient, campaign, since)
        return found if found is not None and found.at >= since else None

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
        await self._shared.close()
        while self._publishing is not None:
            with suppress(asyncio.CancelledError):
                await self._publishing

    def _keep(self, state: Settled) -> None:
        decision = state[0]
        self._decisions[decision.recipient, decision.block, decision.campaign] = state
        self._begin()

    def _begin(self) -> None:
        if self._publishing is None:
            self._publishing = asyncio.create_task(self._publish_all())

    async def _publish_all(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        try:
            while self._touches or self._served or self._decisions:
                touches, self._touches = self._touches[:AT_ONCE], self._touches[AT_ONCE:]
                served, self._served = self._served[:AT_ONCE], self._served[AT_ONCE:]
                keys = list(islice(self._decisions, AT_ONCE))
                await self._publish(Opens(touches, served, [self._decisions.pop(key) for key in keys]))
        finally:
            self._publishing = None

    async def _publish(self, opens: Opens) -> None:
        whose = [*(touch.recipient for touch in opens.touches), *(each.recipient for each, _ in opens.decisions), ""]
        id_, loop = secrets.token_hex(12), asyncio.get_running_loop()
        try:
            body = encode(opens)
            if len(body) > self._stream.most_bytes and (parts := _parts(opens)):
                for part in parts:
                    await self._publish(part)
                return
            if loop.time() >= self._away_until:
                await self._stream.publish("opens", crc32(whose[0].encode()) % self._stream.partitions, body, id_)
                return
        except Exception as error:
            self._away_until = loop.time() + AWAY_SECONDS
            if not isinstance(error, StoreUnavailable):
                logger.exception("opens cannot be published")
        await self._store(Group(id_, self._now_ms(), opens.touches, opens.served, opens.decisions))

    async def _store(self, group: Group) -> None:
        """Store what the stream did not take. It may have it nevertheless, so its ID is stored as well.

        If the store is away too, it waits in the ledger's memory.
        """
        try:
            await self._ledger.apply([group])
        except Exception as error:
            log_error(logger, error, "opens wait in memory")
            for touch in group.touches:
                await self._ledger.record(touch)
            for served, at in group.served:
                self._ledger.served(served, at)
            for decision, _ in group.decisions:
                with suppress(StoreUnavailable):
                    await self._ledger.settle(decision, 0, DECISION_MS, "nobody")


def _parts(opens: Opens) -> list[Opens]:
    """Return the parts of a publication that is too large; none if it cannot be divided."""
    touches, served, decisions = opens.touches, opens.served, opens.decisions
    kinds = [Opens(touches), Opens(served=served), Opens(decisions=decisions)]
    kinds = [each for each in kinds if each != Opens()]
    if len(kinds) > 1:
        return kinds
    t, s, d = len(touches) // 2, len(served) // 2, len(decisions) // 2
    if not (t or s or d):
        return []
    return [Opens(touches[:t], served[:s], decisions[:d]), Opens(touches[t:], served[s:], decisions[d:])]
