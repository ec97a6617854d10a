"""Pictures that move are made ready when their block is saved and when wetink starts, so that no open waits for one.

Countdowns are the same for everybody. A film is made ready for somebody nobody knows, which is what most see where its
products are new ones or best sellers; for people it is when they do something.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import product

from wetink.core.app.app import App
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import settled
from wetink.core.errors import WetinkError
from wetink.core.profile.person import Moment
from wetink.opens.template_context import ticking
from wetink.ports import Renderer, Ticking

logger = logging.getLogger(__name__)

SHARE = 0.5
"""Of the time of a core: in between others have their turn."""
SCHEMES = ("light", "dark")
LOOKS = tuple(product((2, 1, 3), SCHEMES))
"""Device pixels for each of CSS, and color schemes. What snippets ask for by themselves comes first."""


class Animations:
    """Has the moving pictures of the content made ready, countdowns in every way in which an email may ask for them."""

    def __init__(
        self,
        renderer: Renderer,
        apps: Mapping[str, App],
        blocks: Callable[[], Mapping[str, Block]],
        warm: Callable[[Block, None, Moment], Awaitable[None]],
        clock_ms: Callable[[], int],
    ) -> None:
        """Take who makes countdowns ready, the apps, the blocks there are, and what draws one ahead for nobody."""
        self._renderer, self._apps, self._blocks, self._warm, self._clock = renderer, apps, blocks, warm, clock_ms
        self._done: dict[Ticking, None] = {}
        self._seen: object = None

    async def step(self) -> bool:
        """Make ready what is new, unless it cannot be: the open shows a still picture then.

        Returns whether something was saved meanwhile, which goes first.
        """
        blocks = self._blocks()
        if blocks is self._seen:
            return False
        self._seen = blocks
        wanted = list(dict.fromkeys(self._wanted(blocks)))
        for each in wanted:
            if self._blocks() is not blocks:
                return True
            if each not in self._done:
                self._done[each] = None
                await self._made(
                    f"a countdown of {each.width} by {each.height}", self._renderer.prepare_countdown(each)
                )
        for block in [each for each in blocks.values() if self._is_film(each)]:
            if self._blocks() is not blocks:
                return True
            for scheme in SCHEMES:
                moment = Moment(self._clock(), scheme=scheme, moving=True)
                await self._made(f"the film of {block.name}", self._warm(block, None, moment))
        self._done = dict.fromkeys(wanted)
        return False

    async def _made(self, name: str, making: Awaitable[None]) -> None:
        """Wait for something to be made, and then as long again."""
        begun = time.monotonic()
        try:
            await making
        except WetinkError as error:
            logger.info("%s stands still: %s", name, error)
        except Exception:
            logger.exception("%s stands still", name)
        await asyncio.sleep((time.monotonic() - begun) * (1 / SHARE - 1))

    def _is_film(self, block: Block) -> bool:
        apps = (self._apps.get(variant.app) for variant in block.variants)
        return block.moving and any(app is not None and app.moves == "film" for app in apps)

    def _wanted(self, blocks: Mapping[str, Block]) -> Iterator[Ticking]:
        """Yield all looks of all countdowns: of each block first the ones that are asked for most."""
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
