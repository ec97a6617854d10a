"""Storage: everything in SQLite files of one folder, one concern each: none waits for another's lock."""

import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from wetink.core.errors import BadSettings
from wetink.ports.storage import Storage
from wetink.store.sqlite.archive import SQLiteArchive
from wetink.store.sqlite.crowd import open_crowd_log
from wetink.store.sqlite.engine import SQLiteStore
from wetink.store.sqlite.exposures import SQLiteExposures
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.store.sqlite.ledger import SQLiteLedger
from wetink.store.sqlite.memberships import SQLiteMemberships
from wetink.store.sqlite.pictures import SQLitePictures
from wetink.store.sqlite.sessions import SQLiteSessions

OWNER_ALONE = 0o077
"""The mode bits that nobody but the owner of a file gets."""

MENDED = (".db", ".db-wal", ".db-shm", ".lock")


def open_storage(address: str, clock_ms: Callable[[], int], *, archive_days: int, archive_bytes: int) -> Storage:
    """Open all files of `sqlite:///FOLDER`, making what is missing.

    Raises BadSettings for a folder that cannot be used, StoreUnavailable for a file.
    """
    folder = folder_of(address)
    _make(folder)
    store, ledger = SQLiteStore(folder), SQLiteLedger(folder)
    exposures, memberships = SQLiteExposures(folder, ledger.late), SQLiteMemberships(folder)
    archive = SQLiteArchive(folder, clock_ms, days=archive_days, most_bytes=archive_bytes)
    pictures, sessions = SQLitePictures(folder), SQLiteSessions(folder)
    leases = SQLiteLeases(folder, clock_ms)
    threads: dict[str, Any] = {
        "writer": store,
        "ledger": ledger.writer,
        "archive": archive.writer,
        "pictures": pictures.writer,
    }

    def lost() -> dict[str, int]:
        found = {"opens and clicks": ledger.lost, "kept opens": archive.lost}
        return {what: count for what, count in found.items() if count}

    async def close() -> None:
        for each in (store, exposures, ledger, archive, memberships, pictures, sessions, leases):
            await each.close()

    return Storage(
        log=store,
        profiles=store,
        catalog=store,
        sources=store,
        polls=store,
        conversions=store,
        projections=store,
        ledger=ledger,
        archive=archive,
        exposures=exposures,
        memberships=memberships,
        pictures=pictures,
        sessions=sessions,
        leases=leases,
        crowd=partial(open_crowd_log, folder / "wetink.db"),
        lost=lost,
        ended=lambda: [name for name, thread in threads.items() if not thread.alive],
        close=close,
    )


def folder_of(address: str) -> Path:
    """Return the folder that `sqlite:///FOLDER` names: `sqlite:///data` is one here, `sqlite:////data` an absolute one.

    >>> str(folder_of("sqlite:////var/lib/wetink"))
    '/var/lib/wetink'
    """
    folder = address.removeprefix("sqlite:///")
    if folder == address or not folder:
        raise BadSettings(
            f"WETINK_STORE: {address!r} names no folder", hint="write sqlite:///FOLDER", where="WETINK_STORE"
        )
    return Path(folder)


def holds_storage(address: str) -> bool:
    """Return whether there is a store at an address already."""
    return (folder_of(address) / "wetink.db").is_file()


def _make(data: Path) -> None:
    """Make the folder. Whatever this process and its children make from now on is readable by their owner alone."""
    os.umask(os.umask(OWNER_ALONE) | OWNER_ALONE)
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in data.iterdir():  # an earlier version left some files open to others, secrets excepted
            mode = stat.S_IMODE(path.stat().st_mode)
            if path.suffix in MENDED and mode & OWNER_ALONE and path.is_file():
                path.chmod(mode & ~OWNER_ALONE)
        TemporaryFile(dir=data).close()
    except OSError as error:
        raise BadSettings(f"the data folder {data} cannot be used: {error.strerror}", where="--data") from error
