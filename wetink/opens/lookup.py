"""Lookup: all that an open asks of the store and of feeds, each once while nothing new is appended anywhere."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from importlib.resources import files
from operator import attrgetter

import msgspec
from msgspec.structs import replace

from wetink.content.folder import Content
from wetink.core.app.app import Shop
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import Requirements, products_of
from wetink.core.blocks.experiment import Exposure
from wetink.core.catalog.price_history import FeedData
from wetink.core.catalog.trust import believed, doubtful, shown
from wetink.core.events.event import Event, Product
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import parameters_of
from wetink.core.profile.fold import fold, in_order
from wetink.core.profile.person import History, Moment, Person, plain
from wetink.core.profile.summary import person_of, summarize
from wetink.core.rules.evaluate import EVERY, Needs
from wetink.core.rules.tree import interests
from wetink.opens.polls import key_of
from wetink.ports import Profiles, Storage
from wetink.ports.feeds import Feeds

logger = logging.getLogger(__name__)

_TIME = attrgetter("at")

PEOPLE, PRODUCTS, EXPOSURES = 64, 20_000, 50_000
"""How many of each are kept: an email's pictures are asked for together, and any new message makes them stale."""
SLICE = 100
"""Messages whose senders are summed up in one go: some ten milliseconds."""
CODE = (
    "events/event",
    "identity/identifier",
    "profile/fold",
    "profile/person",
    "profile/summary",
)
"""The modules of the core that define a fold: when one of them changes, all summaries are computed again."""


def _rules() -> int:
    """Return what tells the rules of now from all others: a fold by other rules must not be believed."""
    code = [files("wetink.core").joinpath(f"{name}.py").read_bytes() for name in CODE]
    return int.from_bytes(blake2b(repr(code).encode(), digest_size=8).digest(), "big", signed=True)


RULES = _rules()


class Lookup:
    """The store at one version, as far as opens have asked for it; feeds as they are when asked."""

    def __init__(self, store: Storage, feeds: Feeds | None, version: int) -> None:
        """Read from these; without feeds no rule that needs one holds."""
        self._store, self._feeds, self.version = store, feeds, version
        self.exposures: dict[tuple[str, str], Exposure] = {}
        self._people: OrderedDict[Identifier, tuple[Person, bool]] = OrderedDict()
        self._products: dict[str, Product | None] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to begin with another one."""
        return len(self._products) > PRODUCTS or len(self.exposures) > EXPOSURES

    async def person(
        self,
        who: Identifier | None,
        now: int,
        *,
        events: frozenset[str] = frozenset(),
        supposed: Sequence[Event] = (),
    ) -> Person:
        """Return whoever `who` means, as of `now` (Unix ms), with nothing a browser's key alone could have made up.

        None is a stranger. They have their history if they did any of the `events` (see `Needs`); the `supposed` are as
        if they had happened, too. Without identifiers: no decision needs them. A fold of all there is stays right at
        any later time.
        """
        if supposed:
            entries = await self._store.profiles.entries(who, now) if who is not None else ()
            return await self._believed(fold([*entries, *supposed], now))
        if who is None:
            return Person()
        kept, whole = self._people.get(who, (None, False))
        if kept is not None and kept.last_seen <= now and (whole or not _did(kept, events)):
            return kept
        summed_up = _read(await self._store.profiles.summary(who, RULES))
        quiet = summed_up is not None and summed_up.last_seen <= now
        if summed_up is not None and quiet and not _did(summed_up, events):
            return self._kept(who, await self._believed(summed_up), whole=False)
        entries = await self._store.profiles.entries(who, FOREVER - 1)
        if summed_up is not None and quiet and _has_all(history := History(in_order(entries)), summed_up):
            return self._kept(who, replace(await self._believed(summed_up), history=history), whole=True)
        if max(map(_TIME, entries), default=0) <= now:
            return self._kept(who, await self._believed(fold(entries, now)), whole=True)
        # Some of it has not happened yet at `now`, and may belong to others then.
        return await self._believed(fold(await self._store.profiles.entries(who, now), now))

    def _kept(self, who: Identifier, person: Person, *, whole: bool) -> Person:
        self._people[who] = person, whole
        if len(self._people) > PEOPLE:
            self._people.popitem(last=False)
        return person

    async def _believed(self, person: Person) -> Person:
        keys = doubtful(person)
        return believed(person, await self._store.catalog.products(keys)) if keys else person

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        """Return the catalog's facts of these products; those it does not know are left out."""
        missing = [key for key in keys if key not in self._products]
        if missing:
            found = await self._store.catalog.products(missing)
            for key in missing:
                self._products[key] = found.get(key)
        return {key: known for key in keys if (known := self._products[key]) is not None}

    async def for_rules(self, needs: Needs, shop: Shop, person: Person, who: Identifier | None, moment: Moment) -> Shop:
        """Return the shop with what rules need of it. Raises StoreUnavailable."""
        if needs.root and who is not None and shop.root is None:
            shop = replace(shop, root=await self._store.profiles.resolve(who, moment.now))
        if needs.catalog:
            keys = list(dict.fromkeys(seen.product.key for seen in interests(person) if seen.product.key))
            products, history = await self.products(keys), await self._store.catalog.changes(keys)
            shop = replace(shop, products=products, history=history)
        if needs.feeds and self._feeds is not None:
            shop = replace(shop, feeds={name: await self._fed(name, person, moment) for name in sorted(needs.feeds)})
        return shop

    async def for_apps(
        self,
        required: Requirements,
        shop: Shop,
        block: Block,
        person: Person,
        who: Identifier | None,
        moment: Moment,
    ) -> Shop:
        """Return the shop with what the apps of a block require of it. Raises StoreUnavailable."""
        if required.queries:
            found = {query: tuple(await self._store.catalog.search(query)) for query in required.queries}
            shop = replace(shop, found=found)
        if required.feeds:
            fed = {name: await self._fed(name, person, moment) for name in required.feeds if name not in shop.feeds}
            shop = replace(shop, feeds={**shop.feeds, **fed})
        if required.polls:
            tallies = {name: await self._store.polls.tally(key_of(block.name, name), who) for name in required.polls}
            shop = replace(shop, polls=tallies)
        if required.promised and who is not None:
            shop = replace(shop, promised=await self._store.ledger.promised(block.name, str(who)))
        if required.contacts and who is not None:
            opened, clicked = await self._store.ledger.contacts(block.name, str(who))
            shop = replace(shop, opened=opened, clicked=clicked)
        keys, history = products_of(required, person, moment, shop)
        if keys:
            shop = replace(shop, products={**shop.products, **await self.products(keys)})
        if history:
            shop = replace(shop, history={**shop.history, **await self._store.catalog.changes(history)})
        return shop

    async def _fed(self, name: str, person: Person, moment: Moment) -> FeedData:
        if self._feeds is None:
            return FeedData()
        given, feed = self._feeds.give(name), self._feeds.declared(name)
        if feed is not None and feed.per_person is not None:
            seen = replace(shown(person), views=())
            known = {"person": plain(seen), "moment": msgspec.to_builtins(moment)}
            given = await self._feeds.ask(name, parameters_of(feed, known), feed.per_person.deadline_ms)
        fetched = moment.now - given.age_ms if given.age_ms is not None else 0
        return FeedData(given.items, fetched, f"{given.state}: {given.because}" if given.because else given.state)


