"""Drawing: a decision as what is to be drawn of it, with all that its template may see, and what came of it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.content.folder import Content
from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision
from wetink.core.catalog.trust import shown
from wetink.core.errors import BadContent, WetinkError
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person, plain
from wetink.core.rules.tree import with_locale
from wetink.opens.lookup import Open
from wetink.ports import Film, Picture, Renderer, Scene, Ticking

logger = logging.getLogger(__name__)

MOVING_SHARE = 2.5
"""How much more a picture may weigh that moves."""
FILM_SECONDS = 0.3
"""How long an open waits for a picture that moves before it gets one that stands still."""
FRAMES, FRAME_MS = 6, 1_500
"""Of a film whose app does not say how many pictures it has, and for how long each stands."""


class Scenes:
    """Draws decisions."""

    def __init__(
        self,
        renderer: Renderer,
        *,
        apps: Mapping[str, App],
        app_templates: Mapping[str, str],
        allowed: Callable[[str], bool],
    ) -> None:
        """Take the apps with their own templates; `allowed` tells which photos may be drawn."""
        self._renderer, self._apps, self._app_templates, self._allowed = renderer, apps, app_templates, allowed

    def template(self, content: Content, decision: Decision) -> str:
        """Return the template that draws a decision, empty for a fallback or when it is gone."""
        if not decision.variant:
            return ""
        if decision.template:
            return content.templates.get(decision.template, "")
        return self._app_templates.get(decision.app, "")

    async def draw(self, asked: Open, decision: Decision, slot: int, template: str) -> Picture | None:
        """Return the picture of a decision's slot, None when the fallback is due. Raises BadContent."""
        app, block, moment = self._apps.get(decision.app), asked.block, asked.moment
        moves = app.moves if app is not None and moment.moving else ""
        note = ""
        if moves == "countdown" and decision.variant:
            moving, note = await self._ticking(ticking(block, decision.facts, moment))
            if moving is not None:
                return moving
        scene = await self.scene(asked, decision, slot, template)
        if scene is None:
            return None
        if moves == "film":
            return await self._moving(film(scene, decision, block))
        still = await self._renderer.render(scene)
        return replace(still, note=note) if note else still

    async def warm(self, asked: Open, decision: Decision, slot: int, template: str) -> None:
        """Have the parts of a slot's picture drawn ahead, and its film if it is one. Never raises BadContent."""
        scene = await self.scene(asked, decision, slot, template)
        if scene is None:
            return
        await self._renderer.warm(scene)
        app = self._apps.get(decision.app)
        if asked.block.moving and app is not None and app.moves == "film":
            with contextlib.suppress(BadContent):  # the open will say so, where somebody sees it
                await self._renderer.film(film(scene, decision, asked.block))

    async def _ticking(self, countdown: Ticking) -> tuple[Picture | None, str]:
        """Return a countdown that ticks if it is ready or can be had soon, else why it stands still."""
        making = asyncio.create_task(self._renderer.countdown(countdown))
        making.add_done_callback(_ended)
        await asyncio.wait([making], timeout=FILM_SECONDS)
        try:
            return (
                (making.result(), "") if making.done() else (None, "it is a still picture until the animation is ready")
            )
        except WetinkError as error:
            return None, f"it is a still picture: {error}"
        except Exception as error:
            logger.exception("a countdown is a still picture")
            return None, f"it is a still picture: {type(error).__name__}"

    async def _moving(self, film: Film) -> Picture:
        """Return a film if it can be had soon, else its first picture: the film is there for the next open."""
        making = asyncio.create_task(self._renderer.film(film))
        making.add_done_callback(_ended)
        done, _ = await asyncio.wait([making], timeout=FILM_SECONDS)
        return making.result() if done else await self._renderer.render(film.scene)

    async def scene(self, asked: Open, decision: Decision, slot: int, template: str) -> Scene | None:
        """Return what is to be drawn of a decision's slot, None when the fallback is due."""
        block, person, moment = asked.block, asked.person, with_locale(asked.moment, asked.person)
        if not template or (block.slots > 1 and decision.items and slot > len(decision.items)):
            return None
        seen = [each.product for each in (*person.views, *person.cart.lines, *person.wishlist)]
        catalog = await asked.look.products([product.key for product in seen])
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


