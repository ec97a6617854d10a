"""Columns over the store in a folder, as wiring makes them."""

from pathlib import Path

from wetink.columns import DuckDBColumns
from wetink.columns.layout import lay_out
from wetink.ports import Storage


def columns_of(store: Storage, folder: Path) -> DuckDBColumns:
    """Return columns in a folder that follow a store."""
    return DuckDBColumns(store.crowd, folder / "columns")


def laid_out(store: Storage, folder: Path) -> None:
    """Lay out the columns of a store as they are now."""
    lay_out(store.crowd, folder / "columns")
