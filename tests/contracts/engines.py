"""Every storage engine there is. The contract runs on each."""

from collections.abc import Callable
from pathlib import Path

from wetink.store.sqlite.engine import SQLiteStore

ENGINES: dict[str, Callable[[Path], SQLiteStore]] = {"sqlite": SQLiteStore}
