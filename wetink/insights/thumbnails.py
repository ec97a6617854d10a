"""Thumbnails: small pictures of past opens and of variants, drawn again from the archive and kept in memory."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from wetink.content.content import Content
from wetink.opens.open import Opens
from wetink.ports import Picture
from wetink.ports.ledger import Archive, Opened
from wetink.render.cache import Kept, key_of
from wetink.render.thumbnail import thumbnail

MOST_BYTES = 8 << 20
"""Thumbnails kept by a process: about a thousand."""
AT_ONCE = 2
"""Thumbnails drawn at the same time. Opens come first."""
LOOKED_AT = 60
"""Newest opens of a block among which one of a variant is searched."""
OF_ONE = 24
"""Newest opens of a person among which one of a block is searched: the blocks of an email are opened together."""


class Thumbnails:
    """Finds opens in the archive and draws them small. For the event loop of one process."""

    def __init__(self, archive: Archive, opens: Opens, clock: Callable[[], int]) -> None:
        """Read `archive`, and draw with `opens`. `clock` returns Unix ms."""
        self._archive, self._opens, self._clock = archive, opens, clock
        self._kept: Kept[Picture] = Kept(MOST_BYTES, lambda each: len(each.body) + 200)
        self._drawing = asyncio.Semaphore(AT_ONCE)

    async def of_open(self, content: Content, opened: Opened) -> Picture:
        """Return the thumbnail of an open's first picture. Raises BadContent and StoreUnavailable."""
        key = key_of(opened.decision.id)
        kept = self._kept.get(key)
        if kept is None:
            async with self._drawing:
                plain = replace(opened, moment=replace(opened.moment, ratio=1, moving=False))
                drawn = await self._opens.again(content, plain, 1)
                kept = await asyncio.to_thread(thumbnail, drawn)
            self._kept.put(key, kept)
        return kept

    async def opened(self, recipient: str, block: str, campaign: str, at: int) -> Opened | None:
        """Return the kept open that a fetch at `at` (Unix ms) got; None without one. Raises StoreUnavailable."""
        found = await self._archive.newest(at, OF_ONE, recipients=[recipient], block=block)
        return next((each for each in found if each.decision.campaign == campaign), None)

    async def of_variant(self, block: str, variant: str | None) -> Opened | None:
        """Return the newest kept open that showed a variant of a block; None: any. Raises StoreUnavailable."""
        found = await self._archive.newest(self._clock(), 1 if variant is None else LOOKED_AT, block=block)
        return next((each for each in found if variant in (None, each.decision.variant)), None)
