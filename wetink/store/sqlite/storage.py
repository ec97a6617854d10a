"""Storage: SQLite files in one folder, one for each concern, so that none waits for another's lock."""

import asyncio
import errno
import os
import stat
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import apsw

from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.ports.storage import Storage
from wetink.store.codec import recipient_of
from wetink.store.move import check_complete
from wetink.store.queries import queries, script
from wetink.store.sqlite import catalog, conversions, moving, senders
from wetink.store.sqlite.accounts import SQLiteAccounts, SQLiteApiTokens, SQLiteAuditLog
from wetink.store.sqlite.archive import SQLiteArchive
from wetink.store.sqlite.challenges import SQLiteChallenges
from wetink.store.sqlite.connection import refuse_older, translated
from wetink.store.sqlite.content import SQLiteContent
from wetink.store.sqlite.crowd import open_crowd_log
from wetink.store.sqlite.database import Database
from wetink.store.sqlite.drafts import SQLiteDrafts
from wetink.store.sqlite.exposures import SQLiteExposures
from wetink.store.sqlite.inspection import SQLiteInspection
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.store.sqlite.ledger import SQLiteLedger
from wetink.store.sqlite.log import SQLiteLog
from wetink.store.sqlite.memberships import SQLiteMemberships
from wetink.store.sqlite.pictures import SQLitePictures
from wetink.store.sqlite.profiles import People, SQLiteProfiles
from wetink.store.sqlite.projections import SQLiteProjections
from wetink.store.sqlite.report_cache import SQLiteReportCache
from wetink.store.sqlite.secrets import SQLiteSecrets
from wetink.store.sqlite.sessions import SQLiteSessions
from wetink.store.sqlite.summaries import summarize
from wetink.store.sqlite.uploads import SQLiteUploads
from wetink.store.sqlite.votes import SQLitePolls

SQL = queries(__package__, "queries.sql")

OWNER_ALONE = 0o077
"""Mode bits that only a file's owner may have."""

NEWEST = {"holding.moves", "source.old_secret_hash", "event_change.seq", "uncounted_claim.weaker", "owner_change.owner"}
"""Columns by which a file of the current format is known."""

MENDED = (".db", ".db-wal", ".db-shm", ".lock")

PASSING = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN)
"""Errors of a disk that may come back, such as one of another machine. Any other is a mistake in the settings."""

PAGE = 4_096


def open_storage(
    address: str,
    clock_ms: Callable[[], int],
    *,
    archive_days: int,
    archive_bytes: int,
    incomplete: bool = False,
    synchronous: str = "",
) -> Storage:
    """Open all files of `sqlite:///FOLDER`, creating missing ones. `synchronous` is for tests that weaken it.

    Raises BadSettings for an unusable folder, and for the target of a move that is not complete, unless it may be
    `incomplete`. Raises StoreUnavailable for an unusable file.
    """
    folder = folder_of(address)
    _make(folder)
    with translated("opening the store"):
        main = Database(folder, partial(_prepare, incomplete=incomplete), synchronous=synchronous)
    memberships = _Lazy(partial(SQLiteMemberships, folder))
    ledger = _Lazy(partial(SQLiteLedger, folder, partial(_audiences_of, main, memberships, clock_ms)))
    projections = SQLiteProjections(main)
    archive = _Lazy(partial(SQLiteArchive, folder, clock_ms, days=archive_days, most_bytes=archive_bytes))
    side = {
        "exposures": _Lazy(lambda: SQLiteExposures(folder, ledger.late)),
        "ledger": ledger,
        "archive": archive,
        "memberships": memberships,
        "pictures": _Lazy(partial(SQLitePictures, folder)),
        "report_cache": _Lazy(partial(SQLiteReportCache, folder)),
        "sessions": _Lazy(partial(SQLiteSessions, folder)),
        "challenges": _Lazy(partial(SQLiteChallenges, folder)),
        "accounts": _Lazy(partial(SQLiteAccounts, folder)),
        "api_tokens": _Lazy(partial(SQLiteApiTokens, folder)),
        "audit_log": _Lazy(partial(SQLiteAuditLog, folder)),
        "leases": _Lazy(partial(SQLiteLeases, folder, clock_ms)),
        "content": _Lazy(partial(SQLiteContent, folder)),
        "drafts": _Lazy(partial(SQLiteDrafts, folder)),
        "uploads": _Lazy(partial(SQLiteUploads, folder)),
        "secrets": _Lazy(partial(SQLiteSecrets, folder)),
    }

    async def start() -> None:
        for each in side.values():
            each.open()
        main.writer.start()

    async def writable() -> None:
        await asyncio.to_thread(_write_a_file, folder)
        await main.write(lambda db: db.execute(SQL.take_write_lock))

    def lost() -> dict[str, int]:
        found = {"opens and clicks": ledger, "kept opens": archive}
        return {what: part.lost for what, part in found.items() if part.opened and part.lost}

    def ended() -> list[str]:
        threads = {name: part.writer for name, part in side.items() if part.opened and hasattr(part.opened, "writer")}
        threads |= {"writer": main.writer, "projections": projections}
        return [name for name, thread in threads.items() if not thread.alive]

    async def close() -> None:
        # The projections read from the main file, and the ledger's last opens are counted for their audiences.
        closing: list[Any] = [*(each for each in side.values() if each is not ledger), main, projections, ledger]
        async with AsyncExitStack() as ending:  # from the last to the first, each even if another fails
            for each in closing:
                ending.push_async_callback(each.close)

    parts: dict[str, Any] = side  # each stands for the part it opens
    return Storage(
        log=SQLiteLog(main),
        profiles=SQLiteProfiles(main, partial(summarize, main)),
        catalog=catalog.SQLiteCatalog(main, projections.step),
        sources=senders.SQLiteSenders(main),
        polls=SQLitePolls(main),
        conversions=conversions.SQLiteConversions(main, projections.write_conversions),
        projections=projections,
        **parts,
        inspection=SQLiteInspection(folder, main),
        crowd=partial(open_crowd_log, main.path),
        start=start,
        writable=writable,
        lost=lost,
        ended=ended,
        close=close,
    )


