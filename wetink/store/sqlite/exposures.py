"""Exposures: recipients' arms in experiments, in the ledger's file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from wetink.core.blocks.experiment import Exposure
from wetink.core.errors import StoreUnavailable
from wetink.core.signals.experiment_result import DailyExposures
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import passing
from wetink.store.sqlite.connection import LOOP_BUSY_MS, connect, fetch, first, in_thread, translated
from wetink.store.sqlite.ledger import MOST_ROWS, Late

SQL = queries(__package__, "exposure_queries.sql")

_shares = msgspec.json.Decoder(dict[str, float]).decode


class SQLiteExposures:
    """`ports.ledger.Exposures` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path, late: Late | None = None) -> None:
        """Open the tables in a folder's ledger, or create them. `late` holds the ledger's delayed writes."""
        self._path = folder / "opens.db"
        self._db = connect(self._path, durable=False, busy_ms=LOOP_BUSY_MS)
        self._late, self._kept_late = late, dict[tuple[str, str], Exposure]()
        self._closed = False
        with translated("opening the ledger"):
            self._db.execute(script(__package__, "exposures.sql"))

    async def of(self, experiment: str, recipients: Sequence[str]) -> Mapping[str, Exposure]:
        with translated("reading who is in which arm"):
            rows = fetch(self._db, SQL.of, (experiment, json.dumps(list(recipients))))
        found = {row[0]: Exposure(experiment, *row) for row in rows}
        if self._kept_late:
            for recipient in recipients:
                late = self._kept_late.get((experiment, recipient))
                if late is not None and found.setdefault(recipient, late) is not late:
                    del self._kept_late[experiment, recipient]  # it is written
        return found

    async def keep(self, exposure: Exposure) -> Exposure:
        who = (exposure.recipient, exposure.arm, exposure.at, exposure.person, exposure.heir_of)
        row = (exposure.experiment, *who, exposure.seen, exposure.clicked)
        if self._late is not None and self._late.locked:
            return self._later(self._late, exposure, row)
        try:
            with translated("keeping who is in which arm"):
                self._db.execute(SQL.keep, row)
        except StoreUnavailable as error:
            if self._late is None or not passing(error.__cause__ or error):
                raise
            return self._later(self._late, exposure, row)
        return (await self.of(exposure.experiment, [exposure.recipient]))[exposure.recipient]

    def _later(self, late: Late, exposure: Exposure, row: tuple[Any, ...]) -> Exposure:
        """Write an exposure later, and cache it until then: a second draw for the same person gives the same arm."""
        late.row((SQL.keep, row))
        if len(self._kept_late) >= MOST_ROWS:
            self._kept_late.clear()
        self._kept_late[exposure.experiment, exposure.recipient] = exposure
        return exposure

    @in_thread
    def days(self, experiment: str) -> Sequence[DailyExposures]:
        with translated("counting who is in which arm"):
            db = connect(self._path, durable=False)
            try:
                rows = fetch(db, SQL.days, (experiment,))
            finally:
                db.close()
        return [
            DailyExposures(day, arm, bool(seen), people, clicked, int(implied))
            for day, arm, seen, people, clicked, implied in rows
        ]

    async def shares(self, experiment: str, epoch: int) -> Mapping[str, float] | None:
        with translated("reading a bandit's shares"):
            row = first(self._db, SQL.shares, (experiment, epoch))
        return _shares(row[0]) if row is not None else None

    async def keep_shares(self, experiment: str, epoch: int, shares: Mapping[str, float]) -> Mapping[str, float]:
        with translated("keeping a bandit's shares"):
            self._db.execute(SQL.keep_shares, (experiment, epoch, json.dumps(dict(shares))))
        return await self.shares(experiment, epoch) or shares

    async def close(self) -> None:
        """Close the file. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self._db.close()
