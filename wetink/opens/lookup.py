"""Lookup: all reads of an open from the store and from feeds."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from importlib.resources import files
from time import perf_counter
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.app.app import Shop
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import Requirements, products_of
from wetink.core.blocks.experiment import Exposure
from wetink.core.catalog.catalog import FeedData
from wetink.core.catalog.trust import believed, doubtful, shown
from wetink.core.events.event import Event, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import parameters_of
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Cart, Moment, Person, plain
from wetink.core.profile.summary import person_of, summarize
from wetink.core.rules.evaluate import EVERY, Needs
from wetink.core.rules.tree import interests
from wetink.opens.polls import key_of
from wetink.ports import Loaded, Profiles, Revision, Storage
from wetink.ports.outside import Feeds
from wetink.telemetry.metrics import LOAD

logger = logging.getLogger(__name__)
T = TypeVar("T")

PEOPLE = 64
"""People that opens share in memory: the pictures of one email are fetched together."""
SLICE = 100
"""Messages whose senders are summarized in one step, which takes about ten milliseconds."""
CODE = (
    "events/event",
    "identity/identifier",
    "profile/fold",
    "profile/history",
    "profile/person",
    "profile/summary",
)
"""The core modules that define a fold. If one of them changes, all summaries are computed again."""


def _rules() -> int:
    """Return the version of the fold's rules: a summary computed by other rules is not used."""
    code = [files("wetink.core").joinpath(f"{name}.py").read_bytes() for name in CODE]
    return int.from_bytes(blake2b(repr(code).encode(), digest_size=8).digest(), "big", signed=True)


RULES = _rules()


class Known(msgspec.Struct, gc=False):
    """A person as folded from one revision of their profile. `whole` means that the events are included.

    `brief` means that older views and the history may be missing. `exposures` are those that opens have found since, by
    experiment and recipient.
    """

    root: Identifier
    revision: Revision
    person: Person
    whole: bool
    brief: bool
    exposures: dict[tuple[str, str], Exposure]


class Lookup:
    """All reads of one open from the store and from feeds. It remembers the store's answers."""

    def __init__(self, store: Storage, feeds: Feeds | None, people: OrderedDict[Identifier, Known]) -> None:
        """Read from these. Without feeds, no rule that needs one matches. `people` are shared with other opens."""
        self._store, self._feeds, self._people = store, feeds, people
        self._answers: list[tuple[Callable[[], Awaitable[object]], object]] = []
        self._revisions: dict[Identifier, Revision] = {}
        self.exposures: dict[tuple[str, str], Exposure] = {}

    async def stands(self, now: int) -> bool:
        """Return whether the store would give the same answers at `now` (Unix ms). Raises StoreUnavailable."""
        if self._revisions and await self._store.profiles.load(self._revisions, now, rules=RULES):
            return False
        for ask, answer in self._answers:
            if await ask() != answer:
                return False
        return True

    async def _read(self, ask: Callable[[], Awaitable[T]]) -> T:
        answer = await ask()
        self._answers.append((ask, answer))
        return answer

    async def person(
        self,
        who: Identifier | None,
        now: int,
        *,
        events: frozenset[str] = frozenset(),
        brief: bool = False,
        supposed: Sequence[Event] = (),
    ) -> Person:
        """Return the person behind `who` as of `now` (Unix ms), without facts that only a browser's key supports.

        None is a stranger. The person includes the events if they did any of the `events` (see `Needs`). With `brief`,
        they may lack older views (see `Views.cut`), and products and orders of past events. The `supposed` events count
        as if they had happened. Identifiers are left out, since no decision needs them.
        """
        if supposed:
            entries = (await self._loaded(who, now)).entries if who is not None else ()
            return await self._believed(fold([*entries, *supposed], now))
        if who is None:
            return Person()
        known = self._people.get(who)
        if known is not None and ((known.brief and not brief) or (not known.whole and _did(known.person, events))):
            known = None
        revision = known.revision if known is not None else ""
        begun = perf_counter()
        loaded = (await self._store.profiles.load({who: revision}, now, rules=RULES, brief=brief)).get(who)
        LOAD.since(begun)
        if known is None or loaded is not None:
            assert loaded is not None  # noqa: S101 (no profile has the empty revision)
            person = folded_at(loaded, now, events)
            if person is None:
                loaded = await self._loaded(who, now)
                person = fold(loaded.entries, now)
            whole = loaded.summary is None
            brief = brief and not whole
            known = self._people[who] = Known(loaded.root, loaded.revision, person, whole, brief, {})
            if len(self._people) > PEOPLE:
                self._people.popitem(last=False)
        self._revisions[who], self.exposures = known.revision, known.exposures
        return await self._believed(known.person)

    async def _loaded(self, who: Identifier, now: int) -> Loaded:
        return (await self._store.profiles.load({who: ""}, now))[who]

    async def _believed(self, person: Person) -> Person:
        keys = doubtful(person)
        return believed(person, await self.products(keys)) if keys else person

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        """Return the catalog's products by key. Unknown keys are left out."""
        return await self._read(partial(self._store.catalog.products, keys)) if keys else {}

    async def for_rules(self, needs: Needs, shop: Shop, person: Person, who: Identifier | None, moment: Moment) -> Shop:
        """Return the shop with the data that rules need. Raises StoreUnavailable."""
        if needs.root and who is not None and shop.root is None:
            known = self._people.get(who)
            root = known.root if known is not None else await self._store.profiles.resolve(who, moment.now)
            shop = replace(shop, root=root)
        if needs.catalog:
            keys = list(dict.fromkeys(seen.product.key for seen in interests(person) if seen.product.key))
            products, history = await self.products(keys), await self._read(partial(self._store.catalog.changes, keys))
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
        """Return the shop with the data that a block's apps need. Raises StoreUnavailable."""
        if required.queries:
            catalog = self._store.catalog
            found = {query: tuple(await self._read(partial(catalog.search, query))) for query in required.queries}
            shop = replace(shop, found=found)
        if required.feeds:
            fed = {name: await self._fed(name, person, moment) for name in required.feeds if name not in shop.feeds}
            shop = replace(shop, feeds={**shop.feeds, **fed})
        if required.polls:
            tally = self._store.polls.tally
            tallies = {name: await self._read(partial(tally, key_of(block.name, name), who)) for name in required.polls}
            shop = replace(shop, polls=tallies)
        if required.promised and who is not None:
            shop = replace(
                shop, promised=await self._read(partial(self._store.ledger.promised, block.first_name, str(who)))
            )
        if required.contacts and who is not None:
            opened, clicked = await self._read(partial(self._store.ledger.contacts, block.name, str(who)))
            shop = replace(shop, opened=opened, clicked=clicked)
        keys, history = products_of(required, person, moment, shop)
        if keys:
            shop = replace(shop, products={**shop.products, **await self.products(keys)})
        if history:
            changes = await self._read(partial(self._store.catalog.changes, history))
            shop = replace(shop, history={**shop.history, **changes})
        return shop

    async def _fed(self, name: str, person: Person, moment: Moment) -> FeedData:
        if self._feeds is None:
            return FeedData()
        given, feed = self._feeds.give(name), self._feeds.declared(name)
        if feed is not None and feed.per_person is not None:
            seen = replace(shown(person), views=())
            known = {"person": plain(seen), "moment": msgspec.to_builtins(moment)}
            given = await self._feeds.ask(name, parameters_of(feed, known), feed.per_person.deadline_ms)
        return FeedData(given.items, f"{given.state}: {given.because}" if given.because else given.state)


