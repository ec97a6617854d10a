"""The default engine: one SQLite file, shared by one process per core, all equal."""

from wetink.store.sqlite.engine import SQLiteStore
from wetink.store.sqlite.ledger import SQLiteLedger
from wetink.store.sqlite.memberships import SQLiteMemberships

__all__ = ["SQLiteLedger", "SQLiteMemberships", "SQLiteStore"]
