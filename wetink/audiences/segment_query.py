"""Segment query: evaluates a rule for all people. Columns decide most of them; the rest are evaluated as in an open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from wetink.core.app.app import Shop
from wetink.core.blocks.decide import subject_of, with_locale
from wetink.core.catalog.trust import believed, doubtful
from wetink.core.errors import StoreUnavailable
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import Compiled, compiled
from wetink.core.rules.tree import Rule, interests
from wetink.opens.lookup import RULES, folded_at
from wetink.ports import Storage
from wetink.ports.audiences import Columns, Count, Narrowed

T = TypeVar("T")
Folded: TypeAlias = dict[Identifier, Person]

ALL = 1 << 40
FEW = 2_000
"""Messages whose columns a query builds in less than a second."""
THREADS = 2
"""Threads for counting only, so that other work never waits for a count."""
AT_ONCE = 100
"""People evaluated between two checks for the end of the process."""


class ColumnCrowd:
    """`ports.audiences.Crowd` over columns and a store. Folds and evaluates in threads, so that opens do not wait."""

    def __init__(self, store: Storage, make: Callable[[], Columns]) -> None:
        """Use the store's people, and columns that are made for the first query."""
        self._store, self._make, self._closed = store, make, False
        self._made: Columns | None = None
        self._threads = ThreadPoolExecutor(THREADS, "crowd")

    async def prepare(self) -> None:
        """Build the columns of many messages, or bring them up to date. Few are built within the first query."""
        if self._made is None and await asyncio.to_thread(self._messages) > FEW:
            self._made = self._make()
        if self._made is not None:
            await self._made.prepare()

    def _messages(self) -> int:
        with self._store.crowd() as log:
            return log.size

    async def _narrowed(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], most: int = 0) -> Narrowed:
        if self._made is None:
            self._made = self._make()
        return await self._made.narrow(rule, moment, audiences, members=most)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        narrowed, compiled_rule = await self._narrowed(rule, moment, audiences), compiled(rule, audiences)
        matches, there = narrowed.matches, narrowed.of
        async for held in self._matches(compiled_rule, moment, narrowed.unsure):  # already in `of`
            matches += sum(held.values())
        async for held in self._matches(compiled_rule, moment, narrowed.changed):
            matches, there = matches + sum(held.values()), there + len(held)
        return Count(matches, there)

    async def members(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]
    ) -> AsyncIterator[Sequence[Identifier]]:
        narrowed = await self._narrowed(rule, moment, audiences, ALL)
        yield narrowed.sure
        async for held in self._matches(compiled(rule, audiences), moment, (*narrowed.changed, *narrowed.unsure)):
            yield [root for root in held if held[root]]

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        narrowed = await self._narrowed(rule, moment, audiences, limit)
        found = list(narrowed.sure)
        if len(found) < limit:
            async for held in self._matches(compiled(rule, audiences), moment, (*narrowed.changed, *narrowed.unsure)):
                found += [root for root in held if held[root]]
                if len(found) >= limit:
                    break
        return found[:limit]

    async def _matches(
        self, rule: Compiled, moment: Moment, roots: Sequence[Identifier]
    ) -> AsyncIterator[Mapping[Identifier, bool]]:
        """Yield whether a rule matches each of these profiles, in batches and in order.

        Roots that belong to another profile or have no events yet are left out. Raises StoreUnavailable, also after
        `close`.
        """
        left = iter(roots)
        while some := tuple(islice(left, AT_ONCE)):
            if self._closed:
                raise StoreUnavailable("asking people was given up: this process ends", hint="ask again")
            people = await people_of(self._store, some, moment.now, rule.needs.events, self._in_thread)
            shop = await self._shop(rule, people.values())
            yield await self._in_thread(partial(_judged, rule, moment, shop, people))

    async def _shop(self, rule: Compiled, people: Iterable[Person]) -> Shop:
        """Return the catalog data that a rule needs for all of these people."""
        if not rule.needs.catalog:
            return Shop()
        keys = sorted({seen.product.key for person in people for seen in interests(person) if seen.product.key})
        catalog = self._store.catalog
        return Shop(products=await catalog.products(keys), history=await catalog.changes(keys))

    async def close(self) -> None:
        self._closed = True
        if self._made is not None:
            await self._made.close()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)


async def people_of(
    store: Storage,
    roots: Sequence[Identifier],
    now: int,
    events: frozenset[str],
    in_thread: Callable[[Callable[[], Folded]], Awaitable[Folded]],
    *,
    brief: bool = False,
) -> Folded:
    """Return the people of these roots that are profiles with events, as an open would see them at `now` (Unix ms).

    They are folded `in_thread`. `events` are those that rules look into; with `brief`, a summary comes without history.
    """
    loaded = await store.profiles.load(dict.fromkeys(roots, ""), FOREVER - 1, rules=RULES, brief=brief)
    mine = [(root, loaded[root]) for root in roots if loaded[root].root == root]

    def folded() -> Folded:
        found = {root: folded_at(each, now, events) for root, each in mine}
        return {root: person for root, person in found.items() if person is not None}

    people = await in_thread(folded)
    if unfolded := [root for root, _ in mine if root not in people]:
        again = await store.profiles.load(dict.fromkeys(unfolded, ""), now)
        people |= await in_thread(lambda: {root: fold(again[root].entries, now) for root in unfolded})
    people = {root: person for root, person in people.items() if person.known}
    keys = {key for person in people.values() for key in doubtful(person)}
    catalog = await store.catalog.products(sorted(keys)) if keys else {}
    return {root: believed(person, catalog) for root, person in people.items()}


def _judged(rule: Compiled, moment: Moment, shop: Shop, people: dict[Identifier, Person]) -> Mapping[Identifier, bool]:
    """Return whether a rule matches each of these people. Clears `people`: freeing them would block the event loop."""
    held = {
        root: rule.holds(subject_of(person, with_locale(moment, person), replace(shop, root=root)))
        for root, person in people.items()
    }
    people.clear()
    return held
