"""The crowd: a rule asked of all people. Columns say what they can; all others are asked as an open asks them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

from wetink.core.app.app import Shop
from wetink.core.blocks.decide import subject_of
from wetink.core.errors import StoreUnavailable
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.evaluate import Compiled, compiled
from wetink.core.rules.tree import Rule, at_home
from wetink.opens.lookup import Lookups
from wetink.ports import Storage
from wetink.ports.crowd import Columns, Count, Narrowed

T = TypeVar("T")

ALL = 1 << 40
THREADS = 2
"""Threads that count: their own, so that whatever else needs one never waits for a count."""
AT_ONCE = 100
"""People that are asked between two looks at whether it is all over."""


class ColumnCrowd:
    """`ports.crowd.Crowd` over columns and a store. Works in threads, so that opens do not wait for it."""

    def __init__(self, store: Storage, make: Callable[[], Columns]) -> None:
        """Use the store's people, and columns that are made when somebody first asks."""
        self._store, self._make, self._closed = store, make, threading.Event()
        self._made: Columns | None = None
        self._threads = ThreadPoolExecutor(THREADS, "crowd")

    async def _narrowed(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], most: int = 0) -> Narrowed:
        if self._made is None:
            self._made = self._make()
        return await self._made.narrow(rule, moment, audiences, members=most)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        narrowed = await self._narrowed(rule, moment, audiences)
        asking = _Asking(self._store, compiled(rule, audiences), moment, self._closed)
        unsure = await self._in_thread(lambda: sum(1 for _ in asking.whom_it_holds_for(narrowed.unsure)))
        asking.there = 0  # those were counted
        changed = await self._in_thread(lambda: sum(1 for _ in asking.whom_it_holds_for(narrowed.changed)))
        return Count(narrowed.matches + unsure + changed, narrowed.of + asking.there)

    async def members(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]
    ) -> AsyncIterator[Sequence[Identifier]]:
        narrowed = await self._narrowed(rule, moment, audiences, ALL)
        yield narrowed.sure
        asking = _Asking(self._store, compiled(rule, audiences), moment, self._closed)
        for some in _parts((*narrowed.changed, *narrowed.unsure)):
            yield await self._in_thread(partial(list, asking.whom_it_holds_for(some)))

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        narrowed = await self._narrowed(rule, moment, audiences, limit)
        asking = _Asking(self._store, compiled(rule, audiences), moment, self._closed)
        found = asking.whom_it_holds_for((*narrowed.changed, *narrowed.unsure))
        more = limit - len(narrowed.sure)
        return [*narrowed.sure, *(await self._in_thread(lambda: list(islice(found, more))) if more > 0 else ())]

    async def close(self) -> None:
        self._closed.set()
        if self._made is not None:
            await asyncio.to_thread(self._made.close)
        self._threads.shutdown(cancel_futures=True)


class _Asking:
    """Asks a rule of one profile after the other. `there` counts those who are somebody at the moment."""

    def __init__(self, store: Storage, rule: Compiled, moment: Moment, closed: threading.Event) -> None:
        self._store, self._rule, self._moment, self._lookups = store, rule, moment, Lookups(store)
        self._closed, self.there = closed, 0

    def whom_it_holds_for(self, roots: Iterable[Identifier]) -> Iterator[Identifier]:
        """Yield those of these roots for whom the rule holds. Blocks; raises StoreUnavailable once it is all over."""
        with asyncio.Runner() as runner:
            for some in _parts(roots):
                if self._closed.is_set():
                    raise StoreUnavailable("asking people was given up: this process ends", hint="ask again")
                yield from runner.run(self._among(some))

    async def _among(self, roots: Sequence[Identifier]) -> list[Identifier]:
        held = [await self.holds(root) for root in roots]
        self.there += len(held) - held.count(None)
        return [root for root, holds in zip(roots, held, strict=True) if holds]

    async def holds(self, root: Identifier) -> bool | None:
        """Return whether the rule holds for a profile; None for who is part of another, or has no events yet."""
        if await self._store.profiles.resolve(root, FOREVER - 1) != root:
            return None
        look, needs, moment = await self._lookups.newest(), self._rule.needs, self._moment
        person = await look.person(root, moment.now, events=needs.events)
        if not person.known:
            return None
        shop = await look.for_rules(needs, Shop(root=root), person, root, moment)
        return self._rule.holds(subject_of(person, at_home(moment, person), shop))


def _parts(roots: Iterable[Identifier]) -> Iterator[Sequence[Identifier]]:
    left = iter(roots)
    while some := tuple(islice(left, AT_ONCE)):
        yield some
