"""Catalog: products' newest facts, kept while nothing new was appended anywhere."""

from collections.abc import Mapping, Sequence

from wetink.core.events.event import Product
from wetink.ports import Storage

KEPT = 20_000
"""Products that are kept."""


class Catalog:
    """Looks products up. Sees every event whose append has returned."""

    def __init__(self, store: Storage) -> None:
        """Read from `store`."""
        self._store = store
        self._version = -1
        self._kept: dict[str, Product | None] = {}

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        """Return the facts of these products; those the catalog does not know are left out."""
        version = await self._store.log.version()
        if version != self._version or len(self._kept) > KEPT:
            self._version, self._kept = version, {}
        missing = [key for key in keys if key not in self._kept]
        if missing:
            found = await self._store.catalog.products(missing)
            for key in missing:
                self._kept[key] = found.get(key)
        return {key: known for key in keys if (known := self._kept[key]) is not None}
