"""Tree: the nodes of a rule. Frozen values that say what is asked, never how it is found out."""

from typing import Any, Literal, TypeAlias

import msgspec


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
