"""Pasted: what stands in emails and pages for a block: its linked pictures, and the words that go with them."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from wetink.core.blocks.alt import alt_of
from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.esp import BY_NAME
from wetink.core.errors import NotFound, WetinkError
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.recipient import Seals
from wetink.opens.snippet import esp_snippet, snippet

logger = logging.getLogger(__name__)

RATIOS = (1, 2, 3)


class Pasted:
    """Writes HTML and words of blocks."""

    def __init__(
        self,
        blocks: Callable[[], Mapping[str, Block]],
        seals: Seals,
        preview: Callable[[Block, Identifier | None, Moment], Awaitable[Decision]],
        address: str,
    ) -> None:
        """Take the blocks there are, what seals recipients, what decides, and where this server is reached."""
        self._blocks, self._seals, self._preview, self._address = blocks, seals, preview, address.rstrip("/")

    async def words(self, block: str, slot: int, who: Identifier | None, moment: Moment) -> str:
        """Return what a slot's picture shows, in words. Never raises; empty for a block there is not."""
        found = self._blocks().get(block)
        if found is None:
            return ""
        try:
            decision = await self._preview(found, who, moment) if slot <= found.slots else None
        except WetinkError as error:
            logger.warning("%s says what it can: %s", block, error)
            decision = None
        except Exception:
            logger.exception("%s says what it can", block)
            decision = None
        return alt_of(found, decision, slot, moment.language)

    async def fragment(self, block: str, who: Identifier | None, moment: Moment) -> str:
        """Return a block's linked pictures as HTML for a page, with what they show in words. Never raises."""
        found = self._blocks().get(block)
        if found is None or who is None:
            return ""
        words = [await self.words(block, slot, who, moment) for slot in range(1, found.slots + 1)]
        picture, click = self._seals.seal(who, block, "picture"), self._seals.seal(who, block, "click")
        return snippet(found, picture, click, self._address, moment.campaign, words, ratios=RATIOS)

    def snippet(self, block: str, who: Identifier, base_url: str, campaign: str = "") -> str:
        """Return the HTML to paste into an email to `who`. Raises NotFound."""
        there = self._block(block)
        picture, click = self._seals.seal(who, block, "picture"), self._seals.seal(who, block, "click")
        return snippet(there, picture, click, base_url.rstrip("/"), campaign)

    def esp_snippet(
        self, block: str, esp: str, campaign: str = "", kind: Literal["user", "email"] | None = None
    ) -> str:
        """Return the HTML to paste into an email that an ESP sends to many. Raises NotFound and BadRequest."""
        if esp not in BY_NAME:
            raise NotFound(f"there is no ESP called {esp[:40]!r}", hint=", ".join(BY_NAME))
        return esp_snippet(self._block(block), BY_NAME[esp], self._address, campaign, kind)

    def _block(self, name: str) -> Block:
        block = self._blocks().get(name)
        if block is None:
            there = ", ".join(sorted(self._blocks())) or "none"
            raise NotFound(f"there is no block called {name[:64]!r}", hint=f"blocks: {there}")
        return block
