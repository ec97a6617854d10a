"""Subject: who a rule is asked about, when and where they are at home, and how a node looks at it."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.catalog.price_history import Change, FeedData
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.operators import Today, today
from wetink.core.rules.values import look_up
from wetink.core.units.zone import TRAITS as ZONE_TRAITS
from wetink.core.units.zone import named, zone

TRAITS = {
    "language": ("language", "locale", "lang"),
    "currency": ("currency",),
    "time_zone": (*ZONE_TRAITS, "address.timeZone"),
}
"""Field of a moment -> the traits that tell it, as shops name them."""
_NAMES = frozenset(name.partition(".")[0] for names in TRAITS.values() for name in names) | frozenset(
    name for names in TRAITS.values() for name in names
)
LONGEST = 64
_SHAPES = {  # of a page's words nothing else is believed to be one
    "language": re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"),
    "currency": re.compile(r"[A-Za-z]{3}"),
}


def at_home(moment: Moment, person: Person) -> Moment:
    """Return the moment with what the person's traits say of it where nothing else has.

    >>> at_home(Moment(0), Person(traits={"timezone": "Europe/Paris", "locale": "fr-FR"})).time_zone
    'Europe/Paris'
    """
    if _NAMES.isdisjoint(person.traits) and not moment.local_zone and not person.zone:
        return moment
    said = {field: _told(field, names, person) for field, names in TRAITS.items() if not getattr(moment, field)}
    told = {field: value for field, value in said.items() if value}
    if not moment.time_zone and (zone := person.zone or moment.local_zone):
        told = {"time_zone": zone, **told}
    return replace(moment, **told) if told else moment


def _told(field: str, names: tuple[str, ...], person: Person) -> str:
    traits = person.traits
    for name in names:
        if name not in traits and "." not in name:
            continue
        value = look_up(traits, name)
        if field == "time_zone":
            if found := named(value):
                return found
            continue
        if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST:
            continue
        value = value.strip()
        if name not in person.page_traits or _SHAPES[field].fullmatch(value) is not None:
            return value
    return ""


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
        self.person, self.moment, self.now, self.root = person, moment, moment.now, root
        self.products = products if products is not None else {}
        self.changes = changes if changes is not None else {}
        self.feeds = feeds if feeds is not None else {}
        self._today: Today | None = None

    @property
    def today(self) -> Today:
        """The moment, with the date in the person's time zone."""
        if self._today is None:
            self._today = today(self.now, zone(self.moment.time_zone))
        return self._today

    @property
    def local(self) -> datetime:
        """The time in the person's time zone."""
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
