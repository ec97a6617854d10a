"""Audit: tries a block before it goes live, for one person, for the sample shopper, or for recent profiles.

Each variant of an incoming block is decided, encoded as the server stores it, and drawn once before the block is
accepted. Characters without a font are reported by place for content, and by number of people for data.
"""

import asyncio
import logging
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.app.app import App
from wetink.core.app.sample import SHOP, shop, shopper
from wetink.core.blocks.block import Block, Decision, Fallback, Variant
from wetink.core.blocks.coverage import Coverage, Seen, coverage
from wetink.core.blocks.decide import choose, decide, prepared, settled
from wetink.core.catalog.trust import shown
from wetink.core.errors import BadContent, WetinkError
from wetink.core.events.event import Event
from wetink.core.profile.person import Moment
from wetink.core.text.characters import problem_in
from wetink.opens.drawing import Fallbacks, template_values
from wetink.opens.open import Opens
from wetink.ports import Profiles, Renderer, Scene
from wetink.ports.ledger import Opened
from wetink.ports.outside import Feeds

logger = logging.getLogger(__name__)

MOST, MOST_ASKING, SECONDS = 1_000, 20, 3.0
"""Profiles in a coverage check, profiles if each costs a call to a feed, and the time limit in seconds."""
DRAWN_SECONDS = 8.0
"""Time for the test renders of one push, in seconds. Blocks after that are accepted without one."""
TRIES = 2
"""Attempts for a test render: a busy machine may need a second one."""
WORDS = ("title", "alt", "fallback", "variants")
"""The fields of a block that hold visible text."""


class Audit:
    """Tries blocks. Stores and counts nothing."""

    def __init__(
        self,
        profiles: Profiles,
        opens: Opens,
        renderer: Renderer,
        apps: Mapping[str, App],
        feeds: Feeds,
        allowed: Callable[[str], bool],
    ) -> None:
        """Use the services that opens use. `allowed` returns whether a photo's URL may be fetched."""
        self._profiles, self._opens, self._renderer, self._feeds = profiles, opens, renderer, feeds
        self._apps, self._allowed = apps, allowed

    async def coverage(self, content: Content, block: Block, moment: Moment) -> Coverage:
        """Return the coverage of a block among the most recent profiles. Raises StoreUnavailable.

        If a feed is fetched for each person, fewer profiles are checked.
        """
        until = time.monotonic() + SECONDS
        seen: list[Seen] = []
        for profile in await self._profiles.profiles(limit=MOST_ASKING if self._asks(block) else MOST):
            decision = await self._opens.preview(content, block, profile.root, moment)
            person = await self._opens.person(profile.root, moment.now)
            seen.append(Seen(decision, shown(person).traits))
            if time.monotonic() > until:
                break
            await asyncio.sleep(0)  # opens go first
        texts = {variant.name: self._opens.template_of(content, variant) for variant in block.variants}
        found = coverage(block, seen, texts, self._renderer.missing)
        return replace(found, undrawn=tuple((named(char), people) for char, people in found.undrawn))

    def _asks(self, block: Block) -> bool:
        """Return whether a variant uses a feed that is fetched for each person."""
        for variant in block.variants:
            app = self._apps.get(variant.app)
            settings = settled(app, variant)[0] if app is not None else None
            for name in (
                app.feeds(settings) if app is not None and app.feeds is not None and settings is not None else ()
            ):
                feed = self._feeds.declared(name)
                if feed is not None and feed.per_person is not None:
                    return True
        return False


class Rehearsal:
    """Tries blocks with the sample shopper of their apps."""

    def __init__(
        self,
        renderer: Renderer,
        fallbacks: Fallbacks,
        app_templates: Mapping[str, str],
        clock_ms: Callable[[], int],
    ) -> None:
        """Draw with `renderer`."""
        self._renderer, self._fallbacks, self._app_templates = renderer, fallbacks, app_templates
        self._known, self._clock_ms = Content(), clock_ms
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Draw in the running event loop."""
        self._loop = asyncio.get_running_loop()

    def use(self, content: Content) -> None:
        """Take the live content. Its blocks are not tried again."""
        self._known = content

    def problems_of(self, stock: Content, apps: Mapping[str, App]) -> list[str]:
        """Return the problems of the blocks that are not live yet. Call it from a thread, not from the event loop."""
        if self._loop is None:
            return []
        if self._loop is asyncio._get_running_loop():
            raise RuntimeError("ask for this from a thread: the loop has to draw meanwhile")
        return asyncio.run_coroutine_threadsafe(self._new(stock, apps), self._loop).result()

    async def _new(self, stock: Content, apps: Mapping[str, App]) -> list[str]:
        known, until, found = self._known, time.monotonic() + DRAWN_SECONDS, list[str]()
        for name, block in stock.blocks.items():
            if block == known.blocks.get(name) and not any(
                stock.templates.get(each) != known.templates.get(each)
                for variant in block.variants
                for each in (variant.template, f"{variant.app}.liquid")
            ):
                continue
            if time.monotonic() > until:
                logger.warning(
                    "block %s and those after it are accepted without a test render, which took too long", name
                )
                break
            found += [f"block {name}: {each}" for each in await self._tried(block, stock, apps)]
        return found

    async def trial(self, block: Block, stock: Content, apps: Mapping[str, App]) -> list[str]:
        """Return the problems of a block next to other content and apps."""
        return await self._tried(block, stock, apps)

    async def _tried(self, block: Block, stock: Content, apps: Mapping[str, App]) -> list[str]:
        place, why = problem_in(block)
        if why:
            return [f"{place}: {why}"]
        found = []
        if block.fallback.image not in stock.images and (why := await self._drawn(self._fallbacks.scene(block))):
            found.append(f"fallback: it cannot be rendered: {why}")
        for index, variant in enumerate(block.variants):
            app = apps.get(variant.app)
            name = variant.template or (app.template if app is not None and not app.package else "")
            text = stock.templates.get(name) if name else self._app_templates.get(variant.app)
            if app is not None and text is not None and (why := await self._shown(block, variant, app, text)):
                found.append(f"variants[{index}] ({variant.name[:60]}): {why}")
        return found

    async def _shown(self, block: Block, variant: Variant, app: App, template: str) -> str:
        """Return the reason why a variant cannot be shown to its app's sample shopper; empty if it can."""
        moment, settings = Moment(self._clock_ms()), dict(variant.settings)
        app = fed(app, variant)
        try:
            _, decision = sample_decision(app, moment, settings)
            opened = Opened(decision, moment, block, template)
            msgspec.msgpack.encode(opened)
            msgspec.json.encode(opened)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return f"its decisions cannot be stored: {error}"
        place, why = problem_in(decision)
        if why:
            return f"its decisions cannot be stored: {place}: {why}"
        if not decision.variant:
            return ""  # nothing to draw
        size = block.width, block.height
        why = await self._drawn(sample_scene(app, template, moment, settings, scale=1, size=size))
        return f"it cannot be rendered: {why}" if why else ""

    async def _drawn(self, scene: Scene) -> str:
        """Return the reason why a scene cannot be drawn; empty if it can."""
        why = ""
        for _ in range(TRIES):
            try:
                await self._renderer.render(scene)
            except BadContent as error:
                why = f"{error}{f' ({error.hint})' if error.hint else ''}"
            except WetinkError as error:
                logger.warning("a block is accepted without a test render: %s", error)
                return ""
            else:
                return ""
        return why


