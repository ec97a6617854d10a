"""Exposures: recipients' arms in experiments."""

import json
from collections.abc import Mapping, Sequence

import msgspec

from wetink.core.blocks.experiment import Exposure
from wetink.core.errors import StoreUnavailable
from wetink.core.signals.experiment_result import DailyExposures
from wetink.store.postgresql.batch import BatchWriter
from wetink.store.postgresql.database import OPEN_SECONDS, Connection, Database
from wetink.store.postgresql.decisions import Decisions
from wetink.store.postgresql.text import storable
from wetink.store.queries import queries

SQL = queries(__package__, "exposure_queries.sql")

_shares = msgspec.json.Decoder(dict[str, float]).decode


class PostgresExposures:
    """`ports.ledger.Exposures` over two tables."""

    def __init__(self, database: Database, decisions: Decisions, writer: BatchWriter) -> None:
        """Read and write `database`. While it is away, rows wait in `writer` as its kind `exposures`."""
        self._database, self._decisions, self._writer = database, decisions, writer

    async def of(self, experiment: str, recipients: Sequence[str]) -> Mapping[str, Exposure]:
        waiting = {who: self._writer.find("exposures", (experiment, storable(who))) for who in recipients}
        late = {who: exposure for who, exposure in waiting.items() if exposure is not None}
        if self._decisions.away and len(late) == len(waiting):
            return late
        stored = [storable(who) for who in recipients]
        doing = "reading exposures"
        rows = await self._database.read(doing, lambda db: db.fetch(SQL.of, experiment, stored), OPEN_SECONDS)
        found = {row[0]: Exposure(experiment, *row) for row in rows}
        given = {who: found[name] for who, name in zip(recipients, stored, strict=True) if name in found}
        return late | given

    async def keep(self, exposure: Exposure) -> Exposure:
        try:
            if not self._decisions.away:
                async with self._database.reading("keeping an exposure", OPEN_SECONDS) as connection:
                    await connection.execute(SQL.keep, *_row(exposure))
                    [row] = await connection.fetch(SQL.of, exposure.experiment, [storable(exposure.recipient)])
                return Exposure(exposure.experiment, exposure.recipient, *row[1:])
        except StoreUnavailable:
            self._decisions.tried(False)
        key = exposure.experiment, storable(exposure.recipient)
        self._writer.put("exposures", exposure, key)
        kept: Exposure | None = self._writer.find("exposures", key)
        return kept or exposure

    async def days(self, experiment: str) -> Sequence[DailyExposures]:
        async with self._database.reading("counting exposures") as connection:
            return [DailyExposures(*row) for row in await connection.fetch(SQL.days, experiment)]

    async def shares(self, experiment: str, epoch: int) -> Mapping[str, float] | None:
        async with self._database.reading("reading a bandit's shares", OPEN_SECONDS) as connection:
            found = await connection.fetchval(SQL.shares, experiment, epoch)
        return _shares(found) if found is not None else None

    async def keep_shares(self, experiment: str, epoch: int, shares: Mapping[str, float]) -> Mapping[str, float]:
        async with self._database.reading("keeping a bandit's shares", OPEN_SECONDS) as connection:
            await connection.execute(SQL.keep_shares, experiment, epoch, json.dumps(dict(shares)))
        return await self.shares(experiment, epoch) or shares

    async def close(self) -> None:
        """Do nothing: the storage closes the database."""


async def write(connection: Connection, exposures: Sequence[Exposure]) -> None:
    """Write exposures made while the database was away, inside a transaction. An earlier one stays."""
    for exposure in sorted(exposures, key=lambda each: (each.recipient, each.experiment)):
        await connection.execute(SQL.keep, *_row(exposure))


def first(old: Exposure, new: Exposure) -> Exposure:
    """Return the exposure that holds of two for the same recipient: a later one only with another heir or person."""
    return new if new.heir_of or new.person != old.person else old


def _row(exposure: Exposure) -> tuple[str, str, str, int, str, str, int | None, int | None]:
    return (
        *(exposure.experiment, storable(exposure.recipient), exposure.arm, exposure.at, storable(exposure.person)),
        *(storable(exposure.heir_of), exposure.seen, exposure.clicked),
    )
