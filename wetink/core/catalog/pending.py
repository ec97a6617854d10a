"""Pending: the statements of the log that a stored catalog does not contain yet, for reads that include them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from msgspec.structs import replace

from wetink.core.catalog.catalog import Change, Facts, Held, Standing, Statement, plan, product
from wetink.core.events.event import Product

CHANGES, FORGET_EVERY = 50, 16
"""Changes shown for each product, and the interval of changes after which the oldest beyond them are deleted."""
SLICE = 2_000
"""Messages planned and written together, which takes about ten milliseconds."""
MOST_BEHIND = 5_000
"""Messages beyond the projection that a read scans. While the projection lags further, as during a rebuild, reads
return its older state."""
REMEMBERED = 20_000
"""Products whose last statement a process caches, about 15 MB."""

S = TypeVar("S")
Placed: TypeAlias = tuple[int, Statement]
"""A statement and its position in the log."""


class Current(NamedTuple):
    """A read's data of products: facts by key, the sku by product id, and changes that are not stored yet."""

    facts: Mapping[str, Facts]
    skus: Mapping[str, str] = {}
    history: Sequence[tuple[str, Change]] = ()

    def products(self, keys: Iterable[str]) -> dict[str, Product]:
        """Return the products with these keys, skus or product ids. Unknown ones are left out."""
        found = ((key, self.facts.get(key) or self.facts.get(self.skus.get(key, ""))) for key in keys)
        return {key: product(facts) for key, facts in found if facts}

    def changes(self, sku: str, stored: Iterable[Change]) -> Sequence[Change]:
        """Return the newest changes of a product, oldest first, given the stored ones."""
        then = {change.at: change for change in stored}
        then.update((change.at, change) for name, change in self.history if name == sku)
        return tuple(then[at] for at in sorted(then)[-CHANGES:])


class Pending:
    """Statements of the log by the products that they concern."""

    def __init__(self) -> None:
        self._said: list[Placed] = []
        self._of: dict[str, list[int]] = {}
        self._skus: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._said)

    def add(self, said: Iterable[Placed], skus: Mapping[str, str]) -> None:
        """Add statements in the order of the log. `skus` are the stored ones of their product ids."""
        for place, (at, each) in said:
            if each.sku and each.product_id:
                self._skus[each.product_id] = each.sku
            elif not each.sku and (sku := self._skus.get(each.key) or skus.get(each.key)):
                each = replace(each, sku=sku)
            for name in {each.sku, each.product_id} - {""}:
                self._of.setdefault(name, []).append(len(self._said))
            self._said.append((place, (at, each)))

    def names(self, keys: Collection[str]) -> set[str]:
        """Return these keys and the skus that the statements give to them: a read needs their stored data."""
        return {*keys, *(self._skus[key] for key in keys if key in self._skus)}

    def current(self, names: Collection[str], stored: Held, after: int) -> Current:
        """Return the data of these products: the `stored` one with the statements beyond a position."""
        indexes = {index for name in {*names, *stored.skus.values()} for index in self._of.get(name, ())}
        beyond = [self._said[index] for index in sorted(indexes)]
        changes = plan([said for place, said in beyond if place > after], stored)
        return Current({**stored.facts, **changes.facts}, {**stored.skus, **changes.skus}, changes.history)


def unnamed(said: Iterable[Placed]) -> list[str]:
    """Return the product ids of statements without a sku."""
    return [each.key for _, (_, each) in said if not each.sku]


class Memory(Generic[S]):
    """The statements that a catalog contains, for a caller that takes one step after the other. Not thread-safe."""

    def __init__(self) -> None:
        self._standing = Standing()
        self._state: S | None = None

    def of(self, state: S) -> Standing:
        """Return the statements that the catalog in this state contains; none if another process has written."""
        if state != self._state or len(self._standing.products) > REMEMBERED:
            self._standing.clear()
        self._state = None  # until the step is planned
        return self._standing

    def leaves(self, state: S) -> None:
        """Note the state of the catalog after a step."""
        self._state = state
