"""Files: all that a data folder keeps in SQLite. Each file has one concern, so that none waits for another's lock."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

from wetink.core.errors import BadSettings
from wetink.store.sqlite.archive import SQLiteArchive
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


class SQLiteFiles:
    """Every port that keeps something, opened over one folder."""

    def __init__(self, folder: Path, clock_ms: Callable[[], int], *, archive_days: int, archive_bytes: int) -> None:
        """Open all files, making what is missing. Raises BadSettings for the folder, StoreUnavailable for a file."""
        _make(folder)
        self.store, self.ledger = SQLiteStore(folder), SQLiteLedger(folder)
        self.exposures = SQLiteExposures(folder, self.ledger.late)
        self.archive = SQLiteArchive(folder, clock_ms, days=archive_days, most_bytes=archive_bytes)
        self.memberships, self.pictures = SQLiteMemberships(folder), SQLitePictures(folder)
        self.sessions, self.leases = SQLiteSessions(folder), SQLiteLeases(folder, clock_ms)

    def lost(self) -> dict[str, int]:
        """What this process could not write for too long, and keeps no more: how many opens, clicks and decisions."""
        found = {"opens and clicks": self.ledger.lost, "kept opens": self.archive.lost}
        return {what: count for what, count in found.items() if count}

    def ended(self) -> list[str]:
        """Return the names of threads that ended by themselves."""
        threads = {
            "writer": self.store.alive,
            "ledger": self.ledger.writer.alive,
            "archive": self.archive.writer.alive,
            "pictures": self.pictures.writer.alive,
        }
        return [name for name, alive in threads.items() if not alive]

    async def close(self) -> None:
        """Write what waits and let go of everything. Calling it twice is fine."""
        kept = (self.store, self.exposures, self.ledger, self.archive, self.memberships, self.pictures)
        for each in (*kept, self.sessions, self.leases):
            await each.close()


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


def has_data(folder: Path) -> bool:
    """Whether a folder is the data folder of a wetink."""
    return (folder / "wetink.db").is_file()
