"""The open: who, what, and the picture of it. Whatever happens, there is an answer."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.app.app_inputs import Shop
from wetink.core.blocks import policy
from wetink.core.blocks.block import Block, Decision, before, decision_id
from wetink.core.blocks.decide import choose, decide
from wetink.core.blocks.locale import at_home
from wetink.core.catalog.trends import Trends
from wetink.core.errors import WetinkError
from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person, clicked
from wetink.core.rules.evaluate import Finding
from wetink.core.rules.tree import Rule
from wetink.core.signals.interaction import Touch
from wetink.opens.app_inputs import Shops
from wetink.opens.assignment import Assigned, Assignments
from wetink.opens.dedupe import Dedupe
from wetink.opens.fallback import Fallbacks
from wetink.opens.last_good import LastGood, Place
from wetink.opens.live_content import Shelf
from wetink.opens.overdue import still_running, watch
from wetink.opens.products import Catalog
from wetink.opens.profiles import People
from wetink.opens.render_request import Scenes
from wetink.opens.template_context import recipient_of
from wetink.ports import Comparison, Picture, Renderer, Storage
from wetink.ports.archive import Opened
from wetink.ports.feeds import Feeds
from wetink.ports.ledger import Onlooker, Served

logger = logging.getLogger(__name__)

DECISION_MS = 60_000
"""How long a decision lives, so that all slots of one email and its click agree."""


class Opens:
    """Answers opens, clicks and previews. Everything it needs is handed in."""

    def __init__(
        self,
        store: Storage,
        renderer: Renderer,
        *,
        apps: Mapping[str, App],
        app_templates: Mapping[str, str],
        shelf: Callable[[], Shelf],
        trends: Trends,
        arms: Assignments,
        feeds: Feeds,
        allowed: Callable[[str], bool],
        fallbacks: Fallbacks,
        ballot: Callable[[Block, int, Identifier, Moment], str],
        deadline_ms: int,
    ) -> None:
        """Take the storage, the apps with their own templates, and a look at the shelf of content.

        `ballot` is where somebody votes on what a block asks in a slot.
        """
        self._store, self._ledger, self._archive, self._renderer = store, store.ledger, store.archive, renderer
        self._apps, self._shelf = apps, shelf
        self._allowed, self._fallbacks, self._deadline = allowed, fallbacks, deadline_ms / 1000
        self._ballot, self._arms = ballot, arms
        self._people, self._catalog = People(store), Catalog(store)
        self._shops = Shops(store, self._catalog, trends, feeds, lambda: shelf().rules)
        self._scenes = Scenes(
            store.catalog,
            renderer,
            self.person,
            apps=apps,
            app_templates=app_templates,
            templates=lambda: shelf().templates,
            allowed=allowed,
        )
        self._once, self._last = Dedupe(DECISION_MS), LastGood(store.pictures)
        self.troubles = 0

    async def person(self, who: Identifier | None, now: int, supposed: Sequence[Event] = ()) -> Person:
        """Return whoever `who` means, as of `now`, with all their identifiers, as if the `supposed` had happened, too.

        Raises StoreUnavailable.
        """
        person = await self._person(who, now, supposed)
        profile = await self._store.profiles.profile(who, now) if who is not None and person.known else None
        return replace(person, identifiers=profile.identifiers) if profile is not None else person

    async def explain(self, rule: Rule, who: Identifier, moment: Moment) -> Finding:
        """Return whether a rule holds for whoever `who` means, and why. Raises StoreUnavailable."""
        person = await self._people.person(who, moment.now)
        return await self._shops.explain(rule, person, who, at_home(moment, person))

    async def _person(self, who: Identifier | None, now: int, supposed: Sequence[Event] = ()) -> Person:
        if supposed:
            return await self._people.supposed(who, now, supposed)
        return await self._people.person(who, now) if who is not None else Person()

    async def preview(
        self,
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
        person = await self._person(who, moment.now, supposed)
        taken = await self._taken(block, person, who, moment, keep=False) if block.email else frozenset[str]()
        return await self._decided(block, person, who, moment, taken, expose=expose)

    async def _decided(
        self,
        block: Block,
        person: Person,
        who: Identifier | None,
        moment: Moment,
        taken: frozenset[str],
        *,
        keep: bool = False,
        expose: bool = False,
    ) -> Decision:
        moment = at_home(moment, person)
        assigned = Assigned(block, {}, ())
        if not policy.decides(block.fetches, moment.taken_for):
            block = replace(block, variants=())
        elif self._arms.concerns(block):
            assigned = await self._arms.of(block, who, moment, keep=keep or expose)
            block = assigned.block
        shop = await self._shops.of(block, person, who, moment, self._apps, taken)
        if who is not None:
            shop = await self._remembered(block, shop, str(who))
        choice = choose(block, person, moment, self._apps, shop)
        if (
            keep
            and policy.counts(block.fetches, moment.taken_for)
            and who is not None
            and choice.shown.promise
            and dict(shop.promised) != dict(choice.shown.promise)
        ):
            shop = replace(shop, promised=await self._ledger.promise(block.name, str(who), choice.shown.promise))
            choice = choose(block, person, moment, self._apps, shop)
        catalog = await self._catalog.products(choice.wanted) if choice.shown.items else {}
        recipient = str(who) if who is not None else ""
        return decide(
            block,
            choice,
            moment,
            catalog,
            recipient=recipient,
            decision_id=decision_id(block.name, recipient, moment.campaign, moment.now),
            allowed=self._allowed,
            arms=assigned.arms,
            steps=assigned.steps,
        )

    async def _remembered(self, block: Block, shop: Shop, who: str) -> Shop:
        """Return the shop with what is remembered of this block and person, as far as its apps ask for it."""
        promises = contacts = False
        for variant in block.variants:
            app = self._apps.get(variant.app)
            if app is not None:
                promises, contacts = promises or app.promises, contacts or app.contacts
        if promises:
            shop = replace(shop, promised=await self._ledger.promised(block.name, who))
        if contacts:
            opened, clicked = await self._ledger.contacts(block.name, who)
            shop = replace(shop, opened=opened, clicked=clicked)
        return shop

    async def _taken(
        self, block: Block, person: Person, who: Identifier | None, moment: Moment, *, keep: bool
    ) -> frozenset[str]:
        """Return the keys of the products that blocks before this one show in the same email.

        What was decided for them within the last minute stands. With `keep` what is decided here stands, too, so that
        they agree in whatever order their pictures are fetched.
        """
        taken: frozenset[str] = frozenset()
        for mate in before(block, self._shelf().blocks.values()):
            decision = await self._ledger.current(mate.name, str(who), moment.campaign) if who is not None else None
            if decision is None or not 0 <= moment.now - decision.at < DECISION_MS:
                decision = await self._decided(mate, person, who, moment, taken, keep=keep)
                if keep and who is not None and policy.decides(mate.fetches, moment.taken_for):
                    decision, _ = await self._ledger.settle(decision, 0, DECISION_MS, "nobody")
            taken |= {item.key for item in decision.items}
        return taken

    async def read(self, block: Block, who: Identifier | None, moment: Moment) -> Decision:
        """Decide for an open as data and count the open, once a minute in all processes. Raises StoreUnavailable.

        It is not kept: data says itself where each product leads, so no later request has to agree with it.
        """
        decision = await self.preview(block, who, moment, expose=True)
        by = policy.counts(block.fetches, moment.taken_for)
        if who is not None and self._once.first((decision.recipient, block.name, moment.campaign, by), moment.now):
            await self._count(block, "open", decision, moment, once=True)
        return decision

    async def settle(self, block: Block, slot: int, who: Identifier | None, moment: Moment) -> Decision:
        """Decide for an open of `slot`, keep the decision, count the open. Raises StoreUnavailable.

        A kept decision that says the same is given as of now: whatever else its picture shows of the person is newer.
        What the block's policy gives its fallback is not kept, since others may ask within the minute.
        """
        if not policy.decides(block.fetches, moment.taken_for):
            return await self.read(block, who, moment)
        person = await self._person(who, moment.now)
        taken = await self._taken(block, person, who, moment, keep=True) if block.email else frozenset[str]()
        fresh = await self._decided(block, person, who, moment, taken, keep=True)
        if who is None:
            return fresh
        by: Onlooker = "person" if policy.counts(block.fetches, moment.taken_for) else "machine"
        decision, first = await self._ledger.settle(fresh, slot, DECISION_MS, by)
        if first:
            await self._count(block, "open", decision, moment)
        return fresh if decision.says(fresh) else decision

    async def _count(self, block: Block, kind: str, decision: Decision, moment: Moment, *, once: bool = False) -> None:
        taken_for = moment.taken_for or "unknown"
        if kind == "open":
            self._archive.keep(Opened(decision, moment, block, self._scenes.template(decision) or ""))
        await self._ledger.record(
            Touch(
                kind,
                decision.block,
                decision.recipient,
                moment.campaign,
                moment.now,
                decision.variant,
                taken_for,
                moment.facts,
                human=policy.counts(block.fetches, taken_for),
                arms=decision.arms,
                once=once,
            )
        )

    async def open(
        self, name: str, slot: int, who: Identifier | None, moment: Moment, *, counted: bool = True
    ) -> Picture:
        """Return the picture of a block's slot for a recipient, None being nobody. Never raises.

        Nothing is kept of an open that is not `counted`.
        """
        block = self._shelf().blocks.get(name)
        if block is None:
            return self._fallbacks.blank()
        if slot > block.slots:
            return self._fallbacks.of(block)  # nothing stands there
        place = (name, slot, str(who), f"{moment.campaign}\0{moment.scheme}\0{moment.ratio}\0{moment.moving}")
        drawing = asyncio.create_task(self._drawn(block, slot, who, moment, place, counted=counted))
        drawing.add_done_callback(_ended)  # over the deadline it goes on, for the next open
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.shield(drawing)
        except Exception as error:
            if drawing.done():
                _tell(error, name)
            else:
                logger.warning("%s shows what it can: the deadline passed in %s", name, still_running(drawing))
                watch(drawing, name)
            self.troubles += 1
            kept = await self._last.get(place) if who is not None else None
            return _counted(kept or self._fallbacks.of(block), name, "", who, moment, counted=counted)

    async def _drawn(
        self, block: Block, slot: int, who: Identifier | None, moment: Moment, place: Place, *, counted: bool
    ) -> Picture:
        decision = await (self.settle(block, slot, who, moment) if counted else self.preview(block, who, moment))
        picture = await self._draw(block, decision, slot, who, moment)
        if who is not None and counted:
            self._last.put(place, picture, moment.now)
        return _counted(picture, block.name, decision.variant, who, moment, counted=counted)

    async def picture(
        self, decision: Decision, slot: int, moment: Moment, block: Block | None = None, supposed: Sequence[Event] = ()
    ) -> Picture:
        """Draw a decision, for previews; `block` is one that is not on the shelf. Never raises."""
        block = block or self._shelf().blocks.get(decision.block)
        if block is None:
            return self._fallbacks.blank()
        try:
            who = recipient_of(decision)
            return await self._draw(block, decision, slot, who, moment, supposed=supposed)
        except Exception as error:
            _tell(error, block.name)
            return self._fallbacks.of(block)

    async def again(self, opened: Opened, slot: int) -> Picture:
        """Draw what a past open got, with the template of then. Raises BadContent and StoreUnavailable."""
        who = recipient_of(opened.decision)
        return await self._draw(opened.block, opened.decision, slot, who, opened.moment, opened.template)

    async def destination(
        self, name: str, slot: int, who: Identifier | None, moment: Moment, *, counted: bool = True
    ) -> str:
        """Return where a click on a slot goes: where the last served decision pointed. Never raises; empty: nowhere."""
        block = self._shelf().blocks.get(name)
        if block is None:
            return self._fallbacks.home()
        if slot > block.slots:
            return block.fallback.link
        try:
            moment = clicked(moment)
            served = None
            if who is not None and policy.decides(block.fetches, moment.taken_for):
                served = await self._ledger.current(name, str(who), moment.campaign)
            proves = counted and policy.counts(block.fetches, moment.taken_for)
            decision = served or await self.preview(block, who, moment, expose=proves)
            if who is not None and counted:
                await self._count(block, "click", decision, moment)
            if who is not None and self._asks(decision):
                return self._ballot(block, slot, who, moment)
            if not 1 <= slot <= len(decision.links):
                return block.fallback.link
            return await self._substitute(block, decision, slot) or decision.links[slot - 1]
        except Exception as error:
            _tell(error, name)
            return block.fallback.link

    async def _substitute(self, block: Block, decision: Decision, slot: int) -> str:
        """Return where a click leads instead, when what it was to lead to cannot be bought any more."""
        if not block.gone or slot > len(decision.items):
            return ""
        item = decision.items[slot - 1]
        known = (await self._catalog.products([item.key])).get(item.key)
        return block.gone if known is not None and not known.buyable else ""

    async def warm(self, block: Block, who: Identifier | None, moment: Moment) -> None:
        """Have drawn ahead what a block would show somebody now. Keeps and counts nothing. Raises StoreUnavailable."""
        decision = await self.preview(block, who, moment)
        for slot in range(1, block.slots + 1):
            await self._scenes.warm(block, decision, slot, who, moment)

    async def compare(self, block: Block, slot: int, who: Identifier | None, moment: Moment) -> Comparison | None:
        """Return what a block shows beside the browser's picture of it, None when there is no browser or nothing shown.

        Raises BadContent and StoreUnavailable.
        """
        decision = await self.preview(block, who, moment)
        scene = await self._scenes.scene(block, decision, slot, who, moment)
        return await self._renderer.compare(scene) if scene is not None else None

    async def _draw(
        self,
        block: Block,
        decision: Decision,
        slot: int,
        who: Identifier | None,
        moment: Moment,
        template: str | None = None,
        supposed: Sequence[Event] = (),
    ) -> Picture:
        drawn = await self._scenes.draw(block, decision, slot, who, moment, template, supposed)
        return drawn if drawn is not None else self._fallbacks.of(block)

    def _asks(self, decision: Decision) -> bool:
        app = self._apps.get(decision.app)
        return app is not None and app.poll is not None and decision.facts.get("open") is True


def _counted(
    picture: Picture, block: str, variant: str, who: Identifier | None, moment: Moment, *, counted: bool
) -> Picture:
    """Say on a picture what it is counted as when it is sent; nobody's and what is not counted are nothing."""
    if who is None or not counted:
        return picture
    return replace(picture, served=Served(block, variant, moment.campaign))


def _ended(drawing: asyncio.Task[Picture]) -> None:
    """Look at how it ended: whoever asked may have gone."""
    if not drawing.cancelled():
        drawing.exception()


def _tell(error: Exception, block: str) -> None:
    if isinstance(error, WetinkError | TimeoutError):
        logger.warning("%s shows what it can: %s", block, str(error) or "the deadline passed")
    else:
        logger.error("%s shows what it can", block, exc_info=error)
