"""Shops: what apps may ask of the shop as a whole, put together for one decision."""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.app.app_inputs import Shop
from wetink.core.blocks.block import Block
from wetink.core.blocks.decide import asks, fed, polled, searched, subject_of, wants
from wetink.core.catalog.price_history import FeedData
from wetink.core.catalog.trends import Trends
from wetink.core.catalog.trust import shown
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import parameters_of
from wetink.core.profile.person import Moment, Person, plain
from wetink.core.rules.evaluate import NOTHING, Finding, Needs, Rulebook
from wetink.core.rules.subject import interests
from wetink.core.rules.tree import Rule
from wetink.opens.polls import key_of
from wetink.opens.products import Catalog
from wetink.ports import Storage
from wetink.ports.feeds import Feeds


class Shops:
    """Looks up what the apps of a block want, and nothing else."""

    def __init__(
        self, store: Storage, catalog: Catalog, trends: Trends, feeds: Feeds, rules: Callable[[], Rulebook]
    ) -> None:
        """Read from these; `rules` is the book of the content there is right now."""
        self._rules = rules
        self._store, self._catalog, self._trends, self._feeds = store, catalog, trends, feeds

    async def _fed(self, name: str, person: Person, moment: Moment) -> FeedData:
        given = self._feeds.give(name)
        feed = self._feeds.declared(name)
        if feed is not None and feed.per_person is not None:
            seen = replace(shown(person), views=())
            known = {"person": plain(seen), "moment": msgspec.to_builtins(moment)}
            given = await self._feeds.ask(name, parameters_of(feed, known), feed.per_person.deadline_ms)
        fetched = moment.now - given.age_ms if given.age_ms is not None else 0
        return FeedData(given.items, fetched, f"{given.state}: {given.because}" if given.because else given.state)

    async def of(
        self,
        block: Block,
        person: Person,
        who: Identifier | None,
        moment: Moment,
        apps: Mapping[str, App],
        taken: frozenset[str],
    ) -> Shop:
        """Return the shop as this block's apps need it for this person. Raises StoreUnavailable."""
        rules = self._rules()
        shop = Shop(self._trends, taken=taken, rules=rules)
        needs = rules.needs(rule for variant in block.variants for rule in variant.when)
        if needs is not NOTHING:
            shop = await self._with(needs, shop, person, who, moment)
        if not asks(block, apps):
            return shop
        if queries := searched(block, person, moment, apps, shop):
            shop = replace(shop, found={query: tuple(await self._store.catalog.search(query)) for query in queries})
        if names := fed(block, person, moment, apps, shop):
            feeds = {name: await self._fed(name, person, moment) for name in names if name not in shop.feeds}
            shop = replace(shop, feeds={**shop.feeds, **feeds})
        if names := polled(block, person, moment, apps, shop):
            shop = replace(
                shop, polls={name: await self._store.polls.tally(key_of(block, name), who) for name in names}
            )
        keys, history = wants(block, person, moment, apps, shop)
        if keys:
            shop = replace(shop, products={**shop.products, **await self._catalog.products(keys)})
        if history:
            shop = replace(shop, history={**shop.history, **await self._store.catalog.changes(history)})
        return shop

    async def explain(self, rule: Rule, person: Person, who: Identifier | None, moment: Moment) -> Finding:
        """Return whether a rule holds, and why. Raises StoreUnavailable."""
        asked = self._rules().of(rule)
        shop = await self._with(asked.needs, Shop(self._trends), person, who, moment)
        return asked.explain(subject_of(person, moment, shop))

    async def _with(self, needs: Needs, shop: Shop, person: Person, who: Identifier | None, moment: Moment) -> Shop:
        """Return the shop with what the rules of a block ask for, and have the person's history read if they do."""
        if needs.history:
            person.history.read()
        if needs.root and who is not None:
            shop = replace(shop, root=await self._store.profiles.resolve(who, moment.now))
        if needs.catalog:
            keys = list(dict.fromkeys(seen.product.key for seen in interests(person) if seen.product.key))
            products, history = await self._catalog.products(keys), await self._store.catalog.changes(keys)
            shop = replace(shop, products=products, history=history)
        if needs.feeds:
            shop = replace(shop, feeds={name: await self._fed(name, person, moment) for name in sorted(needs.feeds)})
        return shop
