"""Nodes: the rule language as one table: each node's word, struct, fields and wording.

`parse`, `format`, `check`, `words`, `form` and the form's template walk this table and know only kinds of fields. A new
node is a struct in `tree`, an entry here, and a function in `behavior` or `traits` that looks at a person.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from wetink.core.rules import tree
from wetink.core.rules.operators import BY_NAME
from wetink.core.rules.tree import Rule

Choices: TypeAlias = tuple[tuple[str, str], ...]
Kind = Literal[
    "text", "event", "audience", "choice", "span", "percent", "whole", "switch",
    "tests", "where", "context", "times", "window", "rules", "rule", "steps", "step",
]  # fmt: skip

ORDER, LAST_ORDER = "Order Completed", "last order"
COUNTS: Choices = (
    ("", "at least once"),
    ("at_least", "at least"),
    ("exactly", "exactly"),
    ("at_most", "at most"),
    ("first_time", "for the first time"),
)
WINDOWS: Choices = (
    ("", "ever"),
    ("within", "within the last"),
    ("between", "between"),
    ("since", "since the last"),
    ("in", "in this visit"),
)
TIMES, WHEN = (tuple(name for name, _ in each if name) for each in (COUNTS, WINDOWS))
NESTED = ("parameter", "weather")
"""Names of a moment with nested names."""
NUMERIC = ("equals", "not_equals", "one_of", "none_of", "above", "at_least", "below", "at_most", "between", "exists")
AGES = ("above", "at_least", "below", "at_most")
LONGEST_SEQUENCE = 10


class Field(msgspec.Struct, frozen=True):
    """A field of a node. `name` is the struct's attribute and the form's field.

    Rules spell it as `key`; comparisons can also stand beside it (`inline`). `words` describes its value. The form
    shows it between `before` and `after`, with the accessible name `label`, and with `hint` while it is empty.
    """

    name: str
    kind: Kind
    key: str = ""
    words: str = "{}"
    label: str = ""
    before: str = ""
    after: str = ""
    hint: str = ""
    size: str = ""
    offers: str = ""
    choices: Choices = ()
    inline: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    valid: Callable[[Any], bool] = lambda value: True
    invalid: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """All names that it may have in a rule."""
        spread = {"times": TIMES, "window": () if self.key else WHEN, "tests": self.inline}.get(self.kind, ())
        return (*spread, self.key) if self.key else spread


class Node(msgspec.Struct, frozen=True):
    """A node. Its `word` holds the value of its first field, or all its fields if `inside`.

    `fixed` distinguishes nodes with the same struct. In `words`, "and" joins several fields at one place. `checks` have
    the place and text of a problem, and the condition that must be true.
    """

    word: str
    struct: type[Any]
    label: str
    words: str
    fields: tuple[Field, ...]
    fixed: Mapping[str, Any] = {}
    inside: bool = False
    checks: tuple[tuple[str, str, Callable[[Any], bool]], ...] = ()
    defaults: Mapping[str, Any] = {}


def _node(word: str, struct: type[Any], label: str, words: str, *fields: Field, **more: Any) -> Node:
    """Return a node with the values that follow from its struct and word."""
    spread = ("times", "window", "tests")
    first = 0 if not more.get("inside") else -1
    keyed = [
        msgspec.structs.replace(
            field, key=word if place == first else field.key or ("" if field.kind in spread else field.name)
        )
        for place, field in enumerate(fields)
    ]
    found = msgspec.structs.fields(struct)
    defaults = {each.name: each.default for each in found if each.default is not msgspec.NODEFAULT}
    return Node(word, struct, label, words, tuple(keyed), defaults=defaults, **more)


_EVENT = Field("event", "event", label="Event", hint="Product Viewed", size="long", offers="events",
               invalid="choose an event")  # fmt: skip
_WHERE = Field("where", "where", before="where", label="property", offers="properties")
_WINDOW = Field("window", "window")
_TIMES = Field("at_least", "times")
_STEPS = Field("steps", "steps", words=" then ", valid=lambda steps: 2 <= len(steps) <= LONGEST_SEQUENCE,
               invalid=f"2 to {LONGEST_SEQUENCE} events")  # fmt: skip
_RULES: dict[str, Any] = {"valid": bool, "invalid": "add at least one rule"}
_DID: dict[str, Any] = {
    "checks": (
        ("at_least", "at least 1, or exactly: 0", lambda did: did.at_most is not None or did.at_least >= 1),
        ("at_most", "this must be at least at_least", lambda did: did.at_most is None or did.at_most >= did.at_least),
        ("first_time", "add a period for the first time, with within or between",
         lambda did: not did.first_time or did.window != tree.Window()),
        ("first_time", "use this only with done, without a number of times",
         lambda did: not did.first_time or (did.at_least == 1 and did.at_most is None and not did.negated)),
    ),
}  # fmt: skip
_FIGURE = (
    Field("property", "text", label="Property", hint="total", offers="properties",
          valid=bool, invalid="choose a property"),
    Field("event", "event", "of", label="Event", before="of", hint="Order Completed", size="long", offers="events",
          invalid="choose an event"),
    _WHERE,
    Field("tests", "tests", "is", label="It", inline=tuple(name for name in BY_NAME if name not in WHEN), only=NUMERIC,
          valid=bool, invalid="add a comparison, such as above: 200"),
    _WINDOW,
)  # fmt: skip


def _cart(name: str, before: str, hint: str, words: str, only: tuple[str, ...]) -> Field:
    return Field(name, "tests", name, words, label=before, before=before, hint=hint, size="short", only=only)


STEP = _node("done", tree.Step, "", "{event}{where}", msgspec.structs.replace(_EVENT, hint="Product Added"), _WHERE)
"""An event of a sequence, which is not a rule."""

NODES: Mapping[str, Node] = {node.word: node for node in (
    _node("done", tree.Did, "did", "did {event}{where}{at_least}{window}", _EVENT, _WHERE, _TIMES, _WINDOW, **_DID),
    _node("not_done", tree.Did, "did not do", "did not do {event}{where}{at_least}{window}",
          _EVENT, _WHERE, _TIMES, _WINDOW, fixed={"negated": True}, **_DID),
    _node("sequence", tree.Sequence, "did in this order", "did {steps}{within}{without}{window}",
          _STEPS,
          Field("within", "span", words=" within {}", label="From the first to the last", before="all within",
                hint="any time", size="date"),
          Field("without", "step", words=" without {} between", label="Without this in between", before="without",
                hint="nothing in between", size="long", offers="events"),
          Field("window", "window", "completed", before="completed")),
    *(_node(figure, tree.Aggregate, label, figure + " of {property} of {event}{where}{window} {tests}",
            *_FIGURE, fixed={"figure": figure})
      for figure, label in (("sum", "sum of"), ("average", "average of"), ("maximum", "maximum of"),
                            ("minimum", "minimum of"), ("distinct", "number of different"))),
    _node("trait", tree.Trait, "has the trait", "trait {name} {tests}",
          Field("name", "text", label="Trait", hint="plan", valid=bool, invalid="choose a trait"),
          Field("tests", "tests", label="It", inline=tuple(BY_NAME), valid=bool,
                invalid="add a comparison, such as equals, one_of or exists")),
    _node("audience", tree.Member, "is in the audience", "is in {name}", Field("name", "audience", label="Audience")),
    _node("share", tree.Share, "in a random share", "is in {percent} of all people{start}",
          Field("percent", "percent", label="Percent", hint="20%", size="short",
                valid=lambda share: 0 < share <= 100, invalid="write more than 0% and at most 100%"),
          Field("start", "percent", "from", " from {}", label="From which percent on", before="from", hint="0%",
                size="short"),
          Field("seed", "text", label="Name of the draw", before="drawn by", hint="a name", size="date"),
          checks=(("from", "the share must end at 100% or before", lambda share: share.start >= 0 and
                   (share.percent > 100 or share.start + share.percent <= 100)),)),
    _node("cart", tree.CartIs, "has a cart", "cart: {value,items,age,contains}",
          _cart("value", "worth", "100", "worth {}", NUMERIC),
          _cart("items", "pieces", "2", "pieces {}", NUMERIC),
          _cart("age", "untouched for", "1d", "age {}", AGES),
          Field("contains", "where", words="contains a product{}", before="contains", label="contains",
                offers="properties"),
          inside=True,
          checks=(("", "add value, items, age or contains", lambda cart: cart != tree.CartIs()),)),
    _node("product", tree.ProductIs, "has a product",
          "a product {interest}{where}{within} {price_fell,back_in_stock,low_stock}",
          Field("interest", "choice", label="Which", choices=(("viewed", "they viewed"), ("in_cart", "in their cart"),
                                                              ("wished", "they wished for"), ("any", "of theirs"))),
          _WHERE,
          Field("within", "span", words=" within {}", label="How far back", before="within", hint="30d", size="short"),
          Field("price_fell", "percent", words="costs at least {} less", label="At least", before="its price fell by",
                hint="10%", size="short",
                valid=lambda share: 0 < share < 100, invalid="write more than 0% and less than 100%"),
          Field("low_stock", "whole", words="has at most {} left", label="Left", before="at most", after="left",
                hint="3", size="short", valid=lambda left: left >= 1, invalid="write 1 or more"),
          Field("back_in_stock", "switch", label="Back in stock",
                choices=(("", "back or not"), ("true", "is back in stock"), ("false", "is not back in stock"))),
          checks=(("", "add price_fell, back_in_stock or low_stock",
                   lambda product: {product.price_fell, product.back_in_stock, product.low_stock} != {None}),)),
    _node("lifecycle", tree.Lifecycle, "is to the shop",
          "is {stage} (new for {new_for}, lapsed after {lapsed_after})",
          Field("stage", "choice", label="Stage", choices=(("new", "new"), ("active", "active"), ("lapsed", "lapsed"))),
          Field("new_for", "span", label="New for", before="new for", hint="30d", size="short"),
          Field("lapsed_after", "span", label="Lapsed after", before="lapsed after", hint="90d", size="short")),
    _node("moment", tree.MomentIs, "at the moment", "{where}",
          Field("where", "context", before="it is", label="property", offers="moments")),
    _node("all", tree.All, "all of", "({of})", Field("of", "rules", words=" and ", **_RULES)),
    _node("any", tree.AnyOf, "at least one of", "({of})", Field("of", "rules", words=" or ", **_RULES)),
    _node("not", tree.Not, "not", "not {of}", Field("of", "rule")),
)}  # fmt: skip
"""Word -> node, in the form's order. A new node is an entry here."""