def folded_at(loaded: Loaded, now: int, events: frozenset[str]) -> Person | None:
    """Return a profile's person as of `now` (Unix ms), with the history if they did any of the `events`.

    Returns None if the summary or an event is later than `now`; the caller then loads the events up to `now`.
    """
    if loaded.summary is None:
        return fold(loaded.entries, now) if all(entry.at <= now for entry in loaded.entries) else None
    try:
        person = person_of(loaded.summary)
    except msgspec.DecodeError:
        logger.warning("a summary cannot be read; the events say it all the same", exc_info=True)
        return None
    return None if _did(person, events) or person.last_seen > now else person


def _did(person: Person, events: frozenset[str]) -> bool:
    """Return whether a rule over these events could find one."""
    return bool(events) and (EVERY in events or not events.isdisjoint(person.done))


class Open(msgspec.Struct, frozen=True):
    """One open and the data to decide it. `mates` are the blocks that choose before this one in the same email."""

    content: Content
    look: Lookup
    block: Block
    mates: Sequence[Block]
    who: Identifier | None
    person: Person
    moment: Moment


class Lookups:
    """Gives each open its own lookup. All lookups share the people of the last few opens."""

    def __init__(self, store: Storage, feeds: Feeds | None = None) -> None:
        """Read from the store and, if given, from feeds."""
        self._store, self._feeds, self._people = store, feeds, OrderedDict[Identifier, Known]()

    def begin(self) -> Lookup:
        """Return a lookup that sees every event whose append has returned."""
        return Lookup(self._store, self._feeds, self._people)

    def remembered(self, who: Identifier | None) -> Person:
        """Return a person as this process last saw them, without products, which need the store. Else a stranger."""
        known = self._people.get(who) if who is not None else None
        return replace(known.person, views=(), cart=Cart(), wishlist=()) if known is not None else Person()


class Summaries:
    """Follows the log and summarizes people who have been quiet for a while, before their next open."""

    def __init__(self, profiles: Profiles, clock_ms: Callable[[], int]) -> None:
        """Read from `profiles`, and store the summaries there."""
        self._profiles, self._clock = profiles, clock_ms

    async def step(self, limit: int = SLICE) -> bool:
        """Process up to `limit` messages. Returns whether there may be more. Raises StoreUnavailable."""
        return await self._profiles.summarize(summarize, RULES, self._clock(), limit)
