"""Files: all that a data folder keeps in SQLite. Each file has one concern, so that none waits for another's lock."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

from wetink.core.errors import BadSettings
from wetink.store.sqlite.archive import SQLiteArchive
from wetink.store.sqlite.engine import SQLiteStore
from wetink.store.sqlite.exposures import SQLiteExposures
from wetink.store.sqlite.ledger import SQLiteLedger
from wetink.store.sqlite.memberships import SQLiteMemberships
from wetink.store.sqlite.pictures import SQLitePictures


class SQLiteFiles:
    """Every port that keeps something, opened over one folder."""

    def __init__(self, folder: Path, clock_ms: Callable[[], int], *, archive_days: int, archive_bytes: int) -> None:
        """Open all files, making what is missing. Raises BadSettings for the folder, StoreUnavailable for a file."""
        _make(folder)
        self.store, self.ledger, self.exposures = SQLiteStore(folder), SQLiteLedger(folder), SQLiteExposures(folder)
        self.archive = SQLiteArchive(folder, clock_ms, days=archive_days, most_bytes=archive_bytes)
        self.memberships, self.pictures = SQLiteMemberships(folder), SQLitePictures(folder)

    async def close(self) -> None:
        """Write what waits and let go of everything. Calling it twice is fine."""
        for each in (self.store, self.ledger, self.exposures, self.archive, self.memberships, self.pictures):
            await each.close()


def _make(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        TemporaryFile(dir=data).close()
    except OSError as error:
        raise BadSettings(f"the data folder {data} cannot be used: {error.strerror}", where="--data") from error
