"""Engines: where everything is kept. Each is a package that opens a `ports.Storage` and passes `tests/contracts`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from wetink.core.errors import BadSettings
from wetink.ports.moving import Moving
from wetink.ports.storage import Storage
from wetink.store.late import open_now_or_later as open_now_or_later
from wetink.store.sqlite import backup, folder_of, holds_storage, open_moving, open_storage


class Engine(NamedTuple):
    """`open` opens (or makes) the storage at an address; `exists` tells whether there is one already.

    `moving` reads and writes all data of an address for a move.
    An engine of files can be backed up by `wetink backup`: `place` returns the folder of an address, `copy` copies it
    while it is written to, and `check` checks the copies. A database has its own tools for that.
    """

    open: Callable[..., Storage]
    exists: Callable[[str], bool]
    moving: Callable[[str], Moving]
    place: Callable[[str], Path] | None = None
    copy: Callable[[str, Path, Callable[[int, int], object]], list[str]] | None = None
    check: Callable[[Path, list[str]], Mapping[str, Mapping[str, int]]] | None = None


SQLITE = Engine(open_storage, holds_storage, open_moving, folder_of, backup.copy, backup.check)
ENGINES: dict[str, Engine] = {"sqlite": SQLITE}
"""Scheme of an address -> its engine."""


def engine_of(address: str) -> Engine:
    """Return the engine of `scheme://…`. Raises BadSettings for an unknown scheme.

    >>> engine_of("sqlite:///data") is ENGINES["sqlite"]
    True
    """
    scheme = address.partition(":")[0]
    if scheme not in ENGINES:
        known = ", ".join(f"{each}://" for each in ENGINES)
        raise BadSettings(
            f"WETINK_STORE: unknown store {scheme[:32]}://", hint=f"available: {known}", where="WETINK_STORE"
        )
    return ENGINES[scheme]
