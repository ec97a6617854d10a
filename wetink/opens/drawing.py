"""Drawing: turns a decision into a scene with the values that its template may use, and the scene into a picture.

An open that cannot be decided or drawn in time gets the block's fallback or the last good picture. The log names the
call that it waited for.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.decide import with_locale
from wetink.core.catalog.trust import filled, shown
from wetink.core.errors import BadContent, WetinkError
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import Feed
from wetink.core.profile.person import Moment, Person, plain
from wetink.ending import seen
from wetink.opens.lookup import Open
from wetink.ports import Film, Picture, Renderer, Scene, Ticking
from wetink.ports.drawing import Served
from wetink.ports.ledger import LastPictures
from wetink.ports.ledger import Place as Place

logger = logging.getLogger(__name__)

MOVING_SHARE = 2.5
"""The size limit of an animation, as a multiple of the block's limit."""
FILM_SECONDS = 0.3
"""Time that an open waits for an animation before it gets a still picture, in seconds."""
FRAMES, FRAME_MS = 6, 1_500
"""Frames of a film whose app gives no number, and milliseconds for each."""


class Scenes:
    """Draws decisions."""

    def __init__(self, renderer: Renderer, apps: Mapping[str, App], allowed: Callable[[str], bool]) -> None:
        """Take the apps by name. `allowed` returns whether a photo's URL may be fetched."""
        self._renderer, self._apps, self._allowed = renderer, apps, allowed

    async def draw(self, open_: Open, decision: Decision, slot: int, template: str) -> Picture | None:
        """Return the picture of a decision's slot; None if the fallback is due. Raises BadContent."""
        app, block, moment = self._apps.get(decision.app), open_.block, open_.moment
        moves = app.moves if app is not None and moment.moving else ""
        note = ""
        if moves == "countdown" and decision.variant:
            moving, note = await self._ticking(ticking(block, decision.facts, moment))
            if moving is not None:
                return moving
        scene = await self.scene(open_, decision, slot, template)
        if scene is None:
            return None
        if moves == "film":
            return await self._moving(film(scene, decision, block))
        still = await self._renderer.render(scene)
        return replace(still, note=note) if note else still

    async def warm(self, open_: Open, decision: Decision, slot: int, template: str) -> None:
        """Draw the parts of a slot's picture ahead, and its film if it has one. A film's BadContent is suppressed."""
        scene = await self.scene(open_, decision, slot, template)
        if scene is None:
            return
        await self._renderer.warm(scene)
        app = self._apps.get(decision.app)
        if open_.block.moving and app is not None and app.moves == "film":
            with contextlib.suppress(BadContent):  # the open reports it
                await self._renderer.film(film(scene, decision, open_.block))

    async def _ticking(self, countdown: Ticking) -> tuple[Picture | None, str]:
        """Return a countdown's animation if it is ready in time; else None and the reason."""
        making = asyncio.create_task(self._renderer.countdown(countdown))
        making.add_done_callback(seen)
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
        finally:
            del making  # its error keeps this frame: a cycle

    async def _moving(self, film: Film) -> Picture:
        """Return a film if it is ready in time; else its first frame. The film is then ready for the next open."""
        making = asyncio.create_task(self._renderer.film(film))
        making.add_done_callback(seen)
        await asyncio.wait([making], timeout=FILM_SECONDS)
        try:
            return making.result() if making.done() else await self._renderer.render(film.scene)
        finally:
            del making  # its error keeps this frame: a cycle

    async def scene(self, open_: Open, decision: Decision, slot: int, template: str) -> Scene | None:
        """Return the scene of a decision's slot; None if the fallback is due."""
        block, person, moment = open_.block, open_.person, with_locale(open_.moment, open_.person)
        if not template or (block.slots > 1 and decision.items and slot > len(decision.items)):
            return None
        seen = [each.product for each in (*person.views, *person.cart.lines, *person.wishlist)]
        catalog = await open_.look.products([product.key for product in seen])
        named = {product.image_url for product in (*decision.items, *seen, *catalog.values())}
        named.update(photo for photo in decision.facts.get("photos", ()) if isinstance(photo, str))
        variant = next((each for each in block.variants if each.name == decision.variant), None)
        return Scene(
            template,
            template_values(block, decision, slot, person, moment, catalog, template),
            block.width,
            block.height,
            scale=moment.ratio,
            scheme=moment.scheme,
            transparent=block.transparent,
            photos=tuple(sorted(url for url in named if self._allowed(url))),
            engine=variant.engine if variant is not None else "",
            most_bytes=block.kilobytes * 1000,
        )


def template_values(
    block: Block,
    decision: Decision,
    slot: int,
    person: Person,
    moment: Moment,
    catalog: Mapping[str, Product],
    template: str = "",
) -> dict[str, Any]:
    """Return the values that a template may use. Data from pages is limited to what `core.catalog.trust` lets through.

    Of the person's identifiers, the template gets only the recipient: anybody may have sent the others.
    """
    items = [_seen(item) for item in decision.items]
    who = recipient_of(decision)
    person = shown(person, template=template)
    person = replace(person, traits=filled(person.traits), identifiers=() if who is None else (who,))
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
    """Return the countdown that a decision with these facts shows at a moment."""
    labels = tuple(facts["labels"])
    left = facts["ends_at"] - moment.now
    return Ticking(
        facts["title"], labels, facts["accent"], block.width, block.height, left, moment.ratio, moment.scheme
    )


