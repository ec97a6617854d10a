"""Rates: the number of events that each source may send, across all processes.

For each source, one number is the time until which its events are paid off at its rate. It is in a file that all
processes map, so that a sender may reach any of them. They do not lock it: two processes that admit at the same moment
may admit one event too many. A source without a limit never comes here.
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
"""Sources that fit in the file."""
TRIES: Final = 16
BURST_SECONDS: Final = 2.0
"""Default burst of a source, in seconds of its rate."""

_SLOT = struct.Struct("<QdQQ")
"""The owner of a slot, the time (Unix ms) at which its events are paid off, refused requests, and the last refusal's
time (Unix ms)."""


class Rates:
    """The limits of all sources, in a file that all processes of a data folder share, or within one process."""

    def __init__(self, path: Path | None = None) -> None:
        """Map the file; create it if missing. Raises OSError."""
        size = SLOTS * _SLOT.size
        if path is None:
            self._shared = mmap.mmap(-1, size)
            return
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            if os.fstat(file.fileno()).st_size < size:
                file.truncate(size)
            self._shared = mmap.mmap(file.fileno(), size)

    def admit(self, source: Source, now: int) -> None:
        """Take one event of a source with a limit at `now` (Unix ms). Raises TooManyRequests over the limit."""
        place, (owner, until, refused, last) = self._slot(source.name)
        room, step = _room(source), 1000 / source.per_second
        paid = max(until if until <= now + 1000 * 86_400 else 0.0, now)  # a clock set back must not block it
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
        """Charge further events of an admitted request. Events beyond the burst delay the next request."""
        if events <= 0 or not source.per_second:
            return
        place, (owner, until, refused, last) = self._slot(source.name)
        _SLOT.pack_into(self._shared, place, owner, max(until, now) + events * 1000 / source.per_second, refused, last)

    def refused(self, sources: Sequence[Source]) -> dict[str, tuple[int, int]]:
        """Return refused requests and the last refusal's time (Unix ms) by source. Sources without any are left out."""
        found = {source.name: self._slot(source.name)[1] for source in sources}
        return {name: (slot[2], slot[3]) for name, slot in found.items() if slot[2]}

    def close(self) -> None:
        """Close the mapped file."""
        self._shared.close()

    def _slot(self, name: str) -> tuple[int, tuple[int, float, int, int]]:
        """Return the offset of a source's slot and its values."""
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
    """Return the number of events that a source may send at once."""
    return float(source.burst or max(1.0, source.per_second * BURST_SECONDS))


def _room(source: Source) -> float:
    return burst_of(source) * 1000 / source.per_second
