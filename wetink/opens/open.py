"""The open: who, what, and the picture of it. Whatever happens, there is an answer.

`Opens.open` answers a picture and `Opens.read` data; each looks up what there is to know, decides, counts, and draws.
`content` is what there is when somebody asks: it is handed to each call, and stays the same until the answer.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence

from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.app.app import App, Shop
from wetink.core.blocks.block import Block, Decision, Step, Variant, before, counts, decides, decision_id
from wetink.core.blocks.decide import choose, decide, prepared, requirements, subject_of
from wetink.core.catalog.trends import Trends
from wetink.core.errors import log_error
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person, clicked
from wetink.core.rules.evaluate import Finding
from wetink.core.rules.tree import Rule, with_locale
from wetink.core.signals.attribution import Touch
from wetink.opens.assignment import Assignments
from wetink.opens.drawing import Fallbacks, LastGood, Place, Scenes, home, recipient_of, still_running, watch
from wetink.opens.lookup import Lookup, Lookups, Open
from wetink.opens.polls import asks, voting_link
from wetink.opens.recipient import Seals
from wetink.ports import Comparison, Picture, Renderer, Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import Onlooker, Opened
from wetink.ports.outside import Feeds

logger = logging.getLogger(__name__)

DECISION_MS = 60_000
"""How long a decision lives, so that all slots of one email and its click agree."""
REMEMBERED = 50_000
"""Opens as data that are remembered, so that none is counted twice within that time."""


class Opens:
    """Answers opens, clicks and previews. Everything it needs is handed in."""

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
        """Take the storage, the apps with their own templates, and what else there is beside content."""
        self._ledger, self._archive, self._profiles = store.ledger, store.archive, store.profiles
        self._apps, self._trends, self._assignments, self._seals = apps, trends, assignments, seals
        self._allowed, self._fallbacks, self._deadline = allowed, fallbacks, deadline_ms / 1000
        self._renderer, self._lookups = renderer, Lookups(store, feeds)
        self._scenes, self._app_templates = Scenes(renderer, apps, allowed), app_templates
        self._last, self._read = LastGood(store.pictures), dict[Hashable, int]()

    def begin(self) -> Lookup:
        """Return what one open asks the store through, for whoever wants to know later whether that still stands."""
        return self._lookups.begin()

    def template_of(self, content: Content, shown: Decision | Variant) -> str:
        """Return the template that draws a decision or a variant, empty for a fallback or when it is gone."""
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
        """Return the picture of a block's slot for a recipient, None being nobody. Never raises.

        Nothing is kept of an open that is not `counted`.
        """
        block = content.blocks.get(name)
        if block is None:
            return self._fallbacks.blank()
        if slot > block.slots:
            return self._fallbacks.of(block)  # nothing stands there
        drawing = asyncio.create_task(self._opened(content, block, slot, who, moment, look, counted=counted))
        drawing.add_done_callback(_ended)  # over the deadline it goes on, for the next open
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.shield(drawing)
        except Exception as error:
            if drawing.done():
                log_error(logger, error, "%s shows a fallback", name)
            else:
                logger.warning("%s shows a fallback: the deadline passed in %s", name, still_running(drawing))
                watch(drawing, name)
            kept = await self._last.get(_place(block, slot, who, moment)) if who is not None else None
            picture = replace(kept or self._fallbacks.of(block), stopgap=True)
            return _counted(picture, name, "", who, moment, counted=counted)

    async def _opened(
        self,
        content: Content,
        block: Block,
        slot: int,
        who: Identifier | None,
        moment: Moment,
        look: Lookup | None,
        *,
        counted: bool,
    ) -> Picture:
        """Decide, count and draw."""
        asked = await self._begun(content, block, who, moment, look=look)
        decision, person = (
            await self._decide_and_count(asked, slot) if counted else (await self._decide(asked), asked.person)
        )
        picture = await self._draw(replace(asked, person=person), decision, slot)
        if who is not None and counted:
            self._last.put(_place(block, slot, who, moment), picture, moment.now)
        return _counted(picture, block.name, decision.variant, who, moment, counted=counted)

    async def _begun(
        self,
        content: Content,
        block: Block,
        who: Identifier | None,
        moment: Moment,
        supposed: Sequence[Event] = (),
        look: Lookup | None = None,
    ) -> Open:
        """Look up whoever asks, with their events if a rule wants them. Raises StoreUnavailable."""
        look = look or self.begin()
        mates = before(block, content.blocks.values()) if block.email else ()
        wanted = [prepared(each, self._apps, content.rules).needs.events for each in (block, *mates)]
        events = frozenset[str]().union(*wanted)
        person = await look.person(who, moment.now, events=events, supposed=supposed)
        return Open(content, look, block, mates, who, person, moment)

    async def _decide_and_count(self, asked: Open, slot: int) -> tuple[Decision, Person]:
        """Decide for an open of `slot`, keep the decision, count the open; return it with the person it is about.

        A kept decision that says the same is given as of now: whatever else its picture shows of the person is newer.
        What the block's policy gives its fallback is not kept, since others may ask within the minute.
        """
        block, who, moment = asked.block, asked.who, asked.moment
        if not decides(block.fetches, moment.fetch_class):
            return await self._decide_data(asked), asked.person
        fresh = await self._decide(asked, keep=True)
        if who is None:
            return fresh, asked.person
        by: Onlooker = "person" if counts(block.fetches, moment.fetch_class) else "machine"
        decision, first = await self._ledger.settle(fresh, slot, DECISION_MS, by)
        if first:
            await self._count("open", asked.content, block, decision, moment)
        if decision.says(fresh):
            return fresh, asked.person
        return decision, await asked.look.person(who, decision.at)

    async def _decide(self, asked: Open, *, keep: bool = False, expose: bool = False) -> Decision:
        """Decide, without the products that blocks before this one show in the same email.

        What was decided for those within the last minute stands. With `keep` what is decided here stands, too, so that
        they agree in whatever order their pictures are fetched.
        """
        who, moment, taken = asked.who, asked.moment, frozenset[str]()
        for mate in asked.mates:
            decision = await self._ledger.current(mate.name, str(who), moment.campaign) if who is not None else None
            if decision is None or not 0 <= moment.now - decision.at < DECISION_MS:
                decision = await self._decide_block(asked, mate, taken, keep=keep, expose=False)
                if keep and who is not None and decides(mate.fetches, moment.fetch_class):
                    decision, _ = await self._ledger.settle(decision, 0, DECISION_MS, "nobody")
            taken |= {item.key for item in decision.items}
        return await self._decide_block(asked, asked.block, taken, keep=keep, expose=expose)

    async def _decide_block(
        self, asked: Open, block: Block, taken: frozenset[str], *, keep: bool, expose: bool
    ) -> Decision:
        """Decide for one block: its arms, what its rules and apps need, the variant, and its products as of now."""
        content, look, who, person = asked.content, asked.look, asked.who, asked.person
        moment, arms, steps = with_locale(asked.moment, person), dict[str, str](), tuple[Step, ...]()
        counting = counts(block.fetches, moment.fetch_class)
        if not decides(block.fetches, moment.fetch_class):
            block = replace(block, variants=())
        elif block.experiment is not None or content.signals.holdout is not None:
            block, arms, steps = await self._assignments.of(asked, block, moment, keep=keep or expose)
        shop = Shop(self._trends, taken=taken, rules=content.rules)
        shop = await look.for_rules(prepared(block, self._apps, content.rules).needs, shop, person, who, moment)
        required = requirements(block, person, moment, self._apps, shop)
        if required.apps:
            shop = await look.for_apps(required, shop, block, person, who, moment)
        choice = choose(block, person, moment, self._apps, shop)
        promise = choice.shown.promise
        if keep and counting and who is not None and promise and dict(shop.promised) != dict(promise):
            shop = replace(shop, promised=await self._ledger.promise(block.name, str(who), promise))
            choice = choose(block, person, moment, self._apps, shop)
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

    async def _count(
        self, kind: str, content: Content, block: Block, decision: Decision, moment: Moment, *, once: bool = False
    ) -> None:
        fetch_class = moment.fetch_class or "unknown"
        if kind == "open":
            self._archive.keep(Opened(decision, moment, block, self.template_of(content, decision)))
        who, human = decision.recipient, counts(block.fetches, fetch_class)
        touch = Touch(kind, block.name, who, moment.campaign, moment.now, decision.variant, fetch_class, moment.facts)
        await self._ledger.record(replace(touch, human=human, arms=decision.arms, once=once))

    async def _draw(self, asked: Open, decision: Decision, slot: int, template: str = "") -> Picture:
        template = template or self.template_of(asked.content, decision)
        drawn = await self._scenes.draw(asked, decision, slot, template)
        return drawn if drawn is not None else self._fallbacks.of(asked.block)

    async def read(
        self, content: Content, block: Block, who: Identifier | None, moment: Moment, look: Lookup | None = None
    ) -> Decision:
        """Decide for an open as data and count the open, once a minute in all processes. Raises StoreUnavailable.

        It is not kept: data says itself where each product leads, so no later request has to agree with it.
        """
        return await self._decide_data(await self._begun(content, block, who, moment, look=look))

    async def _decide_data(self, asked: Open) -> Decision:
        decision, moment = await self._decide(asked, expose=True), asked.moment
        by = counts(asked.block.fetches, moment.fetch_class)
        place = decision.recipient, decision.block, moment.campaign, by
        if asked.who is not None and self._is_first(place, moment.now):
            await self._count("open", asked.content, asked.block, decision, moment, once=True)
        return decision

    def _is_first(self, place: Hashable, now: int) -> bool:
        """Whether nobody has read this within a minute before `now` (Unix ms), as far as this process knows."""
        at = self._read.get(place)
        if at is not None and 0 <= now - at < DECISION_MS:
            return False
        if len(self._read) >= REMEMBERED:
            self._read = {key: at for key, at in self._read.items() if now - at < DECISION_MS}
            if len(self._read) >= REMEMBERED:
                self._read.clear()
        self._read[place] = now
        return True

    async def destination(
        self, content: Content, name: str, slot: int, who: Identifier | None, moment: Moment, *, counted: bool = True
    ) -> str:
        """Return where a click on a slot goes: where the last served decision pointed. Never raises; empty: nowhere."""
        block = content.blocks.get(name)
        if block is None:
            return home(content.blocks)
        if slot > block.slots:
            return block.fallback.link
        try:
            moment = clicked(moment)
            served = None
            if who is not None and decides(block.fetches, moment.fetch_class):
                served = await self._ledger.current(name, str(who), moment.campaign)
            proves = counted and counts(block.fetches, moment.fetch_class)
            decision = served or await self.preview(content, block, who, moment, expose=proves)
            if who is not None and counted:
                await self._count("click", content, block, decision, moment)
            if who is not None and asks(self._apps, decision):
                return voting_link(block, slot, self._seals.seal(who, block.name, "vote"), moment.campaign)
            if not 1 <= slot <= len(decision.links):
                return block.fallback.link
            return await self._sold_out_link(block, decision, slot) or decision.links[slot - 1]
        except Exception as error:
            log_error(logger, error, "%s shows a fallback", name)
            return block.fallback.link

    async def _sold_out_link(self, block: Block, decision: Decision, slot: int) -> str:
        """Return where a click leads instead, when what it was to lead to cannot be bought any more."""
        if not block.gone or slot > len(decision.items):
            return ""
        item = decision.items[slot - 1]
        known = (await self.begin().products([item.key])).get(item.key)
        return block.gone if known is not None and not known.buyable else ""

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
        """Decide without keeping or counting anything, as if the `supposed` had happened, too.

        With `expose` the arms of experiments are kept all the same. Raises StoreUnavailable.
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
        """Draw a decision, for previews; `block` is one that the content does not have. Never raises."""
        block = block or content.blocks.get(decision.block)
        if block is None:
            return self._fallbacks.blank()
        try:
            return await self._draw(await self._past(content, block, decision, moment, supposed), decision, slot)
        except Exception as error:
            log_error(logger, error, "%s shows a fallback", block.name)
            return self._fallbacks.of(block)

    async def again(self, content: Content, opened: Opened, slot: int) -> Picture:
        """Draw what a past open got, with the template of then. Raises BadContent and StoreUnavailable."""
        asked = await self._past(content, opened.block, opened.decision, opened.moment)
        return await self._draw(asked, opened.decision, slot, opened.template)

    async def _past(
        self, content: Content, block: Block, decision: Decision, moment: Moment, supposed: Sequence[Event] = ()
    ) -> Open:
        """Return an open as it was when it was decided."""
        who, look = recipient_of(decision), self.begin()
        return Open(content, look, block, (), who, await look.person(who, decision.at, supposed=supposed), moment)

    async def warm(self, content: Content, block: Block, who: Identifier | None, moment: Moment) -> None:
        """Have drawn ahead what a block would show somebody now. Keeps and counts nothing. Raises StoreUnavailable."""
        asked = await self._begun(content, block, who, moment)
        decision = await self._decide(asked)
        for slot in range(1, block.slots + 1):
            await self._scenes.warm(asked, decision, slot, self.template_of(content, decision))

    async def compare(
        self, content: Content, block: Block, slot: int, who: Identifier | None, moment: Moment
    ) -> Comparison | None:
        """Return what a block shows beside the browser's picture of it, None when there is no browser or nothing shown.

        Raises BadContent and StoreUnavailable.
        """
        asked = await self._begun(content, block, who, moment)
        decision = await self._decide(asked)
        scene = await self._scenes.scene(asked, decision, slot, self.template_of(content, decision))
        return await self._renderer.compare(scene) if scene is not None else None

    async def person(self, who: Identifier, now: int) -> Person:
        """Return whoever `who` means, as of `now` (Unix ms), with all their identifiers. Raises StoreUnavailable."""
        person = await self.begin().person(who, now)
        profile = await self._profiles.profile(who, now) if person.known else None
        return replace(person, identifiers=profile.identifiers) if profile is not None else person

    async def explain(self, content: Content, rule: Rule, who: Identifier, moment: Moment) -> Finding:
        """Return whether a rule holds for whoever `who` means, and why, node by node. Raises StoreUnavailable."""
        asked, look = content.rules.of(rule), self.begin()
        person = await look.person(who, moment.now, events=asked.needs.events)
        moment = with_locale(moment, person)
        shop = await look.for_rules(asked.needs, Shop(self._trends), person, who, moment)
        return asked.explain(subject_of(person, moment, shop))


def _counted(
    picture: Picture, block: str, variant: str, who: Identifier | None, moment: Moment, *, counted: bool
) -> Picture:
    """Say on a picture what it is counted as when it is sent; nobody's and what is not counted are nothing."""
    if who is None or not counted:
        return picture
    return replace(picture, served=Served(block, variant, moment.campaign))


def _place(block: Block, slot: int, who: Identifier, moment: Moment) -> Place:
    """Return what tells the pictures from each other that a recipient may have been shown."""
    return block.name, slot, str(who), f"{moment.campaign}\0{moment.scheme}\0{moment.ratio}\0{moment.moving}"


def _ended(drawing: asyncio.Task[Picture]) -> None:
    """Look at how it ended: whoever asked may have gone."""
    if not drawing.cancelled():
        drawing.exception()
