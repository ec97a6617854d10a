"""Catalog: product data from trusted events, the newest value of each field, and the price history.

A stored catalog follows the log. Statements of the log that it does not contain yet are `Pending`, for reads that
include them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from wetink.core.events.event import Event, Product
from wetink.core.profile.person import Seen

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


class FeedData(msgspec.Struct, frozen=True):
    """A feed's current data. `state` describes the freshness."""

    items: tuple[dict[str, Any], ...] = ()
    state: str = "this feed does not exist"


class Change(msgspec.Struct, frozen=True, gc=False):
    """A product's price and stock in the catalog from `at` (Unix ms) to the next change. None means unknown."""

    at: int
    price: float | None = None
    availability: str = ""
    stock: int | None = None

    @property
    def buyable(self) -> bool:
        """Whether the product could be bought at that time, as far as known."""
        return self.availability != "out_of_stock" and self.stock != 0


def price_then(seen: Seen, changes: Sequence[Change]) -> float | None:
    """Return the price at the time of a view, from the event, else from the catalog's history; None if unknown."""
    if seen.product.price is not None:
        return seen.product.price
    prices = [change.price for change in changes if change.at <= seen.at]
    return prices[-1] if prices else None


def returned_at(seen: Seen, changes: Sequence[Change]) -> int | None:
    """Return the time (Unix ms) when a product came back in stock after the person missed it; None if it did not.

    Missed means sold out at the time of the view or at any time since.
    """
    out, returned = not seen.product.buyable, None
    before = [change for change in changes if change.at <= seen.at][-1:]
    for change in (*before, *(change for change in changes if change.at > seen.at)):
        if not change.buyable:
            out, returned = True, None
        elif out and returned is None and change.at > seen.at:
            returned = change.at
    return returned


FIELDS = (
    "product_id", "sku", "name", "url", "image_url", "price", "currency", "category", "brand", "variant",
    "list_price", "availability", "stock",
)  # fmt: skip
"""The product fields that the catalog stores. Quantity, coupon and position belong to an event."""

_values = attrgetter(*FIELDS)

SAME_WORD_MS = 3_600_000
"""A value repeated within this time (ms) keeps its date, so that not every view of a busy product causes a write."""

Facts = dict[str, tuple[int, Any]]
"""The time (Unix ms) of the last statement and the value, by field."""

Statement = tuple[int, Product]
"""The time (Unix ms) of a statement, and the product's values in it."""


class Held(msgspec.Struct):
    """The catalog's stored data of some products: facts by key, and the sku by product id."""

    facts: Mapping[str, Facts] = {}
    skus: Mapping[str, str] = {}


class Changes(msgspec.Struct):
    """Changes from statements: facts by key, new prices and stock, keys with new search words, skus by product id."""

    facts: dict[str, Facts] = {}
    history: list[tuple[str, Change]] = []
    reworded: set[str] = set()
    skus: dict[str, str] = {}

    def key_of(self, product: Product, held: Held) -> str:
        """Return the key of the facts that `product` belongs to."""
        return product.sku or self.skus.get(product.key) or held.skus.get(product.key, product.key)


class Standing:
    """Statements that the catalog already contains, so that a repetition needs no plan.

    Filled by `plan`. Valid as long as nobody else changes the catalog.
    """

    def __init__(self) -> None:
        self.products: dict[str, tuple[int, Product]] = {}
        """The time (Unix ms) since which the statement holds, and the statement, by key."""
        self.skus: dict[str, str] = {}
        """The key for statements with only a product id, by product id."""

    def clear(self) -> None:
        """Forget all of them."""
        self.products.clear()
        self.skus.clear()

    def repeats(self, key: str, at: int, product: Product) -> bool:
        """Return whether a statement repeats a known one that is recent enough to keep its date."""
        stands = self.products.get(key)
        if stands is None or at - stands[0] >= SAME_WORD_MS:
            return False
        return product is stands[1] or product == stands[1] or _values(product) == _values(stands[1])

    def lacking(self, batch: Iterable[Statement]) -> set[str]:
        """Return the keys of the statements for which `plan` needs the stored data."""
        repeats, skus = self.repeats, self.skus
        return {
            product.key
            for at, product in batch
            if not repeats(product.sku or skus.get(product.product_id, ""), at, product)
        }


