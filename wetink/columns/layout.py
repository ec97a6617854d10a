"""Layout: the file of columns. It is written once, renamed when complete, and never changed."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from wetink.columns.tables import ORDERED, TABLES, Rows, identifier, key
from wetink.ports.audiences import CrowdLog, OpenCrowdLog

LAYOUT = 4
"""Increase it when TABLES or the form of their values change: files of another layout are not read."""
AT_ONCE, EVENTS_AT_ONCE = 20_000, 200_000
"""Profiles, and their events, whose rows are in memory before they are written."""
MEMORY = "1GB"
"""DuckDB's memory limit, for sorting or for one question; beyond that it uses the disk."""
MOST_NEWS = 1_000_000
"""Messages beyond which all profiles are laid out again, not only the changed ones."""
MOST_PIDS = 1 << 30
"""Profiles written so far beyond which all of them get new numbers."""
SAY_SECONDS, READ_PERCENT = 5.0, 80
"""Seconds between progress reports, and the share of the work that is reading the log."""


def newest(folder: Path) -> Path | None:
    """Return the file to read; None before there is one."""
    return max(folder.glob(f"columns-{LAYOUT}-*.duckdb"), default=None)


@contextmanager
def alone(folder: Path) -> Iterator[int | None]:
    """Lock the folder inside the context. Yields a handle for a child process to inherit, None if another has the lock.

    A folder that several machines share must be on a file system with locks, such as NFS 4.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield handle
    except BlockingIOError:
        yield None
    finally:
        os.close(handle)


def lay_out(open_log: OpenCrowdLog, folder: Path, report: Callable[[int], None] = lambda percent: None) -> None:
    """Write the next file, up to the current end of the log. Hold the lock. `report` gets percents.

    Raises StoreUnavailable.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    last, number, pid, changed = newest(folder), 1, 0, None
    with open_log() as log:
        if last is not None:
            number = int(last.stem.rpartition("-")[2]) + 1
            with duckdb.connect(str(last), read_only=True) as db:
                pid = 1 + one(db, "SELECT coalesce(max(pid), -1) FROM profile")
                if pid < MOST_PIDS:
                    changed = changed_since(log, db, one(db, "SELECT cursor FROM about"), MOST_NEWS)
        path, report_progress = folder / f"columns-{LAYOUT}-{number:08}.duckdb", _Progress(report)
        draft = path.with_suffix(".draft")
        for left in folder.glob("*.draft*"):  # left by a killed process
            _remove(left)
        with connect(str(draft)) as db:
            if last is not None and changed is not None:
                attach(db, last, "last")
                gone = "SELECT pid FROM last.profile WHERE root IN (SELECT unnest($1::VARCHAR[]))"
                db.execute(f"CREATE TEMP TABLE gone AS {gone}", [list(changed)])
            _read(db, log, pid, changed, report_progress)
            _sort(db, changed is not None, report_progress)
            db.execute("CREATE TABLE about AS SELECT $1 AS cursor", [log.cursor])
    draft.replace(path)
    for other in (*folder.glob("*.duckdb"), folder / "manifest.json"):
        if other != path:
            _remove(other)  # a process that has it open can read on


def changed_since(log: CrowdLog, db: duckdb.DuckDBPyConnection, cursor: str, limit: int) -> set[str] | None:
    """Return the roots of all profiles that may differ from those laid out in `db`, including vanished ones.

    Returns None if more than `limit` messages came after the cursor, or if the log cannot list the changes.
    """
    changes = log.changes(cursor, limit)
    if changes is None:
        return None
    moved, keys = set(map(key, changes.moved)), set(map(key, changes.carried))
    keys |= moved | _column(
        db,
        "SELECT DISTINCT who FROM member WHERE pid IN (SELECT pid FROM member WHERE who IN (SELECT unnest($1)))",
        moved,
    )
    before = _column(
        db,
        "SELECT root FROM profile WHERE pid IN (SELECT pid FROM member WHERE who IN (SELECT unnest($1)))",
        keys,
    )
    return before | set(map(key, log.owners(map(identifier, keys))))


def connect(path: str) -> duckdb.DuckDBPyConnection:
    """Open a database with limits on memory and cores."""
    db = duckdb.connect(path, config={"memory_limit": MEMORY, "threads": 2, "autoinstall_known_extensions": False})
    db.execute("SET enable_progress_bar = false")
    return db


def attach(db: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Open a file for reading under a name."""
    quoted = str(path.absolute()).replace("'", "''")
    db.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")


def one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the first value of a query."""
    row = db.execute(query).fetchone()
    return row[0] if row is not None else None


def _column(db: duckdb.DuckDBPyConnection, query: str, keys: Iterable[str]) -> set[str]:
    wanted = list(keys)
    return {value for (value,) in db.execute(query, [wanted]).fetchall()} if wanted else set()


def _read(
    db: duckdb.DuckDBPyConnection, log: CrowdLog, pid: int, changed: set[str] | None, report_progress: "_Progress"
) -> None:
    """Write these profiles, or all of them, in the order they are read. `pid` is the first new number."""
    pid = pid if changed is not None else 0
    for table, columns in TABLES.items():
        db.execute(f"CREATE TABLE rough_{table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    rows, done = Rows(), 0
    for profile in log.profiles(None if changed is None else map(identifier, changed)):
        rows.add(pid, profile)
        pid, done = pid + 1, done + (len(profile.events) if changed is None else 1)
        if rows.profiles >= AT_ONCE or rows.events >= EVENTS_AT_ONCE:
            _append(db, rows)
            rows = Rows()
        report_progress(READ_PERCENT * done, log.size if changed is None else len(changed))
    _append(db, rows)


def _append(db: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    for table, columns in TABLES.items():
        arrays = rows.arrays(table)
        if not len(next(iter(arrays.values()))):
            continue
        db.register("fresh", arrays)
        names = ", ".join(
            f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END" if kind == "DOUBLE" else name
            for name, kind in columns.items()
        )
        db.execute(f"INSERT INTO rough_{table} SELECT {names} FROM fresh")  # noqa: S608
        db.unregister("fresh")


def _sort(db: duckdb.DuckDBPyConnection, rewrites: bool, report_progress: "_Progress") -> None:
    """Sort the new rows into tables; with `rewrites`, also the rows that stay from the last file.

    Those rows are copied first: DuckDB sorts one table within its memory limit, but not a UNION of the same rows.
    """
    for number, table in enumerate(TABLES):
        if rewrites:
            db.execute(f"INSERT INTO rough_{table} SELECT * FROM last.{table} ANTI JOIN gone USING (pid)")  # noqa: S608
        db.execute(f"CREATE TABLE {table} AS SELECT * FROM rough_{table} ORDER BY {ORDERED[table]}")  # noqa: S608
        db.execute(f"DROP TABLE rough_{table}")
        report_progress(READ_PERCENT * len(TABLES) + (100 - READ_PERCENT) * (number + 1), len(TABLES))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


class _Progress:
    """Reports progress every few seconds, if the work takes that long."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report, self._next = report, time.monotonic() + SAY_SECONDS

    def __call__(self, done: int, of: int) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + SAY_SECONDS
            self._report(min(99, done // max(of, 1)))
