"""Decisions: settles the decisions of one turn of the event loop together, in memory while the database is away.

An open does not wait for a database that does not answer: its decision stays in memory and is written later. All slots
of an email that this process serves agree even so.
"""

import asyncio
import logging
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

import msgspec

from wetink.core.blocks.block import MARKS, Decision, Onlooker, Settled, settled
from wetink.core.errors import StoreUnavailable, log_error
from wetink.store.postgresql.batch import BatchWriter, is_refused
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

logger = logging.getLogger(__name__)
SQL = queries(__package__, "ledger_queries.sql")
SLOTS = (1 << 30) - 1
SETTLE_SECONDS = 0.4
"""How long an open waits for its decision to be settled, in seconds."""
PROBE_SECONDS = 0.5
"""Seconds between two checks whether the database is back."""
AT_ONCE = 2
"""Statements under way at the same time. Decisions that come meanwhile share the next one."""
REMEMBERED = 10_000
"""Settled decisions that a process remembers for the time when the database is away."""

Key: TypeAlias = tuple[str, str, str]
"""Recipient, block, campaign."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode
_in_order = msgspec.msgpack.Encoder(order="deterministic").encode


class _Job(msgspec.Struct):
    """A fetch that waits for its decision. `mark` has the bits of its slot and its kind."""

    key: Key
    decision: Decision
    slot: int
    ttl_ms: int
    by: Onlooker
    mark: int
    body: bytes
    says: int
    future: "asyncio.Future[tuple[Decision, bool]]"


class Decisions:
    """The decisions of a ledger. `writer` writes those that wait as its kind `decisions`."""

    def __init__(self, database: Database, writer: BatchWriter) -> None:
        """Settle in `database`."""
        self._database, self._writer = database, writer
        self._jobs: list[_Job] = []
        self._statements = set[asyncio.Task[None]]()
        self._remembered: dict[Key, Settled] = {}
        self._probing: asyncio.Task[None] | None = None

    @property
    def away(self) -> bool:
        """Whether the database did not answer and has not done so since."""
        return self._probing is not None

    async def settle(self, decision: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Decision, bool]:
        """See `ports.ledger.Ledger`."""
        try:
            body, says = _encode(decision), hash_of(decision)
        except Exception:
            logger.exception("a decision of %s could not be settled", decision.block)
            raise
        loop = asyncio.get_running_loop()
        mark = 1 << slot | MARKS[by]
        job = _Job(key_of(decision), decision, slot, ttl_ms, by, mark, body, says, loop.create_future())
        self._jobs.append(job)
        if len(self._jobs) == 1:
            loop.call_soon(self._begin)
        return await job.future

    async def current(self, block: str, recipient: str, campaign: str, since: int = 0) -> Decision | None:
        """See `ports.ledger.Ledger`."""
        found = await self._current((storable(recipient), storable(block), storable(campaign)))
        return found if found is not None and found.at >= since else None

    async def _current(self, key: Key) -> Decision | None:
        if (waiting := self._writer.find("decisions", key)) is not None:
            return waiting[1][0]  # type: ignore[no-any-return]
        if self.away and key in self._remembered:
            return self._remembered[key][0]
        body = await self._database.read("reading a decision", lambda db: db.fetchval(SQL.current, *key), OPEN_SECONDS)
        return _decode(body) if body is not None else None

    def tried(self, written: bool) -> None:
        """Note whether the database has just answered another write."""
        if not written:
            self._leave()
        elif self._probing is not None:
            self._probing.cancel()
            self._probing = None

    async def close(self) -> None:
        """Settle those that wait."""
        while self._jobs or self._statements:
            self._begin()
            await asyncio.sleep(0) if not self._statements else await asyncio.wait(self._statements)
        self.tried(True)

    def _begin(self) -> None:
        """Settle the waiting ones, unless enough statements are under way."""
        if not self._jobs or (len(self._statements) >= AT_ONCE and not self.away):
            return
        jobs, self._jobs = self._jobs, []
        together = []
        for job in jobs:
            if self.away or self._writer.find("decisions", job.key) is not None:
                self._settle_late(job)
            else:
                together.append(job)
        if together:
            task = asyncio.create_task(self._settle_together(together))
            self._statements.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._statements.discard(task)
        self._begin()

    async def _settle_together(self, jobs: Sequence[_Job]) -> None:
        limit = SETTLE_SECONDS if self._database.connected else OPEN_SECONDS
        giving_up = asyncio.get_running_loop().call_later(limit, self._give_up, jobs, "the database does not answer")
        try:
            for rows in _rounds(jobs):
                await self._settle_rows(rows)
        except Exception as error:
            if is_refused(error):
                await self._settle_alone(jobs, error)
            else:
                if not isinstance(error, StoreUnavailable):
                    log_error(logger, error, "decisions cannot be settled together")
                self._give_up(jobs, error)
        finally:
            giving_up.cancel()

    def _give_up(self, jobs: Sequence[_Job], why: object) -> None:
        """Settle fetches in memory. Their statement may still be under way: a frozen server delays its end."""
        if not self.away:
            logger.warning("decisions are written later: %s", why)
        self._leave()
        for job in jobs:
            if not job.future.done():
                self._settle_late(job)
        self._begin()

    async def _settle_alone(self, jobs: Sequence[_Job], error: Exception) -> None:
        """Settle each of some fetches alone: the database refuses the values of one, which gets the error."""
        if len(jobs) == 1:
            logger.error("a decision of %s could not be settled", jobs[0].decision.block, exc_info=error)
            if not jobs[0].future.done():
                jobs[0].future.set_exception(error)
            return
        for job in jobs:
            if not job.future.done():
                await self._settle_together([job])

    async def _settle_rows(self, rows: Sequence[list[_Job]]) -> None:
        """Settle fetches with different keys. Raises StoreUnavailable."""
        found = await self._upserted(rows)
        for row in rows:
            if row[0].future.done():
                continue  # it was settled in memory meanwhile
            served, body = found[row[0].key]
            kept = row[0].decision if body is None else _decode(body)
            for job in row:
                _answer(job, kept, served)
                served |= job.mark
            self._remember(row[0].key, (kept, served))

    async def _upserted(self, rows: Sequence[list[_Job]]) -> dict[Key, tuple[int, bytes | None]]:
        values = [(*row[0].key, row[0].decision.at, row[0].says, _marks(row), row[0].body) for row in rows]
        values.sort(key=_first_three)
        async with self._database.reading("settling decisions", OPEN_SECONDS) as connection:
            found = await connection.fetch(SQL.settle, *zip(*values, strict=True), rows[0][0].ttl_ms, SLOTS)
        return {(who, block, campaign): (previous, body) for who, block, campaign, previous, body in found}

    def _settle_late(self, job: _Job) -> None:
        """Settle a fetch in memory. Its decision is written later."""
        key = job.key
        waiting = self._writer.find("decisions", key)
        kept: Settled | None = waiting[1] if waiting is not None else self._remembered.get(key)
        state, first = settled(kept, job.decision, job.slot, job.ttl_ms, job.by)
        if state != kept:
            self._writer.put("decisions", (key, state), key)
            self._remember(key, state)
        if not job.future.done():
            job.future.set_result((state[0], first))

    def _remember(self, key: Key, state: Settled) -> None:
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = state

    def _leave(self) -> None:
        """Settle in memory until the database answers again."""
        if self._probing is None:
            self._probing = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        while True:
            try:
                async with self._database.reading("looking for the database", OPEN_SECONDS) as connection:
                    await connection.execute("SELECT 1")
            except StoreUnavailable:
                await asyncio.sleep(PROBE_SECONDS)
            else:
                self._probing = None
                return


async def keep(connection: Connection, decisions: Sequence[tuple[Key, Settled]]) -> None:
    """Write decisions made while the database was away, inside a transaction. A newer stored one stays."""
    rows = [
        (*key, decision.at, hash_of(decision), served, _encode(decision))
        for key, (decision, served) in sorted(decisions, key=lambda each: each[0])
    ]
    await connection.execute(SQL.keep, *zip(*rows, strict=True))


def hash_of(decision: Decision) -> int:
    """Return a 64-bit hash of what a decision says, in the sense of `Decision.says`."""
    shown = _in_order((decision.variant, decision.items, decision.links, decision.facts))
    return int.from_bytes(blake2b(shown, digest_size=8).digest(), "big", signed=True)


def _rounds(jobs: Sequence[_Job]) -> list[list[list[_Job]]]:
    """Return fetches in rounds of rows: each round has one row of a key, and a row has fetches that say the same."""
    rows: dict[tuple[Key, int], list[list[_Job]]] = {}
    for job in jobs:
        mine = rows.setdefault((job.key, job.ttl_ms), [])
        if mine and mine[-1][0].says == job.says:
            mine[-1].append(job)
        else:
            mine.append([job])
    rounds: dict[tuple[int, int], list[list[_Job]]] = {}
    for (_, ttl_ms), mine in rows.items():
        for number, row in enumerate(mine):
            row.sort(key=lambda each: each.decision.at)
            rounds.setdefault((number, ttl_ms), []).append(row)
    return [*rounds.values()]


def _answer(job: _Job, kept: Decision, served: int) -> None:
    if not job.future.done():
        job.future.set_result((kept, job.by != "nobody" and not served & MARKS[job.by]))


def key_of(decision: Decision) -> Key:
    """Return the key of a decision, as the database can store it."""
    return storable(decision.recipient), storable(decision.block), storable(decision.campaign)


def _marks(row: Sequence[_Job]) -> int:
    marks = 0
    for job in row:
        marks |= job.mark
    return marks


def _first_three(row: Sequence[object]) -> Key:
    return row[0], row[1], row[2]  # type: ignore[return-value]
