"""Storages for tests: all that the default engine keeps in a folder."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from wetink.core.identity.identifier import Identifier
from wetink.ports import Storage
from wetink.ports.moving import Moving
from wetink.store import engine_of


def opened(
    folder: Path, clock_ms: Callable[[], int] = lambda: 0, *, days: int = 30, most: int = 1 << 30, **more: Any
) -> Storage:
    """Open what a folder keeps, as one process has it. Past opens stand for `days` and take `most` bytes."""
    address = f"sqlite:///{folder}"
    return engine_of(address).open(address, clock_ms, archive_days=days, archive_bytes=most, **more)


def moving(folder: Path) -> Moving:
    """Return all that a folder keeps, for a move."""
    address = f"sqlite:///{folder}"
    return engine_of(address).moving(address)


def part_with(store: Storage, call: str) -> Any:
    """Return the part of a storage that opens have this call of."""
    return next(part for part in (store.log, store.profiles, store.catalog) if hasattr(part, call))


async def all_at_once(*members: Identifier) -> AsyncIterator[Sequence[Identifier]]:
    """Yield an audience's members as a crowd does."""
    yield members
