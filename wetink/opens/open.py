"""The open: from recipient to decision to picture. Every open gets an answer.

`Opens.open` returns a picture and `Opens.read` returns data. Both look up the person, decide, and count. `content` is
the live content at the time of the call. It stays the same until the answer.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from time import perf_counter
from typing import Literal

from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.app.app import App, Shop
from wetink.core.blocks.block import DECISION_MS, Block, Decision, Step, Variant, before, counts, decides, decision_id
from wetink.core.blocks.decide import choose, decide, prepared, reduced, requirements, subject_of, with_locale
from wetink.core.catalog.trends import Trends
from wetink.core.errors import StoreUnavailable, log_error
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person, Views
from wetink.core.rules.evaluate import Finding
from wetink.core.rules.tree import Rule
from wetink.ending import seen
from wetink.opens.assignment import Assignments
from wetink.opens.counting import Counts
from wetink.opens.drawing import Fallbacks, LastGood, Scenes, counted_on_delivery, place_of, recipient_of, watch
from wetink.opens.lookup import Lookup, Lookups, Open
from wetink.opens.recipient import Seals
from wetink.ports import Comparison, Picture, Renderer, Storage
from wetink.ports.ledger import Onlooker, Opened
from wetink.ports.outside import Feeds
from wetink.telemetry.metrics import DECIDE, FALLBACKS, SETTLE, UNKNOWN_BLOCKS

logger = logging.getLogger(__name__)

STAND_IN_SHARE, PATIENCE = 0.5, 0.2
"""The part of the deadline after which an open without a decision asks for the one that stands, and how long that may
take, in seconds."""


class Opens:
    """Answers opens, clicks and previews."""

    def __init__(
        self,
        store: Storage,
        renderer: Renderer,
        fallbacks: Fallbacks,
        apps: Mapping[str, App],
        app_templates: Mapping[str, str],
        *,
        trends: Trends,
        assignments: Assignments,
        feeds: Feeds,
        allowed: Callable[[str], bool],
        seals: Seals,
        deadline_ms: int,
    ) -> None:
        """Take the storage, the apps with their own templates, and all services besides content."""
        self._ledger, self._profiles, self._counts = store.ledger, store.profiles, Counts(store)
        self._apps, self._trends, self._assignments, self._seals = apps, trends, assignments, seals
        self._allowed, self._fallbacks, self._deadline = allowed, fallbacks, deadline_ms / 1000
        self._renderer, self._lookups = renderer, Lookups(store, feeds)
        self._scenes, self._app_templates = Scenes(renderer, apps, allowed), app_templates
        self._last = LastGood(store.pictures)

    def beside(self, apps: Mapping[str, App], app_templates: Mapping[str, str]) -> "Opens":
        """Return the same service with other apps, such as those of drafts."""
        other = copy(self)
        other._apps, other._app_templates = apps, app_templates
        other._scenes = Scenes(self._renderer, apps, self._allowed)
        return other

    def begin(self) -> Lookup:
        """Return a lookup for one open. Its `stands` later reports whether the answer is still current."""
        return self._lookups.begin()

    def template_of(self, content: Content, shown: Decision | Variant) -> str:
        """Return the template of a decision or a variant; empty for a fallback or a missing template."""
        if shown.template:
            return content.templates.get(shown.template, "")
        return self._app_templates.get(shown.app, "")

    async def open(
        self,
        content: Content,
        name: str,
        slot: int,
        who: Identifier | None,
        moment: Moment,
        look: Lookup | None = None,
        *,
        counted: bool = True,
    ) -> Picture:
        """Return the picture of a block's slot for a recipient; None is an anonymous open. Never raises.

        An open that is not `counted` leaves no trace.
        """
        block = content.answering(name)
        if block is None:
            UNKNOWN_BLOCKS.add()
            return self._fallbacks.blank()
        if slot > block.slots:
            return self._fallbacks.of(block)  # this slot is always empty
        decided: list[Decision] = []
        drawing = asyncio.create_task(self._opened(content, block, slot, who, moment, look, decided, counted=counted))
        drawing.add_done_callback(seen)  # past the deadline, the drawing continues for the next open
        until = asyncio.get_running_loop().time() + self._deadline
        try:
            try:
                async with asyncio.timeout_at(until - self._deadline * STAND_IN_SHARE):
                    return await asyncio.shield(drawing)
            except (StoreUnavailable, TimeoutError) as error:
                async with asyncio.timeout_at(until):
                    standing = None if decided else await self._standing(block, who, moment)
                    if standing is not None and not decided:
                        drawing.cancel()
                        return await self._stand_in(content, block, slot, standing, moment, error, counted=counted)
                    return await asyncio.shield(drawing)
        except Exception as error:
            overdue = not drawing.done()
            if not overdue:
                log_error(logger, error, "%s shows a fallback", name)
            else:
                watch(drawing, name)
            kept = await self._last.get(place_of(block, slot, who, moment)) if who is not None else None
            FALLBACKS["last_good" if kept else "fallback", "deadline" if overdue else "error"].add()
            picture = replace(kept or self._fallbacks.of(block), stopgap=True)
            return counted_on_delivery(picture, name, "", who, moment, counted=counted)
        finally:
            del drawing  # its error keeps this frame: together with the task, a cycle with all that the open had read

    async def _opened(
        self,
        content: Content,
        block: Block,
        slot: int,
        who: Identifier | None,
        moment: Moment,
        look: Lookup | None,
        decided: list[Decision],
        *,
        counted: bool,
    ) -> Picture:
        """Decide, count and draw. Once there is a decision, it is in `decided`."""
        open_ = await self._begun(content, block, who, moment, look=look)
        decision, person = (
            await self._decide_and_count(open_, slot) if counted else (await self._decide(open_), open_.person)
        )
        decided.append(decision)
        picture = await self._draw(replace(open_, person=person), decision, slot)
        if who is not None and counted:
            self._last.put(place_of(block, slot, who, moment), picture, moment.now)
        return counted_on_delivery(picture, block.name, decision.variant, who, moment, counted=counted)

    async def _standing(self, block: Block, who: Identifier | None, moment: Moment) -> Decision | None:
        """Return the decision that other pictures of the same email show, if it can be had without the store."""
        if who is None or not decides(block.fetches, moment.fetch_class):
            return None
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return await self._ledger.current(block.name, str(who), moment.campaign, moment.now - DECISION_MS)
        return None

    async def _stand_in(
        self,
        content: Content,
        block: Block,
        slot: int,
        standing: Decision,
        moment: Moment,
        why: Exception,
        *,
        counted: bool,
    ) -> Picture:
        """Draw a decision without the store, and count the open: so its pictures and its click agree."""
        log_error(logger, why, "%s shows a decision of the last minute", block.name)
        FALLBACKS["decision", "deadline" if isinstance(why, TimeoutError) else "error"].add()
        who = recipient_of(standing)
        open_ = Open(content, self.begin(), block, (), who, self._lookups.remembered(who), moment)
        if counted:
            by: Onlooker = "person" if counts(block.fetches, moment.fetch_class) else "machine"
            standing, first = await self._ledger.settle(standing, slot, DECISION_MS, by)
            if first:
                await self._count("open", open_, standing)
        picture = replace(await self._draw(open_, standing, slot), stopgap=True)
        return counted_on_delivery(picture, block.name, standing.variant, who, moment, counted=counted)

    async def _begun(
        self,
        content: Content,
        block: Block,
        who: Identifier | None,
        moment: Moment,
        supposed: Sequence[Event] = (),
        look: Lookup | None = None,
        *,
        brief: bool = False,
    ) -> Open:
        """Look up the person, with their events if a rule needs them. Raises StoreUnavailable."""
        look, ready = look or self.begin(), prepared(block, self._apps, content.rules)
        mates = before(block, content.blocks.values()) if block.email else ()
        events, brief = ready.needs.events, brief and ready.brief  # then older views and the history may be missing
        for mate in [prepared(each, self._apps, content.rules) for each in mates]:
            events, brief = events | mate.needs.events, brief and mate.brief
        person = await look.person(who, moment.now, events=events, brief=brief, supposed=supposed)
        return Open(content, look, block, mates, who, person, moment)

    async def _decide_and_count(self, open_: Open, slot: int) -> tuple[Decision, Person]:
        """Decide for an open of `slot`, store the decision, and count the open. Returns the decision and its person.

        If the stored decision shows the same, the fresh one is returned, since the rest of its picture is newer. A
        fallback due to the block's policy on fetch classes is not stored, since a person may open within the minute.
        """
        block, who, moment = open_.block, open_.who, open_.moment
        if not decides(block.fetches, moment.fetch_class):
            return await self._decide_data(open_), open_.person
        fresh = await self._decide(open_, keep=True)
        if who is None:
            return fresh, open_.person
        by: Onlooker = "person" if counts(block.fetches, moment.fetch_class) else "machine"
        begun = perf_counter()
        decision, first = await self._ledger.settle(fresh, slot, DECISION_MS, by)
        SETTLE.since(begun)
        if first:
            await self._count("open", open_, decision)
        if decision.says(fresh):
            return fresh, open_.person
        return decision, await open_.look.person(who, decision.at)

    async def _decide(self, open_: Open, *, keep: bool = False, expose: bool = False) -> Decision:
        """Decide, without the products that earlier blocks show in the same email.

        A decision for those blocks within the last minute holds. With `keep`, those made here hold as well, so that
        pictures agree in whatever order they are fetched.
        """
        begun, who, moment, taken = perf_counter(), open_.who, open_.moment, frozenset[str]()
        for mate in open_.mates:
            decision = await self._ledger.current(mate.name, str(who), moment.campaign) if who is not None else None
            if decision is None or abs(moment.now - decision.at) >= DECISION_MS:
                decision = await self._decide_block(open_, mate, taken, keep=keep, expose=False)
                if keep and who is not None and decides(mate.fetches, moment.fetch_class):
                    decision, _ = await self._ledger.settle(decision, 0, DECISION_MS, "nobody")
            taken |= {item.key for item in decision.items}
        decision = await self._decide_block(open_, open_.block, taken, keep=keep, expose=expose)
        DECIDE.since(begun)
        return decision

    async def _decide_block(
        self, open_: Open, block: Block, taken: frozenset[str], *, keep: bool, expose: bool
    ) -> Decision:
        """Decide for one block: arms, data for rules and apps, the variant, and its products with current data."""
        content, look, who, person = open_.content, open_.look, open_.who, open_.person
        moment, arms, steps = with_locale(open_.moment, person), dict[str, str](), tuple[Step, ...]()
        counting = counts(block.fetches, moment.fetch_class)
        if (rest := reduced(block, moment)) is not block:
            block = rest
        elif block.experiment is not None or content.signals.holdout is not None:
            block, arms, steps = await self._assignments.of(open_, block, moment, keep=keep or expose)
        shop = Shop(self._trends, taken=taken, rules=content.rules, curation=content.curation)
        ready = prepared(block, self._apps, content.rules)
        shop = await look.for_rules(ready.needs, shop, person, who, moment)
        required = requirements(ready, person, moment, shop)
        if required.apps:
            shop = await look.for_apps(required, shop, block, person, who, moment)
        choice = choose(ready, person, moment, shop)
        promise = choice.shown.promise
        if keep and counting and who is not None and promise and dict(shop.promised) != dict(promise):
            shop = replace(shop, promised=await self._ledger.promise(block.first_name, str(who), promise))
            choice = choose(ready, person, moment, shop)
        recipient = str(who) if who is not None else ""
        return decide(
            block,
            choice,
            moment,
            await look.products(choice.wanted) if choice.shown.items else {},
            recipient=recipient,
            decision_id=decision_id(block.name, recipient, moment.campaign, moment.now),
            allowed=self._allowed,
            arms=arms,
            steps=steps,
        )

    async def _count(self, kind: Literal["open"], open_: Open, decision: Decision, *, once: bool = False) -> None:
        template = self.template_of(open_.content, decision)
        await self._counts.count(kind, open_.block, decision, open_.moment, template, once=once)

    async def _draw(self, open_: Open, decision: Decision, slot: int, template: str = "") -> Picture:
        template = template or self.template_of(open_.content, decision)
        drawn = await self._scenes.draw(open_, decision, slot, template)
        return drawn if drawn is not None else self._fallbacks.of(open_.block)

    async def read(
        self, content: Content, block: Block, who: Identifier | None, moment: Moment, look: Lookup | None = None
    ) -> Decision:
        """Decide for an open as data and count the open, once a minute across processes. Raises StoreUnavailable.

        The decision is not stored: the data has each product's link, so no later request has to agree with it.
        """
        return await self._decide_data(await self._begun(content, block, who, moment, look=look, brief=True))

    async def _decide_data(self, open_: Open) -> Decision:
        decision, moment = await self._decide(open_, expose=True), open_.moment
        if isinstance(open_.person.views, Views) and open_.person.views.cut:  # an app would have read older ones
            open_ = replace(open_, person=await open_.look.person(open_.who, moment.now))
            decision = await self._decide(open_, expose=True)
        by = counts(open_.block.fetches, moment.fetch_class)
        place = decision.recipient, decision.block, moment.campaign, by
        if open_.who is not None and self._counts.is_first(place, moment.now):
            await self._count("open", open_, decision, once=True)
        return decision

    async def preview(
        self,
        content: Content,
        block: Block,
        who: Identifier | None,
        moment: Moment,
        supposed: Sequence[Event] = (),
        *,
        expose: bool = False,
    ) -> Decision:
        """Decide without storing or counting anything. The `supposed` events count as if they had happened.

        With `expose`, arms of experiments are stored even so. Raises StoreUnavailable.
        """
        return await self._decide(await self._begun(content, block, who, moment, supposed), expose=expose)

    async def picture(
        self,
        content: Content,
        decision: Decision,
        slot: int,
        moment: Moment,
        supposed: Sequence[Event] = (),
        block: Block | None = None,
    ) -> Picture:
        """Return the picture of a decision, for previews. `block` may be one that the content lacks. Never raises."""
        block = block or content.answering(decision.block)
        if block is None:
            return self._fallbacks.blank()
        try:
            return await self._draw(await self._past(content, block, decision, moment, supposed), decision, slot)
        except Exception as error:
            log_error(logger, error, "%s shows a fallback", block.name)
            return self._fallbacks.of(block)

    async def again(self, content: Content, opened: Opened, slot: int) -> Picture:
        """Draw a past open again, with the template of that time. Raises BadContent and StoreUnavailable."""
        open_ = await self._past(content, opened.block, opened.decision, opened.moment)
        return await self._draw(open_, opened.decision, slot, opened.template)

    async def _past(
        self, content: Content, block: Block, decision: Decision, moment: Moment, supposed: Sequence[Event] = ()
    ) -> Open:
        """Return an open with the person as of its decision."""
        who, look = recipient_of(decision), self.begin()
        return Open(content, look, block, (), who, await look.person(who, decision.at, supposed=supposed), moment)

    async def warm(self, content: Content, block: Block, who: Identifier | None, moment: Moment) -> None:
        """Draw a block's current pictures for a recipient ahead. Stores and counts nothing. Raises StoreUnavailable."""
        open_ = await self._begun(content, block, who, moment)
        decision = await self._decide(open_)
        for slot in range(1, block.slots + 1):
            await self._scenes.warm(open_, decision, slot, self.template_of(content, decision))

    async def compare(
        self, content: Content, block: Block, slot: int, who: Identifier | None, moment: Moment
    ) -> Comparison | None:
        """Return a block's picture next to the browser's rendering; None without a browser or if nothing is shown.

        Raises BadContent and StoreUnavailable.
        """
        open_ = await self._begun(content, block, who, moment)
        decision = await self._decide(open_)
        scene = await self._scenes.scene(open_, decision, slot, self.template_of(content, decision))
        return await self._renderer.compare(scene) if scene is not None else None

    async def person(self, who: Identifier, now: int) -> Person:
        """Return the person behind `who` as of `now` (Unix ms), with all identifiers. Raises StoreUnavailable."""
        person = await self.begin().person(who, now)
        profile = await self._profiles.profile(who, now) if person.known else None
        return replace(person, identifiers=profile.identifiers) if profile is not None else person

    async def explain(self, content: Content, rule: Rule, who: Identifier, moment: Moment) -> Finding:
        """Return whether a rule matches the person behind `who`, with reasons by node. Raises StoreUnavailable."""
        compiled, look = content.rules.of(rule), self.begin()
        person = await look.person(who, moment.now, events=compiled.needs.events)
        moment = with_locale(moment, person)
        shop = await look.for_rules(compiled.needs, Shop(self._trends), person, who, moment)
        return compiled.explain(subject_of(person, moment, shop))