def fed(app: App, variant: Variant) -> App:
    """Return an app whose sample has items for the feeds that a variant uses."""
    settings = settled(app, variant)[0] if app.feeds is not None else None
    if app.feeds is None or settings is None:
        return app
    items = next(iter(app.sample.feeds.values()), ())
    feeds = {**dict.fromkeys(app.feeds(settings), items), **app.sample.feeds}
    return replace(app, sample=replace(app.sample, feeds=feeds))


def sample_decision(
    app: App,
    moment: Moment,
    settings: Mapping[str, Any] | None = None,
    supposed: Sequence[Event] = (),
) -> tuple[Block, Decision]:
    """Return a block with an app's sample and its decision for the sample shopper.

    Without `settings`, those of the sample apply. If there is nothing to show, the decision has no variant and its
    trace has the reason. The `supposed` events count as if they had happened.
    """
    chosen = dict(app.sample.settings if settings is None else settings)
    block = Block("sample", Fallback(SHOP), (Variant("sample", app.name, settings=chosen),))
    person, sample = shopper(moment.now, supposed), shop(moment.now, app)
    choice = choose(prepared(block, {app.name: app}, sample.rules), person, moment, sample)
    return block, decide(
        block, choice, moment, sample.products, recipient="", decision_id="sample", allowed=lambda url: True
    )


def sample_scene(
    app: App,
    template: str,
    moment: Moment,
    settings: Mapping[str, Any] | None = None,
    *,
    scale: int = 2,
    size: tuple[int, int] = (600, 300),
    supposed: Sequence[Event] = (),
    allowed: Callable[[str], bool] = lambda url: False,
) -> Scene:
    """Return the scene of an app's template with the sample shopper. `size` is in CSS pixels.

    Photos of the `supposed` events are drawn if their URLs are `allowed`.
    """
    block, decision = sample_decision(app, moment, settings, supposed)
    block = replace(block, width=size[0], height=size[1])
    person, sample = shopper(moment.now, supposed), shop(moment.now, app)
    photos = {product.image_url for product in sample.products.values()}
    photos.update(each.image_url for event in supposed for each in event.products if allowed(each.image_url))
    return Scene(
        template,
        template_values(block, decision, 1, person, moment, sample.products),
        block.width,
        block.height,
        scale=scale,
        photos=tuple(sorted(photos)),
        scheme=moment.scheme,
    )


def named(char: str) -> str:
    """Return a character with its Unicode name.

    >>> named("\u2713")
    '✓ (U+2713 check mark)'
    """
    return f"{char} (U+{ord(char):04X}{f' {unicodedata.name(char, str()).lower()}'.rstrip()})"


def glyph_notes(
    blocks: Mapping[str, Block], templates: Mapping[str, str], missing: Callable[[str], str]
) -> Iterator[str]:
    """Yield a note for each place of the content with characters that no font has. They are drawn as boxes."""
    for name, text in templates.items():
        if missing(text):
            for number, line in enumerate(text.splitlines(), 1):
                if lacking := missing(line):
                    yield f"templates/{name}: line {number}: no font has {_all(lacking)}"
    for block in blocks.values():
        plain = msgspec.to_builtins(block)
        for field in WORDS:
            for place, said in _strings(plain.get(field), field):
                if lacking := missing(said):
                    yield f"blocks/{block.name}.yaml: {place}: no font has {_all(lacking)}"


def _all(chars: str) -> str:
    return ", ".join(map(named, chars[:5])) + (" and more" if len(chars) > 5 else "")


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield each text in a value with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _strings(each, f"{place}[{number}]")
