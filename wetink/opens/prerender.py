"""Prerender: pictures are drawn before the email is opened, so that opens find them ready.

When a person does something, the tiles and scaled photos of their pictures are drawn. This is limited: the newest
people first, one picture at a time, a tenth of a core at most, and opens go first.

When an animated block is saved and when wetink starts, its animations are drawn. Countdowns are the same for everybody.
Films are drawn for a stranger; most people see the same one if its products are new ones or best sellers.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import product

from wetink.content.content import Content
from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import settled
from wetink.core.errors import WetinkError
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.drawing import ticking
from wetink.opens.open import Opens
from wetink.ports import Renderer, Ticking

logger = logging.getLogger(__name__)

RECENT_MS = 120_000
"""Age limit of an event in milliseconds. The log is read again at every start, and older events have been drawn for."""
MOST_PEOPLE, MOST_BLOCKS = 500, 8
"""People in the queue, and blocks that are drawn for each."""
CALM_SECONDS = 1.0
"""Time without new activity before a person is drawn for, in seconds."""
SHARE = 0.1
"""Limit, as a share of one core's time."""
MOVING_SHARE = 0.5
"""Limit for animations, as a share of one core's time."""
SCHEMES = ("light", "dark")
LOOKS = tuple(product((2, 1, 3), SCHEMES))
"""Pixel ratios and color schemes, those of the plain snippets first."""


class Prerenderer:
    """Draws for people who have just done something."""

    def __init__(self, opens: Opens, clock_ms: Callable[[], int]) -> None:
        """Draw with `opens`."""
        self._opens, self._clock = opens, clock_ms
        self._waiting: OrderedDict[Identifier, float] = OrderedDict()

    def notice(self, events: Sequence[Event]) -> None:
        """Queue the people of recent events."""
        since = self._clock() - RECENT_MS
        for event in events:
            who = _sent_to(event)
            if event.at >= since and who is not None:
                self._waiting[who] = time.monotonic()
                self._waiting.move_to_end(who)
        while len(self._waiting) > MOST_PEOPLE:
            self._waiting.popitem(last=False)

    async def step(self, content: Content) -> bool:
        """Draw for the most recently active person who is now quiet. Returns whether there was one."""
        calm = time.monotonic() - CALM_SECONDS
        who = next((each for each, at in reversed(self._waiting.items()) if at <= calm), None)
        if who is None:
            return False
        del self._waiting[who]
        for block in list(content.listed.values())[:MOST_BLOCKS]:
            begun = time.monotonic()
            try:
                await self._opens.warm(content, block, who, Moment(self._clock()))
            except WetinkError as error:
                logger.info("%s is not prerendered: %s", block.name, error)
            except Exception:
                logger.exception("%s is not prerendered", block.name)
            await asyncio.sleep((time.monotonic() - begun) * (1 / SHARE - 1))
        return True


class Animations:
    """Prepares the animations of the content: films, and countdowns in each look that an email may request."""

    def __init__(self, renderer: Renderer, apps: Mapping[str, App], opens: Opens, clock_ms: Callable[[], int]) -> None:
        """Take the renderer of countdowns, the apps by name, and the service that draws films ahead."""
        self._renderer, self._apps, self._opens, self._clock = renderer, apps, opens, clock_ms
        self._seen: Mapping[str, Block] = {}
        self._waiting: list[Ticking | tuple[Block, str]] = []
        self._done: set[Ticking] = set()

    async def step(self, content: Content) -> bool:
        """Prepare the next animation. If one fails, opens show a still picture.

        Returns whether there are more. Newly saved content goes first.
        """
        blocks = content.blocks
        if blocks is not self._seen:
            self._seen, wanted = blocks, dict.fromkeys(self._wanted(blocks))
            self._done.intersection_update(wanted)
            films = [block for block in blocks.values() if self._is_film(block)]
            self._waiting = [each for each in wanted if each not in self._done]
            self._waiting += [(block, scheme) for block in films for scheme in SCHEMES]
        if not self._waiting:
            return False
        each = self._waiting.pop(0)
        if isinstance(each, Ticking):
            self._done.add(each)
            making = self._renderer.prepare_countdown(each)
            await self._made(f"a countdown of {each.width} by {each.height}", making)
        else:
            block, scheme = each
            moment = Moment(self._clock(), scheme=scheme, moving=True)
            await self._made(f"the film of {block.name}", self._opens.warm(content, block, None, moment))
        return bool(self._waiting)

    async def _made(self, name: str, making: Awaitable[None]) -> None:
        """Wait for an animation, then rest for as long."""
        begun = time.monotonic()
        try:
            await making
        except WetinkError as error:
            logger.info("%s is a still picture: %s", name, error)
        except Exception:
            logger.exception("%s is a still picture", name)
        await asyncio.sleep((time.monotonic() - begun) * (1 / MOVING_SHARE - 1))

    def _is_film(self, block: Block) -> bool:
        apps = (self._apps.get(variant.app) for variant in block.variants)
        return block.moving and any(app is not None and app.moves == "film" for app in apps)

    def _wanted(self, blocks: Mapping[str, Block]) -> Iterator[Ticking]:
        """Yield all looks of all countdowns, the most requested looks of each block first."""
        for ratio, scheme in LOOKS:
            for block in blocks.values():
                for variant in block.variants:
                    app = self._apps.get(variant.app)
                    if app is None or app.face is None or app.moves != "countdown" or not block.moving:
                        continue
                    settings, _ = settled(app, variant)
                    if settings is not None:
                        facts = {**app.face(settings), "ends_at": 0}
                        yield ticking(block, facts, Moment(0, ratio=ratio, scheme=scheme))


def _sent_to(event: Event) -> Identifier | None:
    """Return the recipient of emails about an event; None for an anonymous visitor."""
    if event.user:
        return Identifier("user", event.user)
    return Identifier("email", event.email) if event.email else None
