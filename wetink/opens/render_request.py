"""Scenes: a decision as what is to be drawn of it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.locale import at_home
from wetink.core.errors import BadContent, WetinkError
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.opens.template_context import sight, ticking
from wetink.ports import Catalog, Film, Picture, Renderer, Scene, Ticking

logger = logging.getLogger(__name__)

MOVING_SHARE = 2.5
"""How much more a picture may weigh that moves."""
FILM_SECONDS = 0.3
"""How long an open waits for a picture that moves before it gets one that stands still."""
FRAMES, FRAME_MS = 6, 1_500
"""Of a film whose app does not say how many pictures it has, and for how long each stands."""

PersonOf: TypeAlias = Callable[[Identifier | None, int, Sequence[Event]], Awaitable[Person]]


class Scenes:
    """Draws decisions."""

    def __init__(
        self,
        catalog: Catalog,
        renderer: Renderer,
        person: PersonOf,
        *,
        apps: Mapping[str, App],
        app_templates: Mapping[str, str],
        templates: Callable[[], Mapping[str, str]],
        allowed: Callable[[str], bool],
    ) -> None:
        """Take what knows people and products, the apps with their own templates, and those of the content folder."""
        self._catalog, self._renderer, self._person = catalog, renderer, person
        self._apps, self._app_templates, self._templates, self._allowed = apps, app_templates, templates, allowed

    def template(self, decision: Decision) -> str | None:
        """Return the template that draws a decision, None for a fallback or when it is gone."""
        if not decision.variant:
            return None
        if decision.template:
            return self._templates().get(decision.template)
        return self._app_templates.get(decision.app)

    async def draw(
        self,
        block: Block,
        decision: Decision,
        slot: int,
        who: Identifier | None,
        moment: Moment,
        template: str | None = None,
        supposed: Sequence[Event] = (),
    ) -> Picture | None:
        """Return the picture of a decision's slot, None when the fallback is due. Raises BadContent."""
        app = self._apps.get(decision.app)
        moves = app.moves if app is not None and moment.moving else ""
        note = ""
        if moves == "countdown" and decision.variant:
            moving, note = await self._ticking(ticking(block, decision.facts, moment))
            if moving is not None:
                return moving
        scene = await self.scene(block, decision, slot, who, moment, template, supposed)
        if scene is None:
            return None
        if moves == "film":
            return await self._moving(film(scene, decision, block))
        still = await self._renderer.render(scene)
        return replace(still, note=note) if note else still

    async def warm(self, block: Block, decision: Decision, slot: int, who: Identifier | None, moment: Moment) -> None:
        """Have the parts of a slot's picture drawn ahead, and its film if it is one. Never raises BadContent."""
        scene = await self.scene(block, decision, slot, who, moment)
        if scene is None:
            return
        await self._renderer.warm(scene)
        app = self._apps.get(decision.app)
        if block.moving and app is not None and app.moves == "film":
            with contextlib.suppress(BadContent):  # the open will say so, where somebody sees it
                await self._renderer.film(film(scene, decision, block))

    async def _ticking(self, countdown: Ticking) -> tuple[Picture | None, str]:
        """Return a countdown that ticks if it is ready or can be had soon, else why it stands still."""
        making = asyncio.create_task(self._renderer.countdown(countdown))
        making.add_done_callback(_ended)
        await asyncio.wait([making], timeout=FILM_SECONDS)
        try:
            return (making.result(), "") if making.done() else (None, "it stands still: it is being made ready to tick")
        except WetinkError as error:
            return None, f"it stands still: {error}"
        except Exception as error:
            logger.exception("a countdown stands still")
            return None, f"it stands still: {type(error).__name__}"

    async def _moving(self, film: Film) -> Picture:
        """Return a film if it can be had soon, else its first picture: the film is there for the next open."""
        making = asyncio.create_task(self._renderer.film(film))
        making.add_done_callback(_ended)
        done, _ = await asyncio.wait([making], timeout=FILM_SECONDS)
        return making.result() if done else await self._renderer.render(film.scene)

    async def scene(
        self,
        block: Block,
        decision: Decision,
        slot: int,
        who: Identifier | None,
        moment: Moment,
        template: str | None = None,
        supposed: Sequence[Event] = (),
    ) -> Scene | None:
        """Return what is to be drawn of a decision's slot, None when the fallback is due."""
        template = template or self.template(decision)
        if template is None or (block.slots > 1 and decision.items and slot > len(decision.items)):
            return None
        person = await self._person(who, decision.at, supposed)
        moment = at_home(moment, person)
        seen = [each.product for each in (*person.views, *person.cart.lines, *person.wishlist)]
        catalog = await self._catalog.products([product.key for product in seen])
        named = {product.image_url for product in (*decision.items, *seen, *catalog.values())}
        named.update(photo for photo in decision.facts.get("photos", ()) if isinstance(photo, str))
        variant = next((each for each in block.variants if each.name == decision.variant), None)
        return Scene(
            template,
            sight(block, decision, slot, person, moment, catalog, template),
            block.width,
            block.height,
            scale=moment.ratio,
            scheme=moment.scheme,
            transparent=block.transparent,
            photos=tuple(sorted(url for url in named if self._allowed(url))),
            engine=variant.engine if variant is not None else "",
            most_bytes=block.kilobytes * 1000,
        )


def film(scene: Scene, decision: Decision, block: Block) -> Film:
    """Return a scene as a film: how many pictures it has, and how long each stands, its facts say."""
    frames, milliseconds = decision.facts.get("frames", FRAMES), decision.facts.get("frame_ms", FRAME_MS)
    most = round(block.kilobytes * 1000 * MOVING_SHARE)
    return Film(scene, frames, milliseconds, loop=decision.facts.get("loop") is not False, most_bytes=most)


def _ended(making: asyncio.Task[Picture]) -> None:
    """Look at how it ended: whoever asked may have gone."""
    if not making.cancelled():
        making.exception()
