"""Gallery: every app as it looks with the sample shopper, before there is any real data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.app.sample import SHOP, shop, shopper
from wetink.core.blocks.block import Block, Decision, Fallback, Variant
from wetink.core.blocks.decide import choose, decide
from wetink.core.events.event import Event
from wetink.core.profile.person import Moment
from wetink.opens.template_context import sight
from wetink.ports import Scene


def sample_decision(
    app: App,
    moment: Moment,
    settings: Mapping[str, Any] | None = None,
    supposed: Sequence[Event] = (),
) -> tuple[Block, Decision]:
    """Return what an app decides for the sample shopper; without `settings` by those of its sample.

    The decision has no variant when there is nothing to show, and its trace says why. The `supposed` are as if they
    had happened, too.
    """
    chosen = dict(app.sample.settings if settings is None else settings)
    block = Block("sample", Fallback(SHOP), (Variant("sample", app.name, settings=chosen),))
    person, there = shopper(moment.now, supposed), shop(moment.now, app)
    choice = choose(block, person, moment, {app.name: app}, there)
    return block, decide(
        block, choice, moment, there.products, recipient="", decision_id="sample", allowed=lambda url: True
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
    """Return the scene of an app's template with the sample shopper; `size` is in CSS pixels.

    Of the photos of what is `supposed` those are drawn that are `allowed`.
    """
    block, decision = sample_decision(app, moment, settings, supposed)
    block = replace(block, width=size[0], height=size[1])
    person, there = shopper(moment.now, supposed), shop(moment.now, app)
    photos = {product.image_url for product in there.products.values()}
    photos.update(each.image_url for event in supposed for each in event.products if allowed(each.image_url))
    return Scene(
        template,
        sight(block, decision, 1, person, moment, there.products),
        block.width,
        block.height,
        scale=scale,
        photos=tuple(sorted(photos)),
        scheme=moment.scheme,
    )
