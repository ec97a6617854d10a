"""Ahead: what emails would show somebody is drawn when that person does something, before they open one.

Then an open finds its tiles drawn, its photos scaled. It is bounded whatever happens: the newest people first, one
picture at a time, no more than a tenth of a core, and those who wait for a picture go first.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from wetink.core.blocks.block import Block
from wetink.core.errors import WetinkError
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment

logger = logging.getLogger(__name__)

RECENT_MS = 120_000
"""What is older has been drawn, or will be by an open: the log is read again at every start."""
MOST_PEOPLE, MOST_BLOCKS = 500, 8
"""People who wait, and blocks that are drawn for each."""
CALM_SECONDS = 1.0
"""How long somebody must have done nothing more."""
SHARE = 0.1
"""Of the time of a core."""

Warm = Callable[[Block, Identifier, Moment], Awaitable[None]]


class Prerenderer:
    """Draws for people who have just done something."""

    def __init__(self, warm: Warm, blocks: Callable[[], Mapping[str, Block]], clock_ms: Callable[[], int]) -> None:
        """Take what draws, and the blocks there are."""
        self._warm, self._blocks, self._clock = warm, blocks, clock_ms
        self._waiting: OrderedDict[Identifier, float] = OrderedDict()

    def notice(self, events: Sequence[Event]) -> None:
        """Note whose events these are, if they are new."""
        since = self._clock() - RECENT_MS
        for event in events:
            who = _sent_to(event)
            if event.at >= since and who is not None:
                self._waiting[who] = time.monotonic()
                self._waiting.move_to_end(who)
        while len(self._waiting) > MOST_PEOPLE:
            self._waiting.popitem(last=False)

    async def step(self) -> bool:
        """Draw for the one who did something last, and has come to rest; return whether there was one."""
        calm = time.monotonic() - CALM_SECONDS
        who = next((each for each, at in reversed(self._waiting.items()) if at <= calm), None)
        if who is None:
            return False
        del self._waiting[who]
        for block in list(self._blocks().values())[:MOST_BLOCKS]:
            begun = time.monotonic()
            try:
                await self._warm(block, who, Moment(self._clock()))
            except WetinkError as error:
                logger.info("%s is not drawn ahead: %s", block.name, error)
            except Exception:
                logger.exception("%s is not drawn ahead", block.name)
            await asyncio.sleep((time.monotonic() - begun) * (1 / SHARE - 1))
        return True


def _sent_to(event: Event) -> Identifier | None:
    """Return whom emails go to: a browser that nobody has named gets none."""
    if event.user:
        return Identifier("user", event.user)
    return Identifier("email", event.email) if event.email else None
