"""Heap: keeps a long-running process from holding on to memory that it no longer uses."""

import contextlib
import ctypes
import gc

M_ARENA_MAX, ARENAS = -8, 2
"""mallopt's parameter for the number of arenas, and the number that all threads share."""
GC_THRESHOLDS = 20_000, 10, 10
"""New objects between two garbage collections, and collections of the young between two of the older ones.

Requests and pages leave hardly any cycles, but libraries do: with fewer full collections, memory grows by them.
"""


def bound_arenas() -> None:
    """Limit all threads to two arenas of glibc's malloc. Call it before there are threads.

    By default there is one for each thread, up to eight for each core, and each keeps the most memory it ever held.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc than glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Exclude the objects made at startup from garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def release() -> None:
    """Return free pages to the system, which takes about a millisecond.

    glibc returns only those at the end of its heap. Under mixed load, the others grow by about a megabyte a minute.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc than glibc
        ctypes.CDLL(None).malloc_trim(0)
