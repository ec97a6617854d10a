"""Trial: what a block would show before it goes live: one person, the sample shopper, all the people there are."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision, Variant
from wetink.core.blocks.coverage import Coverage, Seen, coverage
from wetink.core.blocks.decide import settled
from wetink.core.catalog.trust import shown
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.opens.gallery import sample_decision, sample_scene
from wetink.opens.missing_glyphs import named
from wetink.opens.open import Opens
from wetink.ports import Picture, Profiles, Renderer
from wetink.ports.feeds import Feeds

MOST, MOST_ASKING, SECONDS = 1_000, 20, 3.0
"""People that are looked at, those where each costs a call to a feed, and how long that may take in all."""


class Audit:
    """Tries blocks. Keeps and counts nothing."""

    def __init__(
        self,
        profiles: Profiles,
        opens: Opens,
        renderer: Renderer,
        feeds: Feeds,
        apps: Mapping[str, App],
        text_of: Callable[[Variant], str],
        allowed: Callable[[str], bool],
    ) -> None:
        """Use what opens use; `text_of` is the template of a variant, `allowed` tells which photos may be drawn."""
        self._profiles, self._opens, self._renderer, self._feeds = profiles, opens, renderer, feeds
        self._apps, self._text_of, self._allowed = apps, text_of, allowed

    async def tried(
        self,
        block: Block,
        who: Identifier | None,
        moment: Moment,
        settings: Mapping[str, Any],
        supposed: Sequence[Event] = (),
    ) -> tuple[Decision, Picture | None]:
        """Return what a block that is being made shows, None for nothing; without `who` to the sample shopper.

        `settings` are its only variant's; the `supposed` are as if they had happened, too.
        """
        app = self._apps[block.variants[0].app]
        if who is not None:
            decision = await self._opens.preview(block, who, moment, supposed)
            shown = await self._opens.picture(decision, 1, moment, block, supposed) if decision.variant else None
            return decision, shown
        _, decision = sample_decision(app, moment, settings, supposed)
        if not decision.variant:
            return decision, None
        template = self._text_of(block.variants[0])
        size = block.width, block.height
        scene = sample_scene(app, template, moment, settings, size=size, supposed=supposed, allowed=self._allowed)
        return decision, await self._renderer.render(scene)

    async def coverage(self, block: Block, moment: Moment) -> Coverage:
        """Return what a block would show the people heard from last. Raises StoreUnavailable.

        Where a feed is asked for each person, fewer of them are looked at.
        """
        until = time.monotonic() + SECONDS
        seen: list[Seen] = []
        for profile in await self._profiles.profiles(limit=MOST_ASKING if self._asks(block) else MOST):
            decision = await self._opens.preview(block, profile.root, moment)
            person = await self._opens.person(profile.root, moment.now)
            seen.append(Seen(decision, shown(person).traits))
            if time.monotonic() > until:
                break
            await asyncio.sleep(0)  # opens go first
        texts = {variant.name: self._text_of(variant) for variant in block.variants}
        found = coverage(block, seen, texts, self._renderer.missing)
        return replace(found, undrawn=tuple((named(char), people) for char, people in found.undrawn))

    def _asks(self, block: Block) -> bool:
        """Whether some variant draws on a feed that is asked for each person."""
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
