"""Segment: a DuckDB file of some profiles. Written once, under another name until it is whole."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from wetink.core.event import Event
from wetink.core.identifier import Identifier
from wetink.store.columns.tables import ORDERED, TABLES, Rows

AT_ONCE, EVENTS_AT_ONCE = 20_000, 200_000
"""Profiles, and their events, whose rows are held in memory before they are written."""

MEMORY = "1GB"
"""What DuckDB may take for sorting; beyond that it goes to the disk."""

Told = tuple[Identifier, Sequence[str], Sequence[Event]]
"""A profile: its root, the identifiers its events are filed under, and those events."""


def write(path: Path, profiles: Iterable[Told], replaces: Iterable[str]) -> int:
    """Write a segment of these profiles; return how many. It `replaces` these roots of older ones."""
    draft = path.with_suffix(".draft")
    db = _open(draft)
    try:
        for table, columns in TABLES.items():
            db.execute(f"CREATE TABLE rough_{table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        rows, pid = Rows(), 0
        for root, members, events in profiles:
            rows.add(pid, root, members, events)
            pid += 1
            if rows.profiles >= AT_ONCE or rows.events >= EVENTS_AT_ONCE:
                _append(db, rows)
                rows = Rows()
        _append(db, rows)
        for table in TABLES:
            db.execute(f"CREATE TABLE {table} AS SELECT * FROM rough_{table} ORDER BY {ORDERED[table]}")  # noqa: S608
            db.execute(f"DROP TABLE rough_{table}")
        _replaces(db, replaces)
    finally:
        db.close()
    draft.replace(path)
    return pid


def merge(path: Path, segments: Sequence[Path]) -> None:
    """Write a segment of what stands in several, the oldest first, each without what a newer one replaces."""
    draft = path.with_suffix(".draft")
    db = _open(draft)
    try:
        first = 0
        for index, each in enumerate(segments):
            db.execute(f"ATTACH '{quoted(each)}' AS s{index} (READ_ONLY)")
        for index in range(len(segments)):
            newer = " UNION ALL ".join(
                f"SELECT root FROM s{later}.replaces"  # noqa: S608
                for later in range(index + 1, len(segments))
            )
            gone = f"WHERE root NOT IN ({newer})" if newer else ""
            db.execute(
                f"CREATE TEMP TABLE kept{index} AS SELECT pid AS old, "  # noqa: S608
                f"({first} + row_number() OVER (ORDER BY pid) - 1)::INTEGER AS pid FROM s{index}.profile {gone}"
            )
            first += _one(db, f"SELECT count(*) FROM kept{index}")  # noqa: S608
        for table, columns in TABLES.items():
            names = ", ".join(name if name != "pid" else "kept.pid AS pid" for name in columns)
            parts = " UNION ALL ".join(
                f"SELECT {names} FROM s{index}.{table} AS t JOIN kept{index} AS kept ON t.pid = kept.old"  # noqa: S608
                for index in range(len(segments))
            )
            db.execute(f"CREATE TABLE {table} AS SELECT * FROM ({parts}) ORDER BY {ORDERED[table]}")  # noqa: S608
        _replaces(db, ())
    finally:
        db.close()
    draft.replace(path)


def quoted(path: Path) -> str:
    """Return a path as it may stand between the quotes of ATTACH."""
    return str(path.absolute()).replace("'", "''")


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a new database, without what a killed process left of one."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    return duckdb.connect(
        str(path), config={"memory_limit": MEMORY, "threads": 2, "autoinstall_known_extensions": False}
    )


def _one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row is not None else None


def _append(db: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    if not rows.profiles:
        return
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


def _replaces(db: duckdb.DuckDBPyConnection, roots: Iterable[str]) -> None:
    db.execute("CREATE TABLE replaces (root VARCHAR)")
    named = list(roots)
    if named:
        db.execute("INSERT INTO replaces SELECT unnest($1)", [named])
    db.execute("CHECKPOINT")