def _read(summary: bytes | None) -> Person | None:
    """Return the person of a summary, None when there is none or it cannot be read."""
    try:
        return person_of(summary) if summary is not None else None
    except msgspec.DecodeError:
        logger.warning("a summary cannot be read; the events say it all the same", exc_info=True)
        return None


def _did(person: Person, events: frozenset[str]) -> bool:
    """Whether a rule that looks into these events would find any."""
    return EVERY in events or not events.isdisjoint(person.done)


def _has_all(history: History, person: Person) -> bool:
    """Whether a history has every event that a summary counts: none came or went between the two reads."""
    return all(len(history.named(name)) == len(times) for name, times in person.done.items())


class Open(msgspec.Struct, frozen=True):
    """One open and all there is to decide it from. `mates` are the blocks that choose before this one in its email."""

    content: Content
    look: Lookup
    block: Block
    mates: Sequence[Block]
    who: Identifier | None
    person: Person
    moment: Moment


class Lookups:
    """Gives each open the lookup of the newest version: opens of the same version share one."""

    def __init__(self, store: Storage, feeds: Feeds | None = None) -> None:
        """Read from these."""
        self._store, self._feeds = store, feeds
        self._newest: Lookup | None = None

    async def newest(self) -> Lookup:
        """Return what sees every event whose append has returned. Raises StoreUnavailable."""
        version, known = await self._store.log.version(), self._newest
        if known is None or known.version != version or known.full:
            known = self._newest = Lookup(self._store, self._feeds, version)
        return known


class Summaries:
    """Follows the log and sums up, ahead of their next open, those who have been quiet for a while."""

    def __init__(self, profiles: Profiles, clock_ms: Callable[[], int]) -> None:
        """Read from `profiles`, and keep there what was made."""
        self._profiles, self._clock = profiles, clock_ms

    async def step(self, limit: int = SLICE) -> bool:
        """Go on by some messages; return whether there may be more. Raises StoreUnavailable."""
        return await self._profiles.summarize(summarize, RULES, self._clock(), limit)
