"""Heard: events that say nothing new of their products are told before the lock is taken, by what is committed.

What seems to be new is for `lessons` to look at again, under the lock.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from wetink.core.catalog import SAME_WORD_MS, Facts, learn
from wetink.core.event import Event, Product
from wetink.store.sqlite.lessons import REMEMBERED

Read = Callable[[set[str]], Mapping[str, Facts]]
"""Reads what is committed of these products: their facts by sku, none of those that are not known."""

Revised = Callable[[int], tuple[int, Collection[str] | None]]
"""Reads the newest revision there is, and which products were revised after another; see `revisions.since`."""


class _Telling(msgspec.Struct):
    """What is being written of a product: by how many, and its facts afterwards if all of that comes to be written."""

    facts: Facts | None
    writers: int = 0


class Heard:
    """Remembers in one process what is committed of products. Not for two threads at once."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._facts: dict[str, Facts] = {}
        self._said: dict[str, tuple[Product, int]] = {}  # the last words on each that were not new, and when
        self._telling: dict[str, _Telling] = {}
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
            at = event.at if event is not None else 0
            new = [said for said in products if said.key and self._new(said, at)]
            tells.append(bool(new))
            for said in new:
                self._tell(said, at)
                told.append(said.sku)
        return tells, told

    def settled(self, told: Iterable[str], *, written: bool) -> None:
        """Hear what became of what was told of these products: all of it is committed, or some was not written."""
        for sku in told:
            telling = self._telling[sku]
            telling.writers -= 1
            if not written:
                telling.facts = None
            if not telling.writers:
                del self._telling[sku]
                if sku and telling.facts is not None:
                    self._facts[sku] = telling.facts

    def _catch_up(self, revised: Revised) -> None:
        self.revision, keys = revised(self.revision)
        for sku in keys if keys is not None else [*self._facts, *self._telling]:
            self._facts.pop(sku, None)
            self._said.pop(sku, None)
            if sku in self._telling:
                self._telling[sku].facts = None

    def _look_up(self, skus: set[str], read: Read) -> None:
        strange = {sku for sku in skus if sku and sku not in self._facts and sku not in self._telling}
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

    def _tell(self, said: Product, at: int) -> None:
        """Believe what was committed of a product no longer until this is settled."""
        telling = self._telling.get(said.sku)
        if telling is None:
            telling = self._telling[said.sku] = _Telling(self._facts.pop(said.sku, None))
            self._said.pop(said.sku, None)
        telling.writers += 1
        if telling.facts is not None:
            learn(telling.facts, said, at)
