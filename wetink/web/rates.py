"""Rates: how many events each source may send, in all processes together.

One number for each source says until when what it has sent is paid off, at its rate; it stands in a file that all
processes map, so that a sender may come to any of them. They do not lock it: two that admit at the very same moment
may admit an event too many. A source without a limit never comes here.
"""

import mmap
import os
import struct
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from wetink.core.errors import TooManyRequests
from wetink.ports import Source

SLOTS: Final = 4_096
"""Sources that have room in the file."""
TRIES: Final = 16
BURST_SECONDS: Final = 2.0
"""Of how many seconds of its rate a source may send at once where it says nothing else."""

_SLOT = struct.Struct("<QdQQ")
"""Whose slot this is, until when (Unix ms) what was sent is paid off, requests refused, and when the last was."""


class Rates:
    """The limits of all sources, over a file that the processes of a data folder share, or within one process."""

    def __init__(self, path: Path | None = None) -> None:
        """Map the file, making it when it is not there. Raises OSError."""
        size = SLOTS * _SLOT.size
        if path is None:
            self._shared = mmap.mmap(-1, size)
            return
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            if os.fstat(file.fileno()).st_size < size:
                file.truncate(size)
            self._shared = mmap.mmap(file.fileno(), size)

    def admit(self, source: Source, now: int) -> None:
        """Take one event of a source with a limit, at `now` (Unix ms). Raises TooManyRequests when that is too many."""
        place, (owner, until, refused, last) = self._slot(source.name)
        room, step = _room(source), 1000 / source.per_second
        paid = max(until if until <= now + 1000 * 86_400 else 0.0, now)  # a clock that was set back frees it
        late = paid + step - now - room
        if late > 1e-3:
            _SLOT.pack_into(self._shared, place, owner, until, refused + 1, now)
            raise TooManyRequests(
                f"this source may send {source.per_second:g} events a second",
                retry_after=max(1, -int(-late // 1000)),
                hint="send it again later; `wetink keys set` changes how much it may send",
            )
        _SLOT.pack_into(self._shared, place, owner, paid + step, refused, last)

    def charge(self, source: Source, events: int, now: int) -> None:
        """Take further events of a request that was admitted; what is more than a burst is paid off before the next."""
        if events <= 0 or not source.per_second:
            return
        place, (owner, until, refused, last) = self._slot(source.name)
        _SLOT.pack_into(self._shared, place, owner, max(until, now) + events * 1000 / source.per_second, refused, last)

    def refused(self, sources: Sequence[Source]) -> dict[str, tuple[int, int]]:
        """Return how many requests of each source were refused, and when the last was (Unix ms); of none, nothing."""
        found = {source.name: self._slot(source.name)[1] for source in sources}
        return {name: (slot[2], slot[3]) for name, slot in found.items() if slot[2]}

    def close(self) -> None:
        """Let go of the file."""
        self._shared.close()

    def _slot(self, name: str) -> tuple[int, tuple[int, float, int, int]]:
        """Return the place of a source's slot and what stands there."""
        key = int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") or 1
        for attempt in range(TRIES):
            place = (key + attempt) % SLOTS * _SLOT.size
            owner, until, refused, last = _SLOT.unpack_from(self._shared, place)
            if owner == key:
                return place, (owner, until, refused, last)
            if not owner:
                break
        return place, (key, 0.0, 0, 0)


def burst_of(source: Source) -> float:
    """Return how many events a source may send at once."""
    return float(source.burst or max(1.0, source.per_second * BURST_SECONDS))


def _room(source: Source) -> float:
    return burst_of(source) * 1000 / source.per_second