def sight(
    block: Block,
    decision: Decision,
    slot: int,
    person: Person,
    moment: Moment,
    catalog: Mapping[str, Product],
    template: str = "",
) -> dict[str, Any]:
    """Return everything a template may see: of what pages told no more than `core.trust` lets through.

    Of the person's identifiers it sees the recipient alone, for the others may be anybody's words.
    """
    items = [_seen(item) for item in decision.items]
    who = recipient_of(decision)
    person = replace(shown(person, template=template), identifiers=() if who is None else (who,))
    return {
        "items": items,
        "item": items[slot - 1] if 1 <= slot <= len(items) else None,
        "person": plain(person),
        "moment": msgspec.to_builtins(moment),
        "settings": decision.settings,
        "block": {
            "name": block.name,
            "width": block.width,
            "height": block.height,
            "title": block.title,
            "slots": block.slots,
        },
        "slot": slot,
        "frame": 0,
        "frames": decision.facts.get("frames", 1),
        "facts": decision.facts,
        "catalog": {key: _seen(product) for key, product in catalog.items()},
    }


def _seen(product: Product) -> dict[str, Any]:
    fields = {name: getattr(product, name) for name in product.__struct_fields__}
    return {**fields, "key": product.key, "photo": product.image_url}


def ticking(block: Block, facts: Mapping[str, Any], moment: Moment) -> Ticking:
    """Return the countdown that a decision of these facts shows, as it is at a moment."""
    labels = tuple(facts["labels"])
    left = facts["ends_at"] - moment.now
    return Ticking(
        facts["title"], labels, facts["accent"], block.width, block.height, left, moment.ratio, moment.scheme
    )


def recipient_of(decision: Decision) -> Identifier | None:
    """Return whom a decision was made for."""
    kind, colon, value = decision.recipient.partition(":")
    return Identifier(kind, value) if colon else None  # type: ignore[arg-type]


def weight(block: Block, picture: Picture) -> str:
    """Return what a block's picture weighs beside what it may.

    >>> from wetink.core.blocks.block import Fallback
    >>> hero = Block("hero", Fallback("https://shop.example/"), kilobytes=40)
    >>> weight(hero, Picture(bytes(38_200), "image/jpeg"))
    '38 KB, of 40 KB at most'
    >>> weight(hero, Picture(bytes(39_900), "image/jpeg", note="JPEG at quality 74, to stay below 40 KB"))
    '40 KB: JPEG at quality 74, to stay below 40 KB'
    >>> weight(hero, Picture(bytes(51_000), "image/png"))
    '51 KB, more than the 40 KB it may weigh'
    """
    most = block.kilobytes * 1000
    if picture.content_type == "image/gif":
        most = round(most * MOVING_SHARE)
    size = f"{len(picture.body) / 1000:.0f} KB"
    if picture.note:
        return f"{size}: {picture.note}"
    if len(picture.body) > most:
        return f"{size}, more than the {most // 1000} KB it may weigh"
    return f"{size}, of {most // 1000} KB at most"


def film(scene: Scene, decision: Decision, block: Block) -> Film:
    """Return a scene as a film: how many pictures it has, and how long each stands, its facts say."""
    frames, milliseconds = decision.facts.get("frames", FRAMES), decision.facts.get("frame_ms", FRAME_MS)
    most = round(block.kilobytes * 1000 * MOVING_SHARE)
    return Film(scene, frames, milliseconds, loop=decision.facts.get("loop") is not False, most_bytes=most)


def _ended(making: asyncio.Task[Picture]) -> None:
    """Look at how it ended: whoever asked may have gone."""
    if not making.cancelled():
        making.exception()
