"""Storages for tests of what reads one: all there is in a folder, or what one SQLite file holds alone."""

from pathlib import Path
from typing import Any

from wetink.ports import Storage
from wetink.store import engine_of
from wetink.store.sqlite.engine import SQLiteStore


def opened(folder: Path, now: int = 0) -> Storage:
    """Open everything that is kept in a folder."""
    address = f"sqlite:///{folder}"
    return engine_of(address).open(address, lambda: now, archive_days=30, archive_bytes=1 << 30)


def around(store: SQLiteStore) -> Storage:
    """Return a storage with only the parts in this one file: opening the others takes three times as long."""
    parts: dict[str, Any] = dict.fromkeys(Storage.__struct_fields__)
    parts |= dict.fromkeys(("log", "profiles", "catalog", "sources", "polls", "conversions", "projections"), store)
    return Storage(**{**parts, "close": store.close})
