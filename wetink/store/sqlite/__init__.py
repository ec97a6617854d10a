"""The default engine: one SQLite file, shared by one process per core, all equal."""

from wetink.store.sqlite.archive import SQLiteArchive
from wetink.store.sqlite.crowd import open_crowd_log
from wetink.store.sqlite.engine import SQLiteStore
from wetink.store.sqlite.exposures import SQLiteExposures
from wetink.store.sqlite.files import SQLiteFiles
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.store.sqlite.ledger import SQLiteLedger
from wetink.store.sqlite.memberships import SQLiteMemberships
from wetink.store.sqlite.pictures import SQLitePictures
from wetink.store.sqlite.sessions import SQLiteSessions

__all__ = [
    "SQLiteArchive",
    "SQLiteExposures",
    "SQLiteFiles",
    "SQLiteLeases",
    "SQLiteLedger",
    "SQLiteMemberships",
    "SQLitePictures",
    "SQLiteSessions",
    "SQLiteStore",
    "open_crowd_log",
]
