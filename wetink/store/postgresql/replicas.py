"""Replicas: copies of the database that answer reads while the primary does not.

Each process measures once a second how far they are behind: it notes the position of the primary's write-ahead log, and
later looks which of these positions a replica has reached. No clock of a server counts.
"""

import asyncio
import random
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
from msgspec.structs import replace

from wetink.ports.inspection import Replica
from wetink.store.postgresql.address import Address
from wetink.store.queries import queries
from wetink.telemetry.metrics import REPLICA_READS, Counter

if TYPE_CHECKING:
    from wetink.store.postgresql.database import Database

SQL = queries(__package__, "replica_queries.sql")

MEASURE_SECONDS = 1.0
"""Seconds between two measurements."""
PROBE_SECONDS = 1.0
"""How long a server may take to tell its position, in seconds."""
STRIKES = 2
"""Probes without an answer after which a server counts as away: one may be this process's own delay. A refused
connection counts at once."""
CATCH_UP_SECONDS, PAUSE_SECONDS = 1.0, 0.02
"""How long a count waits for a replica to catch up with the primary, and between two looks, in seconds."""


class Position(NamedTuple):
    """The answer of a probe. `late` is the replica's own guess of how far it is behind, in seconds."""

    copies: bool
    cluster: int
    timeline: str
    reached: int
    late: float


class _Probe:
    """Asks a server for its position, by a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[Any] | None = None

    async def ask(self) -> Position:
        """Return the position. Raises OSError, TimeoutError or an error of asyncpg."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                if self._connection is None:
                    self._connection = await asyncpg.connect(self._dsn, statement_cache_size=0)
                return Position(*await self._connection.fetchrow(SQL.position))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Errors of a probe, TimeoutError among them."""


async def caught_up(address: Address) -> str | None:
    """Return the address of a replica that has all that the primary has now; None if none gets there in a moment.

    While the primary does not answer, that is any replica that is not late by its own account.
    """
    primary, probes = _Probe(address.dsn), {text: _Probe(Address(text).dsn) for text in address.replicas.values()}
    try:
        with suppress(*FAILURES):
            wanted = await primary.ask()
            return await _first_at(wanted, probes)
        for text, probe in probes.items():
            with suppress(*FAILURES):
                if (await probe.ask()).late <= address.staleness:
                    return text
        return None
    finally:
        for probe in (primary, *probes.values()):
            probe.close()


async def _first_at(wanted: Position, probes: Mapping[str, _Probe]) -> str | None:
    loop = asyncio.get_running_loop()
    until = loop.time() + CATCH_UP_SECONDS
    while loop.time() < until:
        for text, probe in probes.items():
            with suppress(*FAILURES):
                at = await probe.ask()
                if at.copies and at.cluster == wanted.cluster and at.reached >= wanted.reached:
                    return text
        await asyncio.sleep(PAUSE_SECONDS)
    return None


class Replicas:
    """The replicas of a database, as one process sees them."""

    def __init__(self, primary: str, copies: Mapping[str, "Database"], staleness: float) -> None:
        """Measure `copies`, by name, against the `primary`. One more than `staleness` seconds behind is not used."""
        self._primary, self._staleness = _Probe(primary), staleness
        self._copies = {name: (database, _Probe(database.dsn)) for name, database in copies.items()}
        self._reads = dict(zip(copies, REPLICA_READS, strict=False))
        self._states: dict[str, Replica] = {}
        self._passed: deque[tuple[float, int]] = deque()  # when the primary was at which position
        self._known: Position | None = None
        """The primary's last answer."""
        self._strikes = 0
        self._late = set[str]()  # replicas that did not answer the last probe
        self._soon = asyncio.Event()
        self._measured = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @property
    def away(self) -> bool:
        """Whether the primary does not answer."""
        return self._strikes >= STRIKES

    def watch(self) -> None:
        """Measure from now on, in the running event loop."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    @property
    def ready(self) -> bool:
        """Whether a replica can be read."""
        return any([not each.problem for each in self._states.values()])

    def suspect(self) -> None:
        """Take the primary, which did not answer somebody, for away until it answers a probe. That begins now."""
        self._strikes = STRIKES
        self._soon.set()
        if not self.ready:
            self._measured.clear()  # whoever looks for one now waits for the result

    async def states(self) -> Sequence[Replica]:
        """Return the state of each replica."""
        self.watch()
        await self._measured.wait()
        return [replace(self._states[name], place=n) for n, name in enumerate(self._copies) if name in self._states]

    async def usable(self) -> Sequence[tuple["Database", Counter]]:
        """Return the replicas to read from, the best one first, each with the counter of its reads."""
        self.watch()
        await self._measured.wait()
        found = [(each.behind or 0, random.random(), name) for name, each in self._states.items() if not each.problem]  # noqa: S311 (no secret)
        return [(self._copies[name][0], self._reads[name]) for _, _, name in sorted(found)]

    async def close(self) -> None:
        """End the measurements and all connections."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        self._primary.close()
        for database, probe in self._copies.values():
            probe.close()
            await database.close()

    async def _watch(self) -> None:
        while True:
            self._soon.clear()
            await self._measure()
            self._measured.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), MEASURE_SECONDS)

    async def _measure(self) -> None:
        """Ask all servers: the primary first, since what it had then counts."""
        try:
            self._note(await self._primary.ask())
            self._strikes = 0
        except TimeoutError:
            self._strikes += 1
        except FAILURES:
            self._strikes = STRIKES
        states = await asyncio.gather(*(self._state(name, probe) for name, (_, probe) in self._copies.items()))
        self._states = {each.name: each for each in states if each is not None}

    def _note(self, at: Position) -> None:
        now = asyncio.get_running_loop().time()
        passed = self._passed
        if (self._known is not None and at.cluster != self._known.cluster) or (passed and at.reached < passed[-1][1]):
            passed.clear()
        self._known = at
        if passed and passed[-1][1] == at.reached:
            passed.pop()
        passed.append((now, at.reached))
        while len(passed) > 2 and passed[1][0] < now - 2 * self._staleness:
            passed.popleft()

    async def _state(self, name: str, probe: _Probe) -> Replica | None:
        """Return the state of a replica; None if it is the primary, which may be in the list as well."""
        known = self._states.get(name) if name not in self._late else None
        self._late.discard(name)
        try:
            at = await probe.ask()
        except FAILURES as error:
            if known is not None and isinstance(error, TimeoutError):
                self._late.add(name)
                return known
            return Replica(name, None, f"it does not answer: {str(error) or type(error).__name__}")
        if self._known is not None and self._known.cluster != at.cluster:
            return Replica(name, None, "it is not a copy of this database")
        if not at.copies and not self.away:
            same = self._known is not None and self._known.timeline == at.timeline
            return None if same else Replica(name, None, "it is no longer a replica")
        behind = self._behind(at)
        late = behind > self._staleness
        return Replica(name, behind, f"it is {behind:.0f} s behind" if late else "")

    def _behind(self, at: Position) -> float:
        """Return how many seconds of the primary's past a replica lacks."""
        if not self._passed:
            return at.late
        newest, _ = self._passed[-1]
        for moment, position in reversed(self._passed):
            if position <= at.reached:
                return newest - moment
        return max(newest - self._passed[0][0], at.late)
