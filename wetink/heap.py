"""Heap: keeps a long-running process from holding on to memory that it no longer uses."""

import contextlib
import ctypes
import gc
from functools import cache

M_ARENA_MAX, ARENAS = -8, 2
"""mallopt's parameter for the number of arenas, and the number that all threads share."""
GC_THRESHOLDS = 20_000, 10, 10
"""New objects between two garbage collections, and collections of the young between two of the older ones.

They are far apart, since requests and pages leave no cycles. Errors and libraries do: `release` collects those.
"""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)  # each one made is a cycle of its own


def bound_arenas() -> None:
    """Limit all threads to two arenas of glibc's malloc. Call it before there are threads.

    By default there is one for each thread, up to eight for each core, and each keeps the most memory it ever held.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc than glibc
        _libc().mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Exclude the objects made at startup from garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def release() -> None:
    """Collect garbage, and return free pages to the system. Both take a few milliseconds.

    Errors may leave cycles, with all that their frames hold. By itself, the collector looks at those that are not
    young only after two million new objects that stay. glibc returns only free pages at the end of its heap. Under
    mixed load, the others grow by about a megabyte a minute.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another libc than glibc
        _libc().malloc_trim(0)
