"""Columns over the store in a folder, as wiring makes them."""

from functools import partial
from pathlib import Path

from wetink.columns import DuckDBColumns
from wetink.columns.layout import lay_out
from wetink.ports.crowd import OpenCrowdLog
from wetink.store.sqlite.crowd import open_crowd_log


def log_of(folder: Path) -> OpenCrowdLog:
    """Return what opens the log of the store in a folder."""
    return partial(open_crowd_log, folder / "wetink.db")


def columns_of(folder: Path) -> DuckDBColumns:
    """Return columns that follow the store in a folder."""
    return DuckDBColumns(log_of(folder), folder / "columns")


def laid_out(folder: Path) -> None:
    """Lay out the columns of a store as they are now."""
    lay_out(log_of(folder), folder / "columns")
