"""Decisions: settles decisions in a bucket that all processes share, so an open does not wait for the store.

While the bucket does not answer, the store settles them, as it does without a stream. A decision that only the bucket
knew is lost then, and the next open decides again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from wetink.core.blocks.block import Decision, Onlooker, Settled, settled
from wetink.core.errors import StoreUnavailable, log_error
from wetink.ending import cancelled
from wetink.ports.stream import Bucket
from wetink.telemetry.metrics import DECISIONS

logger = logging.getLogger(__name__)

BUCKET_SHARE = 0.35
"""The share of its deadline that an open waits for the bucket. Then the store settles its decision."""
END_SECONDS = 0.25
"""How long decisions may take that are under way at the end, in seconds."""
PROBE_SECONDS, PROBE_LIMIT_SECONDS = 0.5, 6.0
"""Seconds between two checks whether the bucket answers again, and how long one may take."""
KEPT_MS = 600_000
"""How long the bucket surely keeps a decision if it has room, in milliseconds."""
REMEMBERED = 10_000
"""Decisions that a process remembers with their revisions, to replace them without a read."""
PROBE = "probe"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Settled).decode


class _Job(msgspec.Struct):
    """A fetch that waits for its decision."""

    decision: Decision
    slot: int
    ttl_ms: int
    by: Onlooker
    future: "asyncio.Future[tuple[Decision, bool]]"


class SharedDecisions:
    """The decisions of a ledger in a bucket."""

    def __init__(self, bucket: Bucket, keep: Callable[[Settled], None], seconds: float) -> None:
        """Settle in `bucket`, which has `seconds` to answer. `keep` gets each state that has to reach the store."""
        self._bucket, self._keep, self._seconds = bucket, keep, seconds
        self._remembered: dict[str, tuple[Settled, int]] = {}
        self._jobs: dict[str, list[_Job]] = {}
        self._settling = set[asyncio.Task[None]]()
        self._probing: asyncio.Task[None] | None = None
        self._answers = self._closed = False

    def answers(self) -> bool:
        """Return whether the bucket answers, as far as known. If not, look for it in the background."""
        if not self._answers and self._probing is None and not self._closed:
            self._probing = asyncio.create_task(self._probe(), name="the bucket")
        return self._answers

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool] | None:
        """Return what `ports.ledger.Ledger.settle` does; None if the bucket does not answer in time."""
        if not self.answers():
            return None
        key = _key(decision.recipient, decision.block, decision.campaign)
        job = _Job(decision, slot, ttl_ms, by, asyncio.get_running_loop().create_future())
        jobs = self._jobs.setdefault(key, [])
        jobs.append(job)
        if len(jobs) == 1:
            task = asyncio.create_task(self._settle_all(key, jobs), name="decisions")
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        try:
            async with asyncio.timeout(self._seconds):
                found = await job.future
        except (StoreUnavailable, TimeoutError) as error:
            self._leave(error)
            return None
        DECISIONS["bucket"].add()
        return found

    async def current(self, block: str, recipient: str, campaign: str) -> Decision | None:
        """Return the newest decision; None if the bucket has none or does not answer in time."""
        if not self.answers():
            return None
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._bucket.get(_key(recipient, block, campaign))
        except (StoreUnavailable, TimeoutError) as error:
            self._leave(error)
            return None
        return _decode(found[0])[0] if found is not None else None

    async def close(self) -> None:
        """Stop looking for the bucket."""
        self._closed, self._answers = True, False
        await cancelled([*self._settling, *([self._probing] if self._probing is not None else [])], END_SECONDS)

    async def _settle_all(self, key: str, jobs: list[_Job]) -> None:
        """Settle the fetches that wait for a key, those of one moment together: an email fetches all slots at once."""
        try:
            while waiting := [job for job in jobs if not job.future.done()]:
                answers = await self._settled(key, waiting)
                for job, answer in zip(waiting, answers, strict=True):
                    if not job.future.done():
                        job.future.set_result(answer)
        except Exception as error:
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(error)
        finally:
            del self._jobs[key]

    async def _settled(self, key: str, jobs: Sequence[_Job]) -> list[tuple[Decision, bool]]:
        """Settle by comparing and setting until no other process is faster. Raises StoreUnavailable."""
        kept, revision = self._remembered.get(key, (None, 0))  # mostly the newest, or there is none yet
        read = False
        while True:
            state, answers = kept, list[tuple[Decision, bool]]()
            for job in jobs:
                state, first = settled(state, job.decision, job.slot, job.ttl_ms, job.by)
                answers.append((state[0], first))
            if state is not None and state != kept:
                new = await self._bucket.put(key, _encode(state), revision)
                if new is not None:
                    self._remember(key, state, new)
                    self._keep(state)
                    return answers
            elif read:
                return answers
            found, read = await self._bucket.get(key), True
            kept, revision = (_decode(found[0]), found[1]) if found is not None else (None, 0)

    def _remember(self, key: str, state: Settled, revision: int) -> None:
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = state, revision

    def _leave(self, error: Exception) -> None:
        """Let the store settle decisions until the bucket answers again."""
        if self._answers:
            logger.warning("the store settles decisions: %s", str(error) or type(error).__name__)
        self._answers = False

    async def _probe(self) -> None:
        try:
            while not self._closed:
                try:
                    async with asyncio.timeout(PROBE_LIMIT_SECONDS):
                        await self._bucket.get(PROBE)
                except (StoreUnavailable, TimeoutError):
                    await asyncio.sleep(PROBE_SECONDS)
                except Exception as error:
                    log_error(logger, error, "looking for the bucket")
                    await asyncio.sleep(PROBE_SECONDS)
                else:
                    self._answers = True
                    return
        finally:
            self._probing = None


def _key(recipient: str, block: str, campaign: str) -> str:
    return f"{recipient}\0{block}\0{campaign}"