def _prepare(db: apsw.Connection, *, incomplete: bool) -> None:
    refuse_older(db, "message", NEWEST)
    notes = moving.notes_in(db)
    if not incomplete:
        check_complete(notes)
    if "sealed" in notes:
        return  # it only reads, and opens are answered from it until the servers are switched
    db.execute(script(__package__, "schema.sql") + script(__package__, "summaries.sql"))
    db.execute(script(__package__, "catalog.sql"))
    conversions.prepare(db)


def _audiences_of(
    main: Database, memberships: Any, clock_ms: Callable[[], int], recipients: Collection[str]
) -> dict[str, Sequence[str]]:
    """Return the audiences of recipients; none while they cannot be read, since an open counts even so."""
    try:
        if memberships.are_none():
            return {}
        people, now = People(main.reading), clock_ms()
        with translated("looking up recipients"):
            roots = {each: people.root(who, now) for each in recipients if (who := recipient_of(each)) is not None}
        found = memberships.audiences_of(sorted(set(roots.values()), key=str))
    except StoreUnavailable:
        return {}
    return {each: found[root] for each, root in roots.items() if root in found}


class _Lazy:
    """A part that is opened on first use, so that processes without a use never wait for it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.opened: Any = None
        self._make, self._mutex, self._closed = make, threading.Lock(), False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.open(), name)
        if callable(found):
            self.__dict__[name] = found  # the next call goes directly
        return found

    def open(self) -> Any:
        with self._mutex:
            if self.opened is None:
                if self._closed:
                    raise StoreUnavailable("the store is closed")
                with translated("opening the store"):
                    self.opened = self._make()
        return self.opened

    async def close(self) -> None:
        self._closed = True
        if self.opened is not None:
            await self.opened.close()


def folder_of(address: str) -> Path:
    """Return the folder of `sqlite:///FOLDER`: `sqlite:///data` is relative, `sqlite:////data` absolute.

    >>> str(folder_of("sqlite:////var/lib/wetink"))
    '/var/lib/wetink'
    """
    folder = address.removeprefix("sqlite:///")
    if folder == address or not folder:
        raise BadSettings(
            f"WETINK_STORE: {address!r} names no folder", hint="write sqlite:///FOLDER", where="WETINK_STORE"
        )
    return Path(folder)


def open_moving(address: str) -> moving.SQLiteMoving:
    """Return all data of an existing folder, for a move. Raises BadSettings."""
    return moving.SQLiteMoving(folder_of(address))


def holds_storage(address: str) -> bool:
    """Return whether a store exists at an address."""
    return (folder_of(address) / "wetink.db").is_file()


def _make(data: Path) -> None:
    """Create the folder. From now on, only the owner can read files of this process and its children."""
    os.umask(os.umask(OWNER_ALONE) | OWNER_ALONE)
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in data.iterdir():  # others may read a copy, such as a restored backup
            mode = stat.S_IMODE(path.stat().st_mode)
            if path.suffix in MENDED and mode & OWNER_ALONE and path.is_file():
                path.chmod(mode & ~OWNER_ALONE)
        TemporaryFile(dir=data).close()
    except OSError as error:
        if error.errno in PASSING:
            raise StoreUnavailable(f"the data folder {data} cannot be used: {error.strerror}") from error
        raise BadSettings(f"the data folder {data} cannot be used: {error.strerror}", where="--data") from error


def _write_a_file(folder: Path) -> None:
    """Write a page to the disk and remove it. Raises StoreUnavailable, as for a full disk."""
    try:
        with TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(PAGE))
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreUnavailable(f"nothing can be written to {folder}: {error.strerror}") from error
