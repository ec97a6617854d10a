"""Heard: events that say nothing new of their products are told before the lock is taken, by what is committed.

What seems to be new is for `lessons` to look at again, under the lock.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from wetink.core.catalog import SAME_WORD_MS, Facts, learn
from wetink.core.event import Event, Product
from wetink.store.sqlite.lessons import REMEMBERED

Read = Callable[[set[str]], Mapping[str, Facts]]
"""Reads what is committed of these products: their facts by sku, none of those that are not known."""

Revised = Callable[[int], tuple[int, Collection[str] | None]]
"""Reads the newest revision there is, and which products were revised after another; see `revisions.since`."""


class Heard:
    """Remembers in one process what was read of products. Not for two threads at once."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._facts: dict[str, Facts] = {}
        self._said: dict[str, tuple[Product, int]] = {}  # the last words on each that were not new, and when
        self._waiting: Counter[str] = Counter()  # products that something new is being written of
        self.revision = -1
        """Up to which revision all that is remembered is right: what is told by it is to be told again after others."""

    def tells(self, events: Sequence[Event | None], read: Read, revised: Revised) -> tuple[list[bool], list[str]]:
        """Return for each event whether it may teach the catalog something, and the products to be `settled` after."""
        self._catch_up(revised)
        trusted = [event.products if event is not None and event.level == "server" else () for event in events]
        self._look_up({said.sku for products in trusted for said in products}, read)
        told: list[str] = []
        tells = []
        for event, products in zip(events, trusted, strict=True):
            new = [said.sku for said in products if said.key and self._new(said, event.at if event is not None else 0)]
            for sku in new:
                self._facts.pop(sku, None)
                self._said.pop(sku, None)
            self._waiting.update(new)
            told += new
            tells.append(bool(new))
        return tells, told

    def settled(self, told: Iterable[str]) -> None:
        """Believe what can be read of these products again: what was told of them is committed, or was not written."""
        for sku in told:
            self._waiting[sku] -= 1
            if not self._waiting[sku]:
                del self._waiting[sku]

    def _catch_up(self, revised: Revised) -> None:
        self.revision, keys = revised(self.revision)
        for sku in keys if keys is not None else list(self._facts):
            self._facts.pop(sku, None)
            self._said.pop(sku, None)

    def _look_up(self, skus: set[str], read: Read) -> None:
        strange = {sku for sku in skus if sku and sku not in self._facts and sku not in self._waiting}
        if len(self._facts) + len(strange) > REMEMBERED:
            self._facts.clear()
            self._said.clear()
        if strange:
            self._facts.update(read(strange))

    def _new(self, said: Product, at: int) -> bool:
        last = self._said.get(said.sku)
        if last is not None and -SAME_WORD_MS < at - last[1] < SAME_WORD_MS and said == last[0]:
            return False
        facts = self._facts.get(said.sku)  # without a sku: a product id may come to go with any sku
        if not facts or learn(dict(facts), said, at):
            return True
        self._said[said.sku] = (said, at)
        return False
