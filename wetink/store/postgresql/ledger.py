"""Ledger: decisions, opens and clicks.

An open is answered before its row is on disk: a crash of the server may lose the last second's statistics, but no
message. Nor does it wait for a database that does not answer (see `decisions` and `batch`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.client_classification import Kind
from wetink.core.errors import StoreUnavailable
from wetink.core.signals.attribution import Touch
from wetink.core.signals.report import DayCount
from wetink.ports.drawing import Served
from wetink.ports.ledger import Group, Listed, Revision, TouchPlace, TouchQuery
from wetink.store.interactions import added, asked_of, counted, join, parts_of, quarter_of, touch_of
from wetink.store.postgresql import exposures, interactions
from wetink.store.postgresql.batch import BatchWriter, Queue, is_refused
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.postgresql.decisions import Decisions, keep, key_of
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "ledger_queries.sql")
MOST_DECISIONS = MOST_ROWS = 10_000
"""Limits of waiting decisions, and of waiting promises and exposures. Further ones are dropped."""
MOST_TOUCHES = MOST_PICTURES = 50_000
"""Limits of waiting opens and clicks, and of waiting counts of pictures. Further ones are lost."""
APPLY_SECONDS = 10.0
"""Limit of a transaction with groups of opens and clicks, in seconds."""
TRIES = 3
"""Reads of a person's opens and clicks, if others are written meanwhile."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class PostgresLedger:
    """`ports.ledger.Ledger` over a few tables."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database
        queues = {
            "decisions": Queue(keep, MOST_DECISIONS),
            "promises": Queue(_promise, MOST_ROWS, _first_promises),
            "exposures": Queue(exposures.write, MOST_ROWS, exposures.first),
            "pictures": Queue(interactions.count_pictures, MOST_PICTURES, added),
            "touches": Queue(interactions.count, MOST_TOUCHES),
        }
        self.writer = BatchWriter(
            "opens, clicks or decisions", database, queues, tried=lambda written: self.decisions.tried(written)
        )
        self.decisions = Decisions(database, self.writer)
        self.settle, self.current = self.decisions.settle, self.decisions.current

    @property
    def lost(self) -> int:
        """Number of opens, clicks and decisions that could never be written."""
        return self.writer.lost

    async def promised(self, block: str, recipient: str) -> Mapping[str, Any]:
        key = storable(recipient), storable(block)
        late: dict[str, Any] = (self.writer.find("promises", key) or (key, {}))[1]
        try:
            rows = await self._database.read("reading promises", lambda db: db.fetch(SQL.promised, *key), OPEN_SECONDS)
        except StoreUnavailable:
            if not late:
                raise
            rows = []
        return late | {name: _decode(value) for name, value in rows}

    async def promise(self, block: str, recipient: str, promise: Mapping[str, Any]) -> Mapping[str, Any]:
        key = storable(recipient), storable(block)
        if not promise:
            return await self.promised(block, recipient)
        rows = [(*key, name, _encode(value)) for name, value in sorted(promise.items())]
        try:
            if not self.decisions.away:
                async with self._database.reading("keeping a promise", OPEN_SECONDS) as connection:
                    await connection.execute(SQL.promise, *zip(*rows, strict=True))
                    found = await connection.fetch(SQL.promised, *key)
                return {name: _decode(value) for name, value in found}
        except StoreUnavailable:
            self.decisions.tried(False)
        self.writer.put("promises", (key, dict(promise)), key)
        return dict((self.writer.find("promises", key) or (key, promise))[1])

    async def record(self, touch: Touch) -> None:
        self.writer.put("touches", _storable(touch))

    async def touches(self, recipients: Sequence[str], since: int, until: int) -> Sequence[Touch]:
        found = await self.touches_within(dict.fromkeys(recipients, (since, until)))
        return sorted(found, key=lambda touch: touch.at)

    async def touches_within(self, spans: Mapping[str, tuple[int, int]]) -> Sequence[Touch]:
        await self.writer.flush()
        rows = [(storable(who), *span) for who, span in spans.items()]
        if not rows:
            return []
        async with self._database.reading("reading opens and clicks") as connection:
            return [touch_of(row) for row in await connection.fetch(SQL.touches_within, *zip(*rows, strict=True))]

    async def revisions(self, times: Sequence[int]) -> Sequence[Revision]:
        await self.writer.flush()
        async with self._database.reading("following opens and clicks") as connection:
            return [str(changes) for (changes,) in await connection.fetch(SQL.changes_before, list(times))]

    async def contacts(self, block: str, recipient: str) -> tuple[int, int]:
        for _ in range(TRIES):
            begun, busy = self.writer.begun, self.writer.busy
            waiting = [each.kind for each in self.writer.pending("touches") if counted(each, recipient, block)]
            doing, given = "counting a person's opens and clicks", (storable(recipient), storable(block))
            sums = dict(
                await self._database.read(doing, lambda db: db.fetch(SQL.contacts_of, *given), OPEN_SECONDS)  # noqa: B023 (done at once)
            )
            if not waiting or not (busy or self.writer.begun != begun):
                break  # otherwise some may be counted twice
            await self.writer.flush()
        return sums.get(0, 0) + waiting.count("open"), sums.get(1, 0) + waiting.count("click")

    async def reclassify(self, counts: Callable[[str, Kind], bool]) -> int:
        await self.writer.flush()
        return await interactions.classify_anew(self._database, counts)

    def served(self, served: Served, at: int) -> None:
        what = served, quarter_of(at)
        self.writer.put("pictures", (what, 1), what)

    async def sums(
        self,
        periods: Sequence[tuple[int, int]],
        by: Collection[str],
        *,
        blocks: Sequence[str] | None = None,
        campaign: str | None = None,
    ) -> Sequence[DayCount]:
        await self.writer.flush()
        days, edges = parts_of(periods)
        spans = [[each[place] for each in days] for place in range(3)]
        spans += [[each[place] for each in edges] for place in range(4)]
        query = interactions.sums_query(by, blocks=blocks is not None, campaign=campaign is not None)
        async with self._database.reading("counting opens and clicks") as connection:
            rows = await connection.fetch(query, *spans, *map(_storable_value, (blocks, campaign)))
        return sorted(
            (DayCount(*(*row[:4], *row[5:], row[4])) for row in map(tuple, rows) if any(row[5:])),
            key=lambda each: (each.day, each.block, each.variant, each.campaign, each.part),
        )

    async def listed(self, wanted: TouchQuery, limit: int, before: TouchPlace | None = None) -> Sequence[Listed]:
        await self.writer.flush()
        values = [_storable_value(each) for each in asked_of(wanted, limit, before).values()]
        query = SQL.listed_of
        if wanted.recipients is None:
            query = SQL.listed
            del values[-1]
        async with self._database.reading("listing opens and clicks") as connection:
            rows = await connection.fetch(query, *values)
        return [Listed(touch_of(row[:-1]), (row[1], row[-1])) for row in map(tuple, rows)]

    async def apply(self, groups: Sequence[Group]) -> None:
        by_id = {group.id: group for group in groups}

        async def work(connection: Connection) -> None:
            rows = sorted((group.id, group.at) for group in by_id.values())
            new = await connection.fetch(SQL.apply, *zip(*rows, strict=True))
            if not new:
                return
            found = join([by_id[id_] for (id_,) in new])
            if found.decisions:
                await keep(connection, [(key_of(each[0]), each) for each in found.decisions])
            touches = [_storable(touch) for touch in found.touches]
            await interactions.count(connection, touches, [((what, quarter_of(at)), 1) for what, at in found.served])

        try:
            await self._database.transact("recording opens and clicks", work, seconds=APPLY_SECONDS)
        except StoreUnavailable as error:
            if is_refused(error):
                raise ValueError(str(error)) from error
            raise

    async def forget_applied(self, before: int) -> None:
        async with self._database.reading("forgetting groups of opens", OPEN_SECONDS) as connection:
            await connection.execute(SQL.forget_applied, before)

    async def close(self) -> None:
        """Write the waiting rows. A second call does nothing."""
        await self.decisions.close()
        await self.writer.close()
        self.decisions.tried(True)


def _storable_value(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    return [storable(each) for each in value] if isinstance(value, (list, tuple)) else value


def _storable(touch: Touch) -> Touch:
    whose = storable(touch.recipient), storable(touch.campaign)
    if whose == (touch.recipient, touch.campaign):
        return touch
    return replace(touch, recipient=whose[0], campaign=whose[1])


async def _promise(connection: Connection, promises: Sequence[tuple[tuple[str, str], dict[str, Any]]]) -> None:
    """Write promises made while the database was away, inside a transaction. Earlier ones stay."""
    rows = [
        (*key, name, _encode(value))
        for key, given in sorted(promises, key=lambda each: each[0])
        for name, value in sorted(given.items())
    ]
    await connection.execute(SQL.promise, *zip(*rows, strict=True))


def _first_promises(old: tuple[Any, dict[str, Any]], new: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    return old[0], new[1] | old[1]
