"""Tree: the nodes of a rule, as frozen values; and the subject that a rule is evaluated for."""

import re
from collections import abc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from datetime import date as Date
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from wetink.core.catalog.price_history import Change, FeedData
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.values import look_up
from wetink.core.units.zone import TRAITS as ZONE_TRAITS
from wetink.core.units.zone import named, zone


class Test(msgspec.Struct, frozen=True, array_like=True):
    """What is asked of one value: an operator of `operators.OPERATORS` and what it compares with."""

    __test__ = False  # no test of pytest's

    operator: str
    value: Any


class Property(msgspec.Struct, frozen=True, array_like=True):
    """What is asked of a property: all of its tests must hold. `name` may have dots."""

    name: str
    tests: tuple[Test, ...]


Where: TypeAlias = tuple[Property, ...]


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """When: at most one of the four. Without any: ever."""

    within: str = ""
    """A span back from now, such as `7d`."""
    between: tuple[str, ...] = ()
    """Two dates or times; a date without a time means all of that day (UTC)."""
    since: str = ""
    """After the last event of this name."""
    visit: bool = False
    """In the visit that goes on at the moment."""


class Node(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What all nodes are."""


class All(Node, frozen=True, tag="all"):
    """Holds when every one of them does."""

    of: tuple["Rule", ...]


class AnyOf(Node, frozen=True, tag="any"):
    """Holds when at least one of them does."""

    of: tuple["Rule", ...]


class Not(Node, frozen=True, tag="not"):
    """Holds when the other does not."""

    of: "Rule"


class Did(Node, frozen=True, tag="did"):
    """Did an event so often. `negated` asks for the opposite.

    `at_most` is None without an upper bound. `first_time` asks that the first of all times lies in the window.
    """

    event: str
    where: Where = ()
    window: Window = Window()
    at_least: int = 1
    at_most: int | None = None
    first_time: bool = False
    negated: bool = False


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a sequence."""

    event: str
    where: Where = ()


class Sequence(Node, frozen=True, tag="sequence"):
    """Did these one after the other, from the first to the last within a span, and without another in between."""

    steps: tuple[Step, ...]
    within: str = ""
    without: Step | None = None
    window: Window = Window()
    """When the last of them happened."""


Figure = Literal["sum", "average", "maximum", "minimum", "distinct"]


class Aggregate(Node, frozen=True, tag="aggregate"):
    """A figure over a property of events, compared."""

    figure: Figure
    property: str
    event: str
    tests: tuple[Test, ...]
    where: Where = ()
    window: Window = Window()


class Trait(Node, frozen=True, tag="trait"):
    """What is known of the person."""

    name: str
    tests: tuple[Test, ...]


class Member(Node, frozen=True, tag="member"):
    """Is in a saved audience."""

    name: str


class Share(Node, frozen=True, tag="share"):
    """Is in a random share of all people, the same people each time: `percent` of them, from `start` percent on."""

    percent: float
    start: float = 0.0
    seed: str = ""


class CartIs(Node, frozen=True, tag="cart"):
    """What lies in the cart: what it is worth, how many pieces, for how long (ms), and a product of it."""

    value: tuple[Test, ...] = ()
    items: tuple[Test, ...] = ()
    age: tuple[Test, ...] = ()
    contains: Where = ()


Interest = Literal["viewed", "in_cart", "wished", "any"]


class ProductIs(Node, frozen=True, tag="product"):
    """A product of theirs, as the catalog has it now. What is None is not asked for."""

    interest: Interest
    where: Where = ()
    within: str = ""
    """How far back views, cart and wishes count."""
    price_fell: float | None = None
    """By at least so many percent since it was seen."""
    back_in_stock: bool | None = None
    low_stock: int | None = None
    """At most so many are left, and at least one."""


Stage = Literal["new", "active", "lapsed"]


class Lifecycle(Node, frozen=True, tag="lifecycle"):
    """How they stand to the shop: lapsed without an event for `lapsed_after`, else new for `new_for`, else active."""

    stage: Stage
    new_for: str = "30d"
    lapsed_after: str = "90d"


class MomentIs(Node, frozen=True, tag="moment"):
    """The circumstances of an open. Names are of `traits.MOMENT_FIELDS`; `parameter.x` is of the address asked for."""

    where: Where
    feed: str = "weather"
    """The feed that tells the weather."""


Rule: TypeAlias = (
    All | AnyOf | Not | Did | Sequence | Aggregate | Trait | Member | Share | CartIs | ProductIs | Lifecycle | MomentIs
)
"""Any node."""


def parts_of(rule: Rule) -> tuple[Rule, ...]:
    """Return the nodes right below this one."""
    if isinstance(rule, All | AnyOf):
        return rule.of
    return (rule.of,) if isinstance(rule, Not) else ()


def nodes_of(rule: Rule) -> list[Rule]:
    """Return this node and all below it."""
    return [rule, *(node for part in parts_of(rule) for node in nodes_of(part))]


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


def with_locale(moment: Moment, person: Person) -> Moment:
    """Return the moment with what the person's traits say of it where nothing else has.

    >>> with_locale(Moment(0), Person(traits={"timezone": "Europe/Paris", "locale": "fr-FR"})).time_zone
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


class Today(msgspec.Struct, frozen=True):
    """The moment a value is looked at: `now` in Unix ms, and the date in the person's time zone."""

    now: int
    date: Date


def today(now: int, zone: Any = UTC) -> Today:
    """Return the moment of a time (Unix ms) in a time zone."""
    return Today(now, datetime.fromtimestamp(now / 1000, zone).date())


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
        changes: Mapping[str, abc.Sequence[Change]] | None = None,
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
