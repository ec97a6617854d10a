"""Author: what is made on pages, written into the content folder and taken in at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from wetink.content.check import unusable
from wetink.content.folder import Content, shortened
from wetink.content.write import save, save_audience, save_feed
from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.errors import BadContent
from wetink.core.outbound.feed import Feed
from wetink.core.signals.audience import Audience, rules_of


class Author:
    """Writes content as its author would have."""

    def __init__(
        self,
        folder: Path,
        content: Callable[[], Content],
        apps: Mapping[str, App],
        look_again: Callable[[], Awaitable[None]],
        rehearsed: Callable[[Block], Awaitable[list[str]]],
    ) -> None:
        """Write into a folder whose `content` there is a look at; `look_again` takes in what was written.

        `rehearsed` says what is wrong with a block once it is drawn.
        """
        self._folder, self._content, self._apps, self._look_again = folder, content, apps, look_again
        self._rehearsed = rehearsed

    async def block(self, block: Block) -> None:
        """Put a new block on the shelf. Raises BadContent."""
        content = self._content()
        others = [each for each in content.blocks.values() if each.name != block.name]
        stock = content.templates, content.images, content.feeds, rules_of(content.audiences)
        if wrong := [*unusable(block, self._apps, *stock, others), *await self._rehearsed(block)]:
            raise BadContent(shortened(wrong[0]))
        await asyncio.to_thread(save, self._folder, block, self._apps, [*content.templates], [*content.images])
        await self._look_again()

    async def audience(self, audience: Audience, *, new: bool) -> None:
        """Keep an audience, in place of the one of its name unless it is `new`. Raises BadContent."""
        await asyncio.to_thread(save_audience, self._folder, audience, self._content().audiences, new=new)
        await self._look_again()

    async def feed(self, feed: Feed) -> None:
        """Keep a new feed. Raises BadContent."""
        await asyncio.to_thread(save_feed, self._folder, feed)
        await self._look_again()