def recipient_of(decision: Decision) -> Identifier | None:
    """Return the recipient of a decision; None for an anonymous open."""
    kind, colon, value = decision.recipient.partition(":")
    return Identifier(kind, value) if colon else None  # type: ignore[arg-type]


def weight(block: Block, picture: Picture) -> str:
    """Return the size of a block's picture next to its limit, in words.

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
    """Return a scene as a film. The decision's facts have the number of frames and the milliseconds for each."""
    frames, milliseconds = decision.facts.get("frames", FRAMES), decision.facts.get("frame_ms", FRAME_MS)
    most = round(block.kilobytes * 1000 * MOVING_SHARE)
    return Film(scene, frames, milliseconds, loop=decision.facts.get("loop") is not False, most_bytes=most)


MOST = 16 << 20
"""Bytes of pictures kept in memory."""

PATIENCE = 0.2
"""Time to wait for a stored picture, in seconds. The open has already waited for its deadline."""

DEEPEST, SHOWN = 40, 3
"""Depth to which calls are followed, and the number of innermost calls that are named."""


class Fallbacks:
    """The picture of each block for opens with nothing to show or no time left."""

    def __init__(self, renderer: Renderer, template: str, blank: Picture) -> None:
        """Take the template that draws a fallback's texts, and the picture for unknown blocks."""
        self._renderer, self._template, self._blank = renderer, template, blank
        self._made: dict[str, Picture] = {}

    async def prepare(self, blocks: Mapping[str, Block], images: Mapping[str, Picture]) -> list[str]:
        """Draw the fallbacks of these blocks. Returns a message for each that fails. Never raises."""
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
        """Return the fallback picture of a block; the blank one if it has none."""
        return self._made.get(block.name, self._blank)

    def blank(self) -> Picture:
        """Return the picture for a block that does not exist."""
        return self._blank

    def scene(self, block: Block) -> Scene:
        """Return the scene of a fallback without an image of its own."""
        fallback = block.fallback
        words = {"title": fallback.title or block.title, "text": fallback.text, "button": fallback.button}
        values = {"fallback": words, "block": {"name": block.name, "width": block.width, "height": block.height}}
        return Scene(self._template, values, block.width, block.height, transparent=block.transparent)


def home(blocks: Mapping[str, Block]) -> str:
    """Return the most common fallback link, for clicks on a block that no longer exists; empty without blocks."""
    links = [block.fallback.link for block in blocks.values()]
    return max(sorted(set(links)), key=links.count, default="")


class LastGood:
    """The last good pictures by place and recipient. The one stored longest ago goes first."""

    def __init__(self, lasting: LastPictures | None = None, most: int = MOST) -> None:
        """Keep up to `most` bytes in memory, and copies in `lasting`, which outlives this process."""
        self._lasting, self._most, self._bytes = lasting, most, 0
        self._kept: OrderedDict[Place, tuple[int, Picture]] = OrderedDict()

    async def get(self, place: Place) -> Picture | None:
        """Return the last good picture; None without one. Never raises."""
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
        """Keep the picture of an open at `at` (Unix ms) unless a newer one is kept."""
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


def counted_on_delivery(
    picture: Picture, block: str, variant: str, who: Identifier | None, moment: Moment, *, counted: bool
) -> Picture:
    """Return a picture marked with its count on delivery. Anonymous and uncounted opens get no mark."""
    if who is None or not counted:
        return picture
    return replace(picture, served=Served(block, variant, moment.campaign))


def place_of(block: Block, slot: int, who: Identifier, moment: Moment) -> Place:
    """Return the key of the picture last shown to a recipient."""
    return block.name, slot, str(who), f"{moment.campaign}\0{moment.scheme}\0{moment.ratio}\0{moment.moving}"


def still_running(task: asyncio.Task[Any]) -> str:
    """Return the call that a task waits for, such as `Scenes.draw, Renderer.render (app countdown)`.

    It names calls, apps, feeds and hosts of photos, and no personal data.
    """
    calls: list[str] = []
    facts: dict[str, str] = {}
    for coroutine in _chain(task):
        calls.append(getattr(coroutine, "__qualname__", ""))
        facts |= dict(_facts(getattr(coroutine, "cr_frame", None)))
    named = ", ".join(filter(None, calls[-SHOWN:]))
    listed = ", ".join(f"{kind} {name}" for kind, name in facts.items())
    return f"{named} ({listed})" if listed else named


def watch(task: asyncio.Task[Any], block: str) -> None:
    """Log the call in which a task passed its deadline, and later its failure."""
    logger.warning("%s shows a fallback: the deadline passed in %s", block, still_running(task))

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
    """Yield the app, the feed and the photo's host of a call, each with its kind."""
    for name, value in (frame.f_locals if frame is not None else {}).items():
        if isinstance(value, App):
            yield "app", value.name
        elif isinstance(value, Feed):
            yield "feed", value.name
        elif isinstance(value, Decision) and value.app:
            yield "app", value.app
        elif name == "url" and isinstance(value, str) and (host := urlsplit(value).hostname):
            yield "photo of", host
