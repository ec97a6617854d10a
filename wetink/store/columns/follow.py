"""Follow: segments made of the log, and of whose profiles have changed since. One process at a time does that."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from wetink.store.columns import manifest, segment
from wetink.store.columns.log import Log
from wetink.store.columns.manifest import Manifest
from wetink.store.columns.segment import Told, quoted
from wetink.store.sqlite.connection import connect, snapshot, translated

MOST_SEGMENTS = 6
LARGEST_SHARE = 0.25
"""When newer segments have more of the profiles than this, or there are more of them, they become one."""


def catch_up(database: Path, folder: Path) -> None:
    """Write what has changed since the last segment. Raises StoreUnavailable."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with manifest.alone(folder, wait=True):
        log, last = Log(database), manifest.read(folder)
        try:
            with snapshot(log.db):
                _catch_up(log, folder, last)
        finally:
            log.close()
        if last is not None and last.change:
            _forget_changes(database, last.change)


def _catch_up(log: Log, folder: Path, last: Manifest | None) -> None:
    seq, change = log.place()
    if last is None:
        name = f"{seq}-{change}-all.duckdb"
        size = segment.write(folder / name, _told(log, log.everyone()), ())
        manifest.publish(folder, Manifest((name,), (size,), seq, change))
        return
    if (seq, change) == (last.seq, last.change):
        return
    known = last
    with duckdb.connect() as db:
        attach(db, folder, known)
        touched = log.touched(known.seq, known.change, lambda columns: roots_of(db, known, columns))
    if touched:
        name = f"{seq}-{change}.duckdb"
        size = segment.write(folder / name, _told(log, touched), touched)
        last = Manifest((*last.segments, name), (*last.sizes, size), seq, change)
    else:
        last = Manifest(last.segments, last.sizes, seq, change)
    manifest.publish(folder, last)
    newer = sum(last.sizes[1:])
    if len(last.segments) > MOST_SEGMENTS or newer > LARGEST_SHARE * max(last.sizes[0], 1_000):
        name = f"{seq}-{change}-merged.duckdb"
        segment.merge(folder / name, [folder / each for each in last.segments])
        manifest.publish(folder, Manifest((name,), (last.sizes[0] + newer,), seq, change))


def _forget_changes(database: Path, change: int) -> None:
    """Let go of what nobody follows any more. Whoever still reads the last manifest finds what came after it."""
    with translated("following the log"):
        db = connect(database)
        db.execute("DELETE FROM event_change WHERE id <= ?", (change,))
        db.close()


def _told(log: Log, roots: Iterable[str]) -> Iterator[Told]:
    for root in roots:
        told = log.told(root)
        if told is not None:
            yield told


def attach(db: duckdb.DuckDBPyConnection, folder: Path, there: Manifest) -> None:
    """Open all segments for reading, as s0, s1 and so on."""
    for index, name in enumerate(there.segments):
        db.execute(f"ATTACH '{quoted(folder / name)}' AS s{index} (READ_ONLY)")


def roots_of(db: duckdb.DuckDBPyConnection, there: Manifest, columns: Iterable[str]) -> set[str]:
    """Return the roots of profiles in any segment that have these identifiers."""
    asked = list(columns)
    found: set[str] = set()
    for index in range(len(there.segments)) if asked else ():
        query = (
            f"SELECT DISTINCT root FROM s{index}.profile WHERE pid IN "  # noqa: S608
            f"(SELECT pid FROM s{index}.member WHERE who IN (SELECT unnest($1)))"
        )
        found.update(root for (root,) in db.execute(query, [asked]).fetchall())
    return found
