"""Rehearsal: each variant of a block is decided, encoded as the server keeps it, and drawn once before it is taken."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Variant
from wetink.core.blocks.decide import settled
from wetink.core.errors import BadContent, WetinkError
from wetink.core.profile.person import Moment
from wetink.core.text.keepable import problem_in
from wetink.opens.fallback import Fallbacks
from wetink.opens.gallery import sample_decision, sample_scene
from wetink.ports import Picture, Renderer, Scene
from wetink.ports.archive import Opened

logger = logging.getLogger(__name__)

SECONDS = 8.0
"""How long the blocks of one push are drawn; the rest are taken without."""
TRIES = 2
"""A machine that is busy may need a second try."""


class Stock(Protocol):
    """What blocks are made of: a content folder has it."""

    @property
    def blocks(self) -> Mapping[str, Block]:
        """Blocks by name."""

    @property
    def templates(self) -> Mapping[str, str]:
        """Texts of templates by file."""

    @property
    def images(self) -> Mapping[str, Picture]:
        """Pictures for fallbacks by file."""


class Rehearsal:
    """Tries blocks with the sample shopper of their apps."""

    def __init__(
        self,
        renderer: Renderer,
        fallbacks: Fallbacks,
        apps: Mapping[str, App],
        app_templates: Mapping[str, str],
        known: Callable[[], Stock],
        clock_ms: Callable[[], int],
    ) -> None:
        """Draw with `renderer`; of what is `known`, the content that stands, nothing is drawn again."""
        self._renderer, self._fallbacks, self._apps, self._app_templates = renderer, fallbacks, apps, app_templates
        self._known, self._clock_ms = known, clock_ms
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Draw in the loop that runs now."""
        self._loop = asyncio.get_running_loop()

    def problems_of(self, stock: Stock, apps: Mapping[str, App]) -> list[str]:
        """Return what is wrong with the blocks that are not known yet. For threads other than the loop's."""
        if self._loop is None:
            return []
        if self._loop is asyncio._get_running_loop():
            raise RuntimeError("ask for this from a thread: the loop has to draw meanwhile")
        return asyncio.run_coroutine_threadsafe(self._new(stock, apps), self._loop).result()

    async def _new(self, stock: Stock, apps: Mapping[str, App]) -> list[str]:
        known, until, found = self._known(), time.monotonic() + SECONDS, list[str]()
        for name, block in stock.blocks.items():
            if block == known.blocks.get(name) and not any(
                stock.templates.get(each) != known.templates.get(each)
                for variant in block.variants
                for each in (variant.template, f"{variant.app}.liquid")
            ):
                continue
            if time.monotonic() > until:
                logger.warning("block %s and those after it are taken without being drawn: that took too long", name)
                break
            found += [f"block {name}: {each}" for each in await self._tried(block, stock, apps)]
        return found

    async def of(self, block: Block) -> list[str]:
        """Return what is wrong with a block beside what is known: what cannot be kept, and what cannot be drawn."""
        return await self._tried(block, self._known(), self._apps)

    async def _tried(self, block: Block, stock: Stock, apps: Mapping[str, App]) -> list[str]:
        place, why = problem_in(block)
        if why:
            return [f"{place}: {why}"]
        found = []
        if block.fallback.image not in stock.images and (why := await self._drawn(self._fallbacks.scene(block))):
            found.append(f"fallback: it cannot be drawn: {why}")
        for index, variant in enumerate(block.variants):
            app = apps.get(variant.app)
            name = variant.template or (app.template if app is not None and not app.package else "")
            text = stock.templates.get(name) if name else self._app_templates.get(variant.app)
            if app is not None and text is not None and (why := await self._shown(block, variant, app, text)):
                found.append(f"variants[{index}] ({variant.name[:60]}): {why}")
        return found

    async def _shown(self, block: Block, variant: Variant, app: App, template: str) -> str:
        """Return why a variant cannot be shown to the sample shopper of its app, empty when it can."""
        moment, settings = Moment(self._clock_ms()), dict(variant.settings)
        app = _fed(app, variant)
        try:
            _, decision = sample_decision(app, moment, settings)
            opened = Opened(decision, moment, block, template)
            msgspec.msgpack.encode(opened)
            msgspec.json.encode(opened)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return f"what it decides cannot be kept: {error}"
        place, why = problem_in(decision)
        if why:
            return f"what it decides cannot be kept: {place}: {why}"
        if not decision.variant:
            return ""  # there is nothing of it to draw
        size = block.width, block.height
        why = await self._drawn(sample_scene(app, template, moment, settings, scale=1, size=size))
        return f"it cannot be drawn: {why}" if why else ""

    async def _drawn(self, scene: Scene) -> str:
        """Return why a scene cannot be drawn, empty when it can."""
        why = ""
        for _ in range(TRIES):
            try:
                await self._renderer.render(scene)
            except BadContent as error:
                why = f"{error}{f' ({error.hint})' if error.hint else ''}"
            except WetinkError as error:
                logger.warning("a block is taken without being drawn: %s", error)
                return ""
            else:
                return ""
        return why


def _fed(app: App, variant: Variant) -> App:
    """Return an app whose sample has items for the feeds that a variant names."""
    settings = settled(app, variant)[0] if app.feeds is not None else None
    if app.feeds is None or settings is None:
        return app
    items = next(iter(app.sample.feeds.values()), ())
    feeds = {**dict.fromkeys(app.feeds(settings), items), **app.sample.feeds}
    return replace(app, sample=replace(app.sample, feeds=feeds))
