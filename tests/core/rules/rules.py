"""Rules for Hypothesis: any rule there can be over a small shop's words, as people spell it; and histories to ask."""

from typing import Any

from hypothesis import strategies as st

from tests.core.rules.asking import DAY, HOUR, NOW
from wetink.core.events.event import Event, Order, Product

EVENTS = ["Product Viewed", "Product Added", "Product Removed", "Order Completed", "Signed Up", "Products Searched"]
TEXTS = ["Shoes", "shoes ", "Tea", "Ü", "7", "7.0", "true", ""]
NUMBERS = st.sampled_from([0, 1, 7, 7.0, 12.5, 50, 99.99, 100])
SPANS = st.sampled_from(["30m", "12h", "1d", "3d", "30d", "90d"])
DATES = st.sampled_from(["2024-09-01", "2024-10-01", "2024-10-04", "2024-10-04T11:00:00Z"])

scalars = st.one_of(st.sampled_from(TEXTS), NUMBERS, st.booleans())
tests = st.one_of(
    scalars,
    st.lists(scalars, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["above", "below", "at_least", "at_most"]), NUMBERS, min_size=1, max_size=2),
    st.fixed_dictionaries({"between": st.tuples(NUMBERS, NUMBERS).map(sorted)}),
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"not_equals": scalars}),
    st.fixed_dictionaries({"none_of": st.lists(scalars, min_size=1, max_size=2)}),
    st.dictionaries(
        st.sampled_from(["contains", "starts_with", "ends_with"]), st.sampled_from(["s", "Sh", "E", "7", "ü"]),
        min_size=1, max_size=1,
    ),
    st.fixed_dictionaries({"matches": st.sampled_from(["^S", "o.s$", "(?i)TEA", "[0-9]"])}),
    st.fixed_dictionaries({"before": DATES}),
    st.fixed_dictionaries({"within": SPANS}),
)  # fmt: skip
PROPERTIES = [
    "category",
    "price",
    "sku",
    "quantity",
    "total",
    "coupon",
    "query",
    "stars",
    "gift.wrap",
    "products.brand",
]
where = st.dictionaries(st.sampled_from(PROPERTIES), tests, min_size=1, max_size=2)
windows = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"within": SPANS}),
    st.fixed_dictionaries({"between": st.tuples(DATES, DATES).map(sorted)}),
    st.fixed_dictionaries({"since": st.sampled_from(["last order", "last Signed Up"])}),
    st.just({"in": "this visit"}),
)
counts = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"at_least": st.integers(1, 4)}),
    st.fixed_dictionaries({"exactly": st.integers(0, 3)}),
    st.fixed_dictionaries({"at_most": st.integers(0, 3)}),
)
_maybe_where = st.one_of(st.just({}), st.fixed_dictionaries({"where": where}))


def _merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