def statements(events: Iterable[Event]) -> list[Statement]:
    """Return trusted events' statements about products with a key. Browsers are not trusted with the catalog."""
    return [
        (event.at, product) for event in events if event.level == "server" for product in event.products if product.key
    ]


def plan(batch: Iterable[Statement], held: Held, standing: Standing | None = None) -> Changes:
    """Return the changes from statements, in the given order. `held` covers the key of each `lacking` product.

    >>> product = (200_000, Product(sku="S", product_id="P", price=5.0))
    >>> changes = plan([product], Held())
    >>> changes.facts["S"]["price"], changes.history, changes.skus
    ((200000, 5.0), [('S', Change(at=200000, price=5.0, availability='', stock=None))], {'P': 'S'})
    >>> plan([product], Held(changes.facts, changes.skus)) == Changes()
    True
    """
    changes = Changes()
    standing = standing or Standing()
    for at, product in batch:
        key = product.sku or standing.skus.get(product.key) or held.skus.get(product.key, product.key)
        if standing.repeats(key, at, product):
            continue  # the usual case: a view of a product that others have just viewed
        before = changes.facts.get(key) or held.facts.get(key) or {}
        facts = dict(before)
        changed, since = _learnt(facts, product, at)
        if not product.sku:
            standing.skus[product.key] = key
        if since is None:
            standing.products.pop(key, None)
        else:
            standing.products[key] = since, product
        if not changed:
            continue
        changes.facts[key] = facts
        if (now := _offer(facts)) != _offer(before):
            changes.history.append((key, Change(at, *now)))
        if words_of(facts) != words_of(before):
            changes.reworded.add(key)
        if product.sku and product.product_id and product.product_id != product.sku:
            changes.skus[product.product_id] = standing.skus[product.product_id] = product.sku
    return changes


def learn(facts: Facts, product: Product, at: int) -> bool:
    """Add an event's values of a product at `at` (Unix ms) to `facts`. Returns whether `facts` changed.

    >>> facts: Facts = {}
    >>> learn(facts, Product(sku="S", name="New"), 200_000), learn(facts, Product(sku="S", name="Old"), 100_000)
    (True, False)
    >>> facts["name"]
    (200000, 'New')
    """
    return _learnt(facts, product, at)[0]


def _learnt(facts: Facts, product: Product, at: int) -> tuple[bool, int | None]:
    """Do the same. Also return the time since which all the values hold, None if some do not."""
    changed, since, stands = False, at, True
    for field, value in zip(FIELDS, _values(product), strict=True):
        if value is None or value == "":
            continue
        known = facts.get(field)
        if known is not None:
            then, word = known
            if value == word:
                if at - then < SAME_WORD_MS:
                    since = min(since, then)
                    continue
            elif (at, str(value)) <= (then, str(word)):
                stands = False
                continue
        facts[field] = (at, value)
        changed = True
    return changed, since if stands else None


def product(facts: Mapping[str, tuple[int, Any]]) -> Product:
    """Return the product with these facts."""
    return Product(**{field: value for field, (_, value) in facts.items() if field in FIELDS})


def words_of(facts: Facts) -> tuple[str, str, str]:
    """Return the texts that a product is searched by: name, brand and category."""
    name, brand, category = facts.get("name"), facts.get("brand"), facts.get("category")
    return name[1] if name else "", brand[1] if brand else "", category[1] if category else ""


def _offer(facts: Facts) -> tuple[float | None, str, int | None]:
    price, availability, stock = facts.get("price"), facts.get("availability"), facts.get("stock")
    return price[1] if price else None, availability[1] if availability else "", stock[1] if stock else None


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
