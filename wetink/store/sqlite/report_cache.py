"""Report cache: sums of reports in their own file, so that they wait for no ingest, and no backup has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from wetink.ports import CACHED_MS
from wetink.store.queries import queries
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch, in_thread
from wetink.store.sqlite.side_file import SideFile

SQL = queries(__package__, "report_cache_queries.sql")


class SQLiteReportCache(SideFile):
    """`ports.ReportCache` over one SQLite file, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "reports.db", "report_cache.sql")

    @in_thread
    def get(self, key: bytes, starts: Sequence[int]) -> Mapping[int, bytes]:
        with self._used("reading sums of reports"):
            return dict(fetch(self._db, SQL.get, (key, json.dumps(list(starts)))))

    @in_thread
    def put(self, key: bytes, start: int, body: bytes, at: int) -> None:
        with self._used("keeping sums of reports"), transaction(self._db):
            self._db.execute(SQL.put, (key, start, at, body))
            self._db.execute(SQL.forget, (at - CACHED_MS,))
