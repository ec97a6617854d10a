"""Catalog: what trusted events have said of each product, the newest word on each field, and its price history."""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from wetink.core.events.event import Event, Product
from wetink.core.profile.person import Seen


class FeedData(msgspec.Struct, frozen=True):
    """What a feed holds right now. `fetched_at` is Unix ms, 0 for never; `state` says in words how fresh it is."""

    items: tuple[dict[str, Any], ...] = ()
    fetched_at: int = 0
    state: str = "this feed does not exist"


class Change(msgspec.Struct, frozen=True, gc=False):
    """What the catalog said of a product from `at` (Unix ms) on, until the next change. None: it did not say."""

    at: int
    price: float | None = None
    availability: str = ""
    stock: int | None = None

    @property
    def buyable(self) -> bool:
        """Whether nothing said that it could not be bought then."""
        return self.availability != "out_of_stock" and self.stock != 0


def price_then(seen: Seen, changes: Sequence[Change]) -> float | None:
    """Return what it cost when it was seen: as the event said, else as the catalog's history does."""
    if seen.product.price is not None:
        return seen.product.price
    prices = [change.price for change in changes if change.at <= seen.at]
    return prices[-1] if prices else None


def returned_at(seen: Seen, changes: Sequence[Change]) -> int | None:
    """Return when a product could be bought again after it was wanted in vain (Unix ms), None if it never was.

    Wanted in vain: sold out when it was seen, or at any time since.
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
"""What the catalog keeps of a product; quantity, coupon and position belong to an event."""

_values = attrgetter(*FIELDS)

SAME_WORD_MS = 3_600_000
"""A word repeated within this time does not renew its date, so that a busy product is not written with every view."""

Facts = dict[str, tuple[int, Any]]
"""Field -> (when it was last said, in Unix ms, and what)."""

Statement = tuple[int, Product]
"""What was said of a product, and when (Unix ms)."""


class Held(msgspec.Struct):
    """What the catalog holds of some products: facts by key, and the sku of each product id."""

    facts: Mapping[str, Facts] = {}
    skus: Mapping[str, str] = {}


class Changes(msgspec.Struct):
    """What statements change: facts by key, price and stock from a time on, words to search by, skus of product ids."""

    facts: dict[str, Facts] = {}
    history: list[tuple[str, Change]] = []
    reworded: set[str] = set()
    skus: dict[str, str] = {}

    def key_of(self, said: Product, held: Held) -> str:
        """Return the key of the facts that `said` belongs to."""
        return said.sku or self.skus.get(said.key) or held.skus.get(said.key, said.key)


class Standing:
    """Statements that a catalog has taken in and that still stand, so that one that repeats them takes no plan.

    Filled by `plan`. Right for as long as nobody else changes that catalog.
    """

    def __init__(self) -> None:
        self.said: dict[str, tuple[int, Product]] = {}
        """By key: since when it stands (Unix ms), and what was said."""
        self.skus: dict[str, str] = {}
        """The key that statements under a product id alone belong to."""

    def clear(self) -> None:
        """Forget all of them."""
        self.said.clear()
        self.skus.clear()

    def repeats(self, key: str, at: int, said: Product) -> bool:
        """Whether the same was said of a product before, so lately that it needs no new date."""
        stands = self.said.get(key)
        if stands is None or at - stands[0] >= SAME_WORD_MS:
            return False
        return said is stands[1] or said == stands[1] or _values(said) == _values(stands[1])

    def lacking(self, batch: Iterable[Statement]) -> set[str]:
        """Return the keys of those statements that `plan` needs to know what is held of."""
        repeats, skus = self.repeats, self.skus
        return {said.key for at, said in batch if not repeats(said.sku or skus.get(said.product_id, ""), at, said)}


def statements(events: Iterable[Event]) -> list[Statement]:
    """Return what trusted events say of products that have a name. Browsers are not trusted with the catalog."""
    return [(event.at, said) for event in events if event.level == "server" for said in event.products if said.key]


def plan(batch: Iterable[Statement], held: Held, standing: Standing | None = None) -> Changes:
    """Return what statements change, in the order given. `held` covers the key of each product that is `lacking`.

    >>> said = (200_000, Product(sku="S", product_id="P", price=5.0))
    >>> changes = plan([said], Held())
    >>> changes.facts["S"]["price"], changes.history, changes.skus
    ((200000, 5.0), [('S', Change(at=200000, price=5.0, availability='', stock=None))], {'P': 'S'})
    >>> plan([said], Held(changes.facts, changes.skus)) == Changes()
    True
    """
    changes = Changes()
    standing = standing or Standing()
    for at, said in batch:
        key = said.sku or standing.skus.get(said.key) or held.skus.get(said.key, said.key)
        if standing.repeats(key, at, said):
            continue  # as most do: somebody looks at what others looked at a moment ago
        before = changes.facts.get(key) or held.facts.get(key) or {}
        facts = dict(before)
        changed, since = _learnt(facts, said, at)
        if not said.sku:
            standing.skus[said.key] = key
        if since is None:
            standing.said.pop(key, None)
        else:
            standing.said[key] = since, said
        if not changed:
            continue
        changes.facts[key] = facts
        if (now := _offer(facts)) != _offer(before):
            changes.history.append((key, Change(at, *now)))
        if words_of(facts) != words_of(before):
            changes.reworded.add(key)
        if said.sku and said.product_id and said.product_id != said.sku:
            changes.skus[said.product_id] = standing.skus[said.product_id] = said.sku
    return changes


def learn(facts: Facts, product: Product, at: int) -> bool:
    """Take in what an event of time `at` (Unix ms) said of a product; return whether `facts` changed.

    >>> facts: Facts = {}
    >>> learn(facts, Product(sku="S", name="New"), 200_000), learn(facts, Product(sku="S", name="Old"), 100_000)
    (True, False)
    >>> facts["name"]
    (200000, 'New')
    """
    return _learnt(facts, product, at)[0]


def _learnt(facts: Facts, product: Product, at: int) -> tuple[bool, int | None]:
    """Do the same; return also since when all that was said stands, None when not all of it does."""
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
    """Return the product these facts describe."""
    return Product(**{field: value for field, (_, value) in facts.items() if field in FIELDS})


def words_of(facts: Facts) -> tuple[str, str, str]:
    """Return the words a product is searched by: its name, brand and category."""
    name, brand, category = facts.get("name"), facts.get("brand"), facts.get("category")
    return name[1] if name else "", brand[1] if brand else "", category[1] if category else ""


def _offer(facts: Facts) -> tuple[float | None, str, int | None]:
    price, availability, stock = facts.get("price"), facts.get("availability"), facts.get("stock")
    return price[1] if price else None, availability[1] if availability else "", stock[1] if stock else None
