"""Fallbacks: pictures made when content is loaded, answered from memory when anything goes wrong."""

import logging
from collections.abc import Callable, Mapping

from wetink.core.blocks.block import Block
from wetink.core.errors import WetinkError
from wetink.ports import Picture, Renderer, Scene

logger = logging.getLogger(__name__)


class Fallbacks:
    """The picture of each block for when there is nothing to show, or no time."""

    def __init__(self, renderer: Renderer, template: str, blank: Picture, home: Callable[[], str]) -> None:
        """Take the template that draws a fallback's words, the last resort, and where a click on nothing goes."""
        self._renderer, self._template, self._blank, self._home = renderer, template, blank, home
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
                problems.append(f"block {block.name}: its fallback cannot be drawn: {error}")
        self._made = made
        return problems

    def of(self, block: Block) -> Picture:
        """Return the fallback picture of a block, the blank one when there is none."""
        return self._made.get(block.name, self._blank)

    def blank(self) -> Picture:
        """Return the picture for a block that does not exist."""
        return self._blank

    def home(self) -> str:
        """Return where a click goes that belongs to no block; empty: nowhere."""
        return self._home()

    def scene(self, block: Block) -> Scene:
        """Return what is drawn of a block's fallback without a picture of its own."""
        fallback = block.fallback
        words = {"title": fallback.title or block.title, "text": fallback.text, "button": fallback.button}
        sight = {"fallback": words, "block": {"name": block.name, "width": block.width, "height": block.height}}
        return Scene(self._template, sight, block.width, block.height, transparent=block.transparent)
