"""Shop: what an app may ask of the shop as a whole, beside the one person."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.app.poll import Tally
from wetink.core.catalog.price_history import Change, FeedData
from wetink.core.catalog.trends import Trends
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.rules.evaluate import Rulebook


class Shop(msgspec.Struct, frozen=True, gc=False):
    """The shop at the moment of an open.

    `products` are the newest facts of those products that the app asked for, and of no others; `history` is what was
    said of their price and stock before, oldest first. `found` has what the catalog answers to each query. `polls`
    says how each poll of the block stands, by name. `taken` are keys of products that other blocks of the same email
    show. `promised` is what this block promised this person when it was first shown to them; `opened` and `clicked`
    say how often they did that with this block before, machines left out.
    """

    trends: Trends = msgspec.field(default_factory=Trends)
    products: Mapping[str, Product] = {}
    found: Mapping[str, Sequence[Product]] = {}
    history: Mapping[str, Sequence[Change]] = {}
    feeds: Mapping[str, FeedData] = {}
    polls: Mapping[str, Tally] = {}
    taken: frozenset[str] = frozenset()
    promised: Mapping[str, Any] = {}
    opened: int = 0
    clicked: int = 0
    rules: Rulebook = msgspec.field(default_factory=Rulebook)
    """How the rules of blocks are looked at, and the audiences they name."""
    root: Identifier | None = None
    """The profile of whom it is about, when a rule asks for it."""

    def newest(self, product: Product) -> Product:
        """Return a product as the catalog knows it now, or as it is when it does not."""
        return self.products.get(product.key, product)

    def feed(self, name: str) -> FeedData:
        """Return what a feed holds, empty when there is none of this name."""
        return self.feeds.get(name, FeedData())
