"""Trials: decide and draw a block that is not live yet, for a person, a stranger or the sample shopper.

A trial stores and counts nothing.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.app.app import App, Shop
from wetink.core.app.sample import shop, shopper
from wetink.core.blocks.block import Block, Decision, Step, Variant, bare, closed
from wetink.core.blocks.decide import Choice, choose, decide, prepared
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.audit import fed
from wetink.opens.drawing import Fallbacks, template_values
from wetink.opens.open import Opens
from wetink.ports import Picture, Renderer, Scene


class Onlooker:
    """The person of a trial. `who` is None for a stranger; the sample shopper is nobody real."""

    def __init__(self, who: Identifier | None, *, sample: bool = False) -> None:
        """Take a real person or a stranger, unless it is the `sample` shopper."""
        self.who, self.sample = who, sample


SAMPLE = Onlooker(None, sample=True)


class Side(msgspec.Struct, frozen=True):
    """Content, all of its apps, and the opens that decide by them."""

    content: Content
    apps: Mapping[str, App]
    opens: Opens


class Trials:
    """Decides and draws drafts of blocks."""

    def __init__(
        self,
        opens: Opens,
        renderer: Renderer,
        fallbacks: Fallbacks,
        apps: Mapping[str, App],
        app_templates: Mapping[str, str],
        allowed: Callable[[str], bool],
    ) -> None:
        """Use the services that opens use, and the apps that content does not declare, with their templates.

        `allowed` returns whether a photo's URL may be fetched.
        """
        self._opens, self._renderer, self._fallbacks = opens, renderer, fallbacks
        self._apps, self._app_templates, self._allowed = apps, app_templates, allowed

    def side(self, content: Content) -> Side:
        """Return content that need not be live, with its apps and the opens that decide by them."""
        apps = {**content.apps, **self._apps}
        own = {name: content.templates[app.template] for name, app in content.apps.items()}
        return Side(content, apps, self._opens.beside(apps, {**own, **self._app_templates}))

    async def decision(
        self, content: Content, block: Block, onlooker: Onlooker, moment: Moment, supposed: Sequence[Event] = ()
    ) -> Decision:
        """Return the decision of a block. The `supposed` events count as if they had happened.

        Raises StoreUnavailable.
        """
        side = self.side(content)
        if not onlooker.sample:
            return await side.opens.preview(content, block, onlooker.who, moment, supposed)
        return self._sampled(side, block, moment, supposed)[0]

    async def picture(
        self,
        content: Content,
        block: Block,
        slot: int,
        onlooker: Onlooker,
        moment: Moment,
        supposed: Sequence[Event] = (),
    ) -> Picture:
        """Return the picture of a block's slot. Raises BadContent if it cannot be drawn, StoreUnavailable."""
        side = self.side(content)
        if not onlooker.sample:
            decision = await side.opens.preview(content, block, onlooker.who, moment, supposed)
            if decision.variant:
                return await side.opens.picture(content, decision, slot, moment, supposed, block)
            return await self.fallback(content, block)
        decision, sample, variant = self._sampled(side, block, moment, supposed)
        if variant is None:
            return await self.fallback(content, block)
        return await self._drawn(side, block, variant, decision, slot, moment, sample, supposed)

    async def variant(self, content: Content, block: Block, variant: Variant, moment: Moment) -> Picture | None:
        """Return the picture of one variant for the sample shopper, whoever and whenever it is for; None without one.

        Raises BadContent if it cannot be drawn.
        """
        variants = (replace(variant, when=(), schedule=None),)
        always = {"schedule": None, "paused": False, "archived": False}
        alone = replace(block, variants=variants, experiment=None, control="", **always)
        side = self.side(content)
        decision, sample, shown = self._sampled(side, alone, moment, ())
        if shown is None:
            return None
        return await self._drawn(side, alone, shown, decision, 1, moment, sample, ())

    async def fallback(self, content: Content, block: Block) -> Picture:
        """Return the picture of a block's fallback. Raises BadContent if it cannot be drawn."""
        image = content.images.get(block.fallback.image)
        return image if image is not None else await self._renderer.render(self._fallbacks.scene(block))

    def _sampled(
        self, side: Side, block: Block, moment: Moment, supposed: Sequence[Event]
    ) -> tuple[Decision, Shop, Variant | None]:
        """Return the sample shopper's decision, the sample shop of its variant, and that variant.

        Each variant is asked by itself: the sample shop of an app has the data of that app alone.
        """
        content, person, steps = side.content, shopper(moment.now, supposed), list[Step]()
        sample = replace(shop(moment.now), rules=content.rules)
        choice: Choice | None = None
        for variant in block.variants:
            app = side.apps.get(variant.app)
            apps = {variant.app: fed(app, variant)} if app is not None else {}
            sample = replace(shop(moment.now, apps.get(variant.app)), rules=content.rules)
            alone = replace(block, variants=(variant,))
            choice = choose(prepared(alone, apps, content.rules), person, moment, sample)
            if choice.variant is not None:
                break
            steps += choice.trace[:-1]
        if choice is None or choice.variant is None:
            choice = choose(prepared(bare(block), {}, content.rules), person, moment, sample)
            if block.variants and not closed(block, moment.now):
                choice = replace(choice, trace=(Step("", taken=True, why="fallback: no variant matches"),))
        decision = decide(
            block,
            choice,
            moment,
            sample.products,
            recipient="",
            decision_id="sample",
            allowed=lambda url: True,
            steps=tuple(steps),
        )
        return decision, sample, choice.variant

    async def _drawn(
        self,
        side: Side,
        block: Block,
        variant: Variant,
        decision: Decision,
        slot: int,
        moment: Moment,
        sample: Shop,
        supposed: Sequence[Event],
    ) -> Picture:
        template = side.opens.template_of(side.content, variant)
        if not template or (block.slots > 1 and decision.items and slot > len(decision.items)):
            return await self.fallback(side.content, block)
        person = shopper(moment.now, supposed)
        photos = {product.image_url for product in sample.products.values()}
        photos.update(each for each in decision.facts.get("photos", ()) if isinstance(each, str))
        photos.update(each.image_url for event in supposed for each in event.products if self._allowed(each.image_url))
        return await self._renderer.render(
            Scene(
                template,
                template_values(block, decision, slot, person, moment, sample.products, template),
                block.width,
                block.height,
                scale=moment.ratio,
                scheme=moment.scheme,
                transparent=block.transparent,
                photos=tuple(sorted(filter(None, photos))),
                engine=variant.engine,
                most_bytes=block.kilobytes * 1000,
            )
        )
