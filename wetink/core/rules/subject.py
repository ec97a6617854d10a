"""Subject: who a rule is asked about, when, and what there is to know; and how a node looks at it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from wetink.core.catalog.price_history import Change, FeedData
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.operators import Today, today
from wetink.core.units.zone import zone


class Subject:
    """One person at one moment. `root` names their profile, None for nobody.

    `products` and `changes` are what the catalog says of products and said of them before, by their keys; `feeds` what
    feeds hold. A rule asks only for what its `Needs` name.
    """

    __slots__ = ("_today", "changes", "feeds", "moment", "now", "person", "products", "root")

    def __init__(
        self,
        person: Person,
        moment: Moment,
        *,
        root: Identifier | None = None,
        products: Mapping[str, Product] | None = None,
        changes: Mapping[str, Sequence[Change]] | None = None,
        feeds: Mapping[str, FeedData] | None = None,
    ) -> None:
        """Take what there is to know."""
        self.person, self.moment, self.now, self.root = person, moment, moment.now, root
        self.products = products if products is not None else {}
        self.changes = changes if changes is not None else {}
        self.feeds = feeds if feeds is not None else {}
        self._today: Today | None = None

    @property
    def today(self) -> Today:
        """The moment, with the date where the person is."""
        if self._today is None:
            self._today = today(self.now, zone(self.moment.time_zone))
        return self._today

    @property
    def local(self) -> datetime:
        """The time where the person is."""
        return datetime.fromtimestamp(self.now / 1000, zone(self.moment.time_zone))


def interests(person: Person) -> list[Any]:
    """Return what the person has in the cart, wished for or viewed, as `Seen`."""
    return [*person.cart.lines, *person.wishlist, *person.views]


class Leaf(msgspec.Struct, frozen=True):
    """A node without parts, compiled: `see` finds its value, `judge` says whether that holds, `say` tells it in words.

    They may raise whatever odd data makes them raise: then it is unknown whether the node holds.
    """

    see: Callable[[Subject], Any]
    judge: Callable[[Any], bool]
    say: Callable[[Any], str]
