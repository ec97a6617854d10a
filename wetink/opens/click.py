"""The click: leads to what the reader saw, by the last served decision. Every click gets a destination."""

import asyncio
import logging
from collections.abc import Mapping

from wetink.content.content import Content
from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision, counts, decides
from wetink.core.errors import StoreUnavailable, log_error
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, clicked
from wetink.opens.counting import Counts
from wetink.opens.drawing import home
from wetink.opens.open import Opens
from wetink.opens.polls import asks, voting_link
from wetink.opens.recipient import Seals
from wetink.ports import Storage
from wetink.telemetry.metrics import FALLBACKS

logger = logging.getLogger(__name__)

PATIENCE = 0.2
"""How long a click waits to learn that its product is sold out, in seconds."""


class Clicks:
    """Answers clicks."""

    def __init__(self, store: Storage, opens: Opens, apps: Mapping[str, App], seals: Seals) -> None:
        """Look up decisions in `store`, else ask `opens` for one."""
        self._ledger, self._counts, self._opens = store.ledger, Counts(store), opens
        self._apps, self._seals = apps, seals

    async def destination(
        self, content: Content, name: str, slot: int, who: Identifier | None, moment: Moment, *, counted: bool = True
    ) -> str:
        """Return the URL for a click on a slot, by the last served decision; empty for none. Never raises."""
        block = content.answering(name)
        if block is None:
            return home(content.blocks)
        if slot > block.slots:
            return block.fallback.link
        try:
            moment = clicked(moment)
            served = None
            if who is not None and decides(block.fetches, moment.fetch_class):
                served = await self._ledger.current(block.name, str(who), moment.campaign)
            proves = counted and counts(block.fetches, moment.fetch_class)
            decision = served or await self._opens.preview(content, block, who, moment, expose=proves)
            if who is not None and counted:
                await self._counts.count("click", block, decision, moment)
            if who is not None and asks(self._apps, decision):
                return voting_link(block, slot, self._seals.seal(who, block.name, "vote"), moment.campaign)
            if not 1 <= slot <= len(decision.links):
                return block.fallback.link
            return await self._sold_out_link(block, decision, slot) or decision.links[slot - 1]
        except Exception as error:
            log_error(logger, error, "%s shows a fallback", name)
            FALLBACKS["link", "error"].add()
            return block.fallback.link

    async def _sold_out_link(self, block: Block, decision: Decision, slot: int) -> str:
        """Return the block's sold-out link if the clicked product surely cannot be bought any more; else empty."""
        if not block.gone or slot > len(decision.items):
            return ""
        item = decision.items[slot - 1]
        try:
            await asyncio.sleep(0)  # the first step of a click has no task, which a timeout needs
            async with asyncio.timeout(PATIENCE):
                known = (await self._opens.begin().products([item.key])).get(item.key)
        except (StoreUnavailable, TimeoutError):
            return ""
        return block.gone if known is not None and not known.buyable else ""
