"""The seam of pictures that were shown: the last one of each place and person, for when a new one cannot be had."""

from typing import Protocol, TypeAlias

from wetink.ports import Picture

Place: TypeAlias = tuple[str, int, str, str]
"""Block, slot, recipient, and whatever else makes another picture."""


class LastPictures(Protocol):
    """Outlives the process and is shared by all. Bounded: what was shown longest ago goes first."""

    def put(self, place: Place, at: int, picture: Picture) -> None:
        """Keep what was shown at `at` (Unix ms), unless something newer is kept. Never waits, never raises."""
        ...

    async def get(self, place: Place) -> tuple[int, Picture] | None:
        """Return what was shown there last, and when; None when it is not known. Never raises."""
        ...

    async def close(self) -> None:
        """Write what waits and let go of everything. Calling it twice is fine."""
        ...