steps = _merged(st.fixed_dictionaries({"done": st.sampled_from(EVENTS)}), _maybe_where)
done = _merged(steps, windows, counts)
not_done = done.map(lambda said: {("not_done" if key == "done" else key): value for key, value in said.items()})
first = _merged(steps, st.fixed_dictionaries({"within": SPANS, "first_time": st.just(True)}))
sequences = _merged(
    st.fixed_dictionaries({"sequence": st.lists(steps, min_size=2, max_size=3)}),
    st.one_of(st.just({}), st.fixed_dictionaries({"within": SPANS})),
    st.one_of(st.just({}), st.fixed_dictionaries({"without": steps})),
    st.one_of(st.just({}), st.fixed_dictionaries({"completed": windows.filter(bool)})),
)
figures = st.builds(
    lambda figure, name, event, window, test, asked: {figure: name, "of": event, **window, **test, **asked},
    st.sampled_from(["sum", "average", "maximum", "minimum", "distinct"]), st.sampled_from(PROPERTIES),
    st.sampled_from(EVENTS), windows,
    st.dictionaries(st.sampled_from(["above", "below", "equals", "at_least"]), NUMBERS, min_size=1, max_size=2),
    _maybe_where,
)  # fmt: skip
TRAITS = ["plan", "age", "joined", "address.city", "tags"]
traits = st.builds(
    lambda name, test: {"trait": name, **(test if isinstance(test, dict) else {"equals": test})},
    st.sampled_from(TRAITS), tests.filter(lambda test: not isinstance(test, list)),
)  # fmt: skip
anniversaries = st.builds(
    lambda when: {"trait": "joined", "anniversary": when}, st.sampled_from(["today", "this week", "this month", "7d"])
)
shares = st.builds(
    lambda percent, seed: {"share": f"{percent}%", **({"seed": seed} if seed else {})},
    st.sampled_from([1, 33.3, 50, 100]), st.sampled_from(["", "spring"]),
)  # fmt: skip
_number_tests = st.dictionaries(st.sampled_from(["above", "below", "equals"]), NUMBERS, min_size=1, max_size=2)
carts = st.fixed_dictionaries(
    {}, optional={"value": _number_tests, "items": _number_tests, "age": st.fixed_dictionaries({"above": SPANS}),
                  "contains": where}
).filter(bool).map(lambda cart: {"cart": cart})  # fmt: skip
products = _merged(
    st.fixed_dictionaries({"product": st.sampled_from(["viewed", "in_cart", "wished", "any"])}),
    st.one_of(
        st.just({"price_fell": "10%"}),
        st.fixed_dictionaries({"back_in_stock": st.booleans()}),
        st.just({"low_stock": 3, "within": "3d"}),
    ),
)
stages = st.builds(
    lambda stage, new_for, lapsed: {"lifecycle": stage, "new_for": new_for, "lapsed_after": lapsed},
    st.sampled_from(["new", "active", "lapsed"]), SPANS, SPANS,
)  # fmt: skip
moments = st.sampled_from(
    [{"weekday": "fri"}, {"hour": {"between": [9, 12]}}, {"device": "mobile"}, {"country": {"exists": False}},
     {"parameter": {"utm_source": "x"}}, {"weather": {"sky": "rain", "feed": "f"}}]
).map(lambda moment: {"moment": moment})  # fmt: skip
leaves = st.one_of(
    done, not_done, first, sequences, figures, traits, anniversaries, shares, carts, products, stages, moments
)
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)
"""Any rule, as it is spelled."""

odd = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(TEXTS)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4,
)
"""Whatever a sender may send."""

_products = st.builds(
    Product, sku=st.sampled_from(["a", "b", ""]), category=st.sampled_from(["Shoes", "Tea", ""]),
    price=st.sampled_from([None, 7.0, 12.5, 99.99]), quantity=st.integers(0, 3), brand=st.sampled_from(TEXTS),
)  # fmt: skip
AGO = st.sampled_from([0, 60_000, 20 * 60_000, HOUR, 12 * HOUR, DAY, 3 * DAY, 30 * DAY, 90 * DAY, 91 * DAY])


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Some events of one person, none of them twice."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        name = draw(st.sampled_from(EVENTS))
        money = name == "Order Completed"
        made.append(
            Event(
                "track", NOW - draw(AGO), f"m{number}", "test", name,
                usable=draw(st.sampled_from([True, True, True, False])),
                products=tuple(draw(st.lists(_products, max_size=2))) if money else (draw(_products),),
                order=Order(total=draw(st.sampled_from([None, 7.0, 99.99]))) if money else None,
                query=draw(st.sampled_from(TEXTS)) if name == "Products Searched" else "",
                properties=draw(st.dictionaries(st.sampled_from(["stars", "gift", "coupon"]), odd, max_size=2)),
                traits=draw(st.dictionaries(st.sampled_from(TRAITS), odd, max_size=2)),
            )
        )  # fmt: skip
    return made
