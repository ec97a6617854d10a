"""Fallback: what an open gets when it cannot be decided or drawn in time, and what it was still waiting for then."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision
from wetink.core.errors import WetinkError
from wetink.core.outbound.feed import Feed
from wetink.ports import Picture, Renderer, Scene
from wetink.ports.ledger import LastPictures
from wetink.ports.ledger import Place as Place

logger = logging.getLogger(__name__)

MOST = 16 << 20
"""Bytes of pictures that are kept in memory."""

PATIENCE = 0.2
"""Seconds that what outlived the process may take to be found: somebody waits who has waited before."""

DEEPEST, SHOWN = 40, 3
"""How far calls are followed, and how many of the innermost are named."""


class Fallbacks:
    """The picture of each block for when there is nothing to show, or no time."""

    def __init__(self, renderer: Renderer, template: str, blank: Picture) -> None:
        """Take the template that draws a fallback's words, and the last resort."""
        self._renderer, self._template, self._blank = renderer, template, blank
        self._made: dict[str, Picture] = {}

    async def prepare(self, blocks: Mapping[str, Block], images: Mapping[str, Picture]) -> list[str]:
        """Make the pictures of these blocks; return what could not be made, in words. Never raises."""
        made: dict[str, Picture] = {}
        problems = []
        for block in blocks.values():
            image = images.get(block.fallback.image)
            try:
                made[block.name] = image if image is not None else await self._renderer.render(self.scene(block))
            except WetinkError as error:
                problems.append(f"block {block.name}: its fallback cannot be rendered: {error}")
        self._made = made
        return problems

    def of(self, block: Block) -> Picture:
        """Return the fallback picture of a block, the blank one when there is none."""
        return self._made.get(block.name, self._blank)

    def blank(self) -> Picture:
        """Return the picture for a block that does not exist."""
        return self._blank

    def scene(self, block: Block) -> Scene:
        """Return what is drawn of a block's fallback without a picture of its own."""
        fallback = block.fallback
        words = {"title": fallback.title or block.title, "text": fallback.text, "button": fallback.button}
        sight = {"fallback": words, "block": {"name": block.name, "width": block.width, "height": block.height}}
        return Scene(self._template, sight, block.width, block.height, transparent=block.transparent)


def home(blocks: Mapping[str, Block]) -> str:
    """Return where most blocks lead when they have nothing to show, and a click on one that is gone; empty: nowhere."""
    links = [block.fallback.link for block in blocks.values()]
    return max(sorted(set(links)), key=links.count, default="")


class LastGood:
    """Pictures by where and to whom they were shown; the one kept longest ago goes first."""

    def __init__(self, lasting: LastPictures | None = None, most: int = MOST) -> None:
        """Keep up to `most` bytes here, and more where it outlives the process and others find it."""
        self._lasting, self._most, self._bytes = lasting, most, 0
        self._kept: OrderedDict[Place, tuple[int, Picture]] = OrderedDict()

    async def get(self, place: Place) -> Picture | None:
        """Return the last good picture, None if there is none any more. Never raises."""
        kept = self._kept.get(place)
        if self._lasting is not None:
            try:
                async with asyncio.timeout(PATIENCE):
                    shown = await self._lasting.get(place)
            except TimeoutError:
                shown = None
            if shown is not None and (kept is None or shown[0] > kept[0]):
                kept = shown
        return kept[1] if kept is not None else None

    def put(self, place: Place, picture: Picture, at: int) -> None:
        """Keep a picture of an open at `at` (Unix ms), unless a newer one is kept."""
        old = self._kept.get(place)
        if old is not None:
            if old[0] > at:
                return
            self._bytes -= len(old[1].body)
            del self._kept[place]
        self._bytes += len(picture.body)
        self._kept[place] = at, picture
        while self._bytes > self._most:
            self._bytes -= len(self._kept.popitem(last=False)[1][1].body)
        if self._lasting is not None and (old is None or old[1] is not picture):
            self._lasting.put(place, at, picture)


def still_running(task: asyncio.Task[Any]) -> str:
    """Return what a task waits for, such as `Scenes.draw, Renderer.render (app countdown)`.

    It names calls, apps, feeds and the hosts of photos, and nothing of a person.
    """
    calls: list[str] = []
    facts: dict[str, str] = {}
    for coroutine in _chain(task):
        calls.append(getattr(coroutine, "__qualname__", ""))
        facts |= dict(_facts(getattr(coroutine, "cr_frame", None)))
    named = ", ".join(filter(None, calls[-SHOWN:]))
    told = ", ".join(f"{kind} {name}" for kind, name in facts.items())
    return f"{named} ({told})" if told else named


def watch(task: asyncio.Task[Any], block: str) -> None:
    """Log how a task ends that goes on after its deadline, if it fails."""

    def ended(done: asyncio.Task[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, WetinkError):
            logger.warning("%s: after the deadline it failed: %s", block, error)
        elif error is not None:
            logger.error("%s: after the deadline it failed", block, exc_info=error)

    task.add_done_callback(ended)


def _chain(task: asyncio.Task[Any]) -> Iterator[Any]:
    coroutine: Any = task.get_coro()
    for _ in range(DEEPEST):
        if not hasattr(coroutine, "cr_frame"):
            return
        yield coroutine
        coroutine = coroutine.cr_await


def _facts(frame: Any) -> Iterator[tuple[str, str]]:
    """Yield the app, the feed and the photo's host that a call is about."""
    for name, value in (frame.f_locals if frame is not None else {}).items():
        if isinstance(value, App):
            yield "app", value.name
        elif isinstance(value, Feed):
            yield "feed", value.name
        elif isinstance(value, Decision) and value.app:
            yield "app", value.app
        elif name == "url" and isinstance(value, str) and (host := urlsplit(value).hostname):
            yield "photo of", host
