"""Curated: the catalog as opens see it, with an operator's word above what events and feeds say."""

from collections.abc import Mapping, Sequence

from wetink.core.catalog.catalog import Change
from wetink.core.catalog.curation import Curation
from wetink.core.events.event import Product
from wetink.ports import Catalog


class CuratedCatalog:
    """`ports.Catalog` over another one. Hidden products are found by their keys, for the words of a trace alone."""

    def __init__(self, catalog: Catalog) -> None:
        """Read from `catalog`, uncorrected until `use`."""
        self._catalog, self._curation = catalog, Curation()

    def use(self, curation: Curation) -> None:
        """Correct products by the live content from now on."""
        self._curation = curation

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        """Return products by key, corrected."""
        found, curation = await self._catalog.products(keys), self._curation
        if not curation.products:
            return found
        return {key: curation.corrected(product) for key, product in found.items()}

    async def search(self, text: str, limit: int = 24) -> Sequence[Product]:
        """Return the products of a search, corrected and without hidden ones."""
        found, curation = await self._catalog.search(text, limit), self._curation
        if not curation.products:
            return found
        return [curation.corrected(each) for each in found if not curation.why_hidden(each.key)]

    async def learn(self, products: Sequence[Product], at: int) -> None:
        """Store product data, which never changes an operator's word."""
        await self._catalog.learn(products, at)

    async def imported(self, feed: str) -> str:
        """Return the last imported version of a feed."""
        return await self._catalog.imported(feed)

    async def note_import(self, feed: str, version: str) -> None:
        """Store the imported version of a feed."""
        await self._catalog.note_import(feed, version)

    async def keep_progress(self, id_: str, state: bytes, at: int) -> None:
        """Store how far an import is."""
        await self._catalog.keep_progress(id_, state, at)

    async def progress(self) -> Sequence[tuple[str, int, bytes]]:
        """Return the states of imports."""
        return await self._catalog.progress()

    async def keys(self, after: str, limit: int) -> Sequence[str]:
        """Return the next keys, hidden ones included."""
        return await self._catalog.keys(after, limit)

    async def changes(self, keys: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        """Return the history of prices and stock, as events and feeds tell it."""
        return await self._catalog.changes(keys)