def node_of(rule: Rule) -> Node:
    """Return the entry of a rule's node.

    >>> node_of(tree.Did("Signed Up", negated=True)).word
    'not_done'
    """
    entries = _OF_STRUCT[type(rule)]
    return next(each for each in entries if all(getattr(rule, name) == fixed for name, fixed in each.fixed.items()))


_OF_STRUCT: dict[type[Any], list[Node]] = {}
for _each in reversed(tuple(NODES.values())):
    _OF_STRUCT.setdefault(_each.struct, []).append(_each)


def at(place: str, name: object) -> str:
    """Return the place of a name within a place."""
    return f"{place}.{name}" if place and name != "" else str(name) or place


def problem_at(place: str, why: str) -> str:
    """Return a problem with its place."""
    return f"{place}: {why}" if place else why


def flattened(moment: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the conditions of a moment with dotted instead of nested names.

    >>> flattened({"hour": 9, "weather": {"sky": "rain"}})
    {'hour': 9, 'weather.sky': 'rain'}
    """
    flat: dict[str, Any] = {}
    for name, value in moment.items():
        deeper = name in NESTED and isinstance(value, Mapping)
        flat |= {f"{name}.{inner}": each for inner, each in value.items()} if deeper else {str(name): value}
    return flat


def deepened(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the conditions of a moment with nested names: the opposite of `flattened`."""
    moment: dict[str, Any] = {}
    for name, value in flat.items():
        outer, _, inner = name.partition(".")
        if outer in NESTED and inner:
            moment.setdefault(outer, {})[inner] = value
        else:
            moment[name] = value
    return moment
