"""Port of inspection: the facts about an engine that its operator looks at."""

from collections.abc import Mapping
from typing import Protocol


class Inspection(Protocol):
    """Reports on the stored data. All processes share it."""

    async def sizes(self) -> Mapping[str, int]:
        """Return the bytes on disk of each part of the store, by name. Raises StoreUnavailable."""
        ...
