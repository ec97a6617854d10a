"""Backup: copies the files of a folder while processes write to them, and checks copies.

Each file is copied in one read transaction, so its copy is one state of it. The main file comes last. It has every
acknowledged message and is the source of all derived data, and no other file may be ahead of it: an audience that was
computed up to a message which the copy lacks would leave out the message that takes its place.
"""

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import apsw

from wetink.core.errors import BadContent
from wetink.store.sqlite.connection import BUSY_MS, fetch, first, translated
from wetink.store.sqlite.storage import folder_of

MAIN = "wetink.db"
LEFT_OUT = frozenset(("leases.db", "sessions.db", "pictures.db", "reports.db"))
"""Files without lasting data: rights of running processes, sessions of the dashboard, cached pictures and sums."""

STEP_PAGES = 1_000
"""Pages that are copied at a time, 4 MB, before progress is reported."""

MOST_FAULTS = 20

Counts = Mapping[str, int]
"""Rows by table."""


def names_in(folder: Path) -> list[str]:
    """Return the files of a folder in the order in which a backup copies them: the main file last."""
    found = {path.name for path in folder.glob("*.db")} - LEFT_OUT
    return [*sorted(found - {MAIN}), *sorted(found & {MAIN})]


def copy(address: str, target: Path, progress: Callable[[int, int], object]) -> list[str]:
    """Copy the files at an address into the folder `target`, and return their names.

    `progress` gets the pages that are left, and all pages of the file. Raises StoreUnavailable, OSError on a full disk.
    """
    folder = folder_of(address)
    names = names_in(folder)
    for name in names:
        with translated(f"copying {name}"):
            try:
                _copy(folder / name, target / name, progress)
            except apsw.FullError:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
    return names


def _copy(source: Path, target: Path, progress: Callable[[int, int], object]) -> None:
    old = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    new = apsw.Connection(str(target))
    try:
        old.set_busy_timeout(BUSY_MS)
        new.execute("PRAGMA synchronous = OFF")  # the caller syncs the finished file
        old.execute("BEGIN; SELECT 1 FROM sqlite_master")  # one state of the file, whatever is written meanwhile
        with new.backup("main", old, "main") as backup:
            while not backup.done:
                backup.step(STEP_PAGES)
                progress(backup.remaining, backup.page_count)
        old.execute("COMMIT")
        new.execute("PRAGMA journal_mode = DELETE")  # a copy is one file, without a log beside it
    finally:
        new.close()
        old.close()


def check(folder: Path, names: list[str]) -> dict[str, Counts]:
    """Check the integrity of copied files, and return their rows by table. Raises BadContent for a damaged one."""
    found: dict[str, Counts] = {}
    for name in names:
        try:
            db = apsw.Connection(str(folder / name), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                faults = [text for (text,) in fetch(db, f"PRAGMA integrity_check({MOST_FAULTS})") if text != "ok"]
                tables = [table for (table,) in fetch(db, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
                found[name] = {
                    table: first(db, f'SELECT count(*) FROM "{table}"')[0]  # noqa: S608 (names from the file itself)
                    for table in sorted(tables)
                    if not table.startswith("sqlite_")
                }
            finally:
                db.close()
        except apsw.Error as error:
            raise BadContent(f"{name} is damaged: {error}", hint="use another backup") from error
        if faults:
            raise BadContent(f"{name} is damaged: {faults[0]}", hint="use another backup")
    return found
