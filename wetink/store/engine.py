"""Engine: the functions by which a package opens a `ports.Storage`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from wetink.ports.moving import Moving
from wetink.ports.storage import Storage


class Engine(NamedTuple):
    """`open` opens (or makes) the storage at an address; `exists` tells whether there is one already.

    Unless it is `incomplete`, `open` refuses the target of a move that is not complete.

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
