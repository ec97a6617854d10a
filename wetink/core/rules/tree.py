"""Tree: the nodes of a rule, as frozen values; and the subject that a rule is evaluated for."""

from collections import abc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from datetime import date as Date
from typing import Any, Literal, TypeAlias

import msgspec

from wetink.core.catalog.catalog import Change, FeedData
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.units.zone import zone


class Test(msgspec.Struct, frozen=True, array_like=True):
    """A comparison of one value: an operator of `operators.OPERATORS` and the value to compare with."""

    __test__ = False  # not a test class of pytest

    operator: str
    value: Any


class Property(msgspec.Struct, frozen=True, array_like=True):
    """The comparisons of a property, which must all match. `name` may have dots."""

    name: str
    tests: tuple[Test, ...]


Where: TypeAlias = tuple[Property, ...]


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """A period: at most one of the four. Without any, at any time."""

    within: str = ""
    """A duration back from now, such as `7d`."""
    between: tuple[str, ...] = ()
    """Two dates or times. A date without a time is the whole day (UTC)."""
    since: str = ""
    """After the last event of this name."""
    visit: bool = False
    """In the current visit."""


class Node(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of all nodes."""


class All(Node, frozen=True, tag="all"):
    """Matches if all of them match."""

    of: tuple["Rule", ...]


class AnyOf(Node, frozen=True, tag="any"):
    """Matches if at least one of them matches."""

    of: tuple["Rule", ...]


class Not(Node, frozen=True, tag="not"):
    """Matches if the other does not."""

    of: "Rule"


class Did(Node, frozen=True, tag="did"):
    """Did an event this often. `negated` means the opposite.

    `at_most` is None without an upper bound. `first_time` requires that the first event ever is in the period.
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
    """Did these in this order, from the first to the last within a duration, without another event in between."""

    steps: tuple[Step, ...]
    within: str = ""
    without: Step | None = None
    window: Window = Window()
    """The period of the last event."""


Figure = Literal["sum", "average", "maximum", "minimum", "distinct"]


class Aggregate(Node, frozen=True, tag="aggregate"):
    """Compares a figure over a property of events."""

    figure: Figure
    property: str
    event: str
    tests: tuple[Test, ...]
    where: Where = ()
    window: Window = Window()


class Trait(Node, frozen=True, tag="trait"):
    """Compares a trait of the person."""

    name: str
    tests: tuple[Test, ...]


class Member(Node, frozen=True, tag="member"):
    """Is in a saved audience."""

    name: str


class Share(Node, frozen=True, tag="share"):
    """Is in a random share of all people, always the same people: `percent` of them, starting at `start` percent."""

    percent: float
    start: float = 0.0
    seed: str = ""


class CartIs(Node, frozen=True, tag="cart"):
    """Compares the cart: its value, its pieces, its age (ms), and a product in it."""

    value: tuple[Test, ...] = ()
    items: tuple[Test, ...] = ()
    age: tuple[Test, ...] = ()
    contains: Where = ()


Interest = Literal["viewed", "in_cart", "wished", "any"]


class ProductIs(Node, frozen=True, tag="product"):
    """Compares the person's products with the catalog. Fields that are None are not compared."""

    interest: Interest
    where: Where = ()
    within: str = ""
    """How far back views, cart and wishes count."""
    price_fell: float | None = None
    """By at least this percentage since the person saw it."""
    back_in_stock: bool | None = None
    low_stock: int | None = None
    """At most this many are left, and at least one."""


Stage = Literal["new", "active", "lapsed"]


class Lifecycle(Node, frozen=True, tag="lifecycle"):
    """Is lapsed (no event for `lapsed_after`), or else new (for `new_for`), or else active."""

    stage: Stage
    new_for: str = "30d"
    lapsed_after: str = "90d"


class MomentIs(Node, frozen=True, tag="moment"):
    """Compares the circumstances of an open, by `traits.MOMENT_FIELDS`; `parameter.x` is a query parameter."""

    where: Where
    feed: str = "weather"
    """The feed with the weather."""


Rule: TypeAlias = (
    All | AnyOf | Not | Did | Sequence | Aggregate | Trait | Member | Share | CartIs | ProductIs | Lifecycle | MomentIs
)
"""Any node."""


def parts_of(rule: Rule) -> tuple[Rule, ...]:
    """Return the nodes directly below this one."""
    if isinstance(rule, All | AnyOf):
        return rule.of
    return (rule.of,) if isinstance(rule, Not) else ()


def nodes_of(rule: Rule) -> list[Rule]:
    """Return this node and all nodes below it."""
    return [rule, *(node for part in parts_of(rule) for node in nodes_of(part))]


class Today(msgspec.Struct, frozen=True):
    """A moment: `now` in Unix ms, and the date in the person's time zone. A `Subject` has both as well."""

    now: int
    date: Date


def today(now: int, zone: Any = UTC) -> Today:
    """Return the moment at a time (Unix ms) in a time zone."""
    return Today(now, datetime.fromtimestamp(now / 1000, zone).date())


class Subject:
    """One person at one moment. `root` identifies their profile; None for nobody.

    `products` and `changes` are the catalog's current products and their past values, by key; `feeds` is the data of
    feeds. A rule reads only what its `Needs` name.
    """

    __slots__ = ("_date", "changes", "feeds", "moment", "now", "person", "products", "root")

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
        self._date: Date | None = None

    @property
    def date(self) -> Date:
        """The date in the person's time zone."""
        if self._date is None:
            self._date = self.local.date()
        return self._date

    @property
    def local(self) -> datetime:
        """The time in the person's time zone."""
        return datetime.fromtimestamp(self.now / 1000, zone(self.moment.time_zone))


def interests(person: Person) -> list[Any]:
    """Return the products that the person has in the cart, wished for or viewed, as `Seen`."""
    return [*person.cart.lines, *person.wishlist, *person.views]


class Leaf(msgspec.Struct, frozen=True):
    """A compiled node without parts: `see` finds its value, `judge` says whether it matches, `describe` describes it.

    They may raise any error on odd data. Whether the node matches is then unknown.
    """

    see: Callable[[Subject], Any]
    judge: Callable[[Any], bool]
    describe: Callable[[Any], str]
