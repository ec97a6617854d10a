"""Rule: ten conditions asked of a person with 200 events, beside a Python function written by hand for it."""

import random
import time
from collections.abc import Callable

from bench.figure import Figure
from wetink.core.events.event import Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import compiled
from wetink.core.rules.parse import parse
from wetink.core.rules.tree import Subject

DAY = 86_400_000
NOW = 1_795_000_000_000
EVENTS, TIMES, ROUNDS = 200, 300, 15
RULE = parse(
    [
        {
            "done": "Product Viewed",
            "where": {"category": "Shoes", "price": {"above": 50}},
            "within": "60d",
            "at_least": 2,
        },
        {"not_done": "Order Completed", "within": "1d"},
        {"sum": "total", "of": "Order Completed", "within": "90d", "above": 100},
        {"trait": "plan", "one_of": ["gold", "platinum"]},
        {"trait": "age", "between": [18, 65]},
        {"any": [{"done": "Checkout Started", "within": "7d"}, {"trait": "city", "equals": "Ulm"}]},
        {"done": "Products Searched", "where": {"query": {"contains": "tent"}}},
        {"lifecycle": "active", "new_for": "7d"},
    ]
)
"""Eight in a row, of which one has two parts: ten nodes below the first."""


def by_hand(events: list[Event], person: Person, now: int) -> bool:  # noqa: C901 (as one writes it by hand)
    """Say the same, as somebody would write it for this one rule."""
    views = orders = searches = checkouts = 0
    spent = 0.0
    for event in events:
        if event.at > now or not event.usable:
            continue
        if event.name == "Product Viewed":
            if event.at >= now - 60 * DAY:
                for product in event.products:
                    if product.category.strip().lower() == "shoes" and (product.price or 0.0) > 50:
                        views += 1
                        break
        elif event.name == "Order Completed":
            if event.at >= now - DAY:
                orders += 1
            if event.at >= now - 90 * DAY and event.order is not None:
                spent += event.order.total or 0.0
        elif event.name == "Products Searched":
            if "tent" in event.query.lower():
                searches += 1
        elif event.name == "Checkout Started" and event.at >= now - 7 * DAY:
            checkouts += 1
    traits = person.traits
    return (
        views >= 2
        and not orders
        and spent > 100
        and str(traits.get("plan")).lower() in ("gold", "platinum")
        and 18 <= float(traits.get("age") or 0) <= 65
        and (checkouts > 0 or str(traits.get("city")).lower() == "ulm")
        and searches > 0
        and now - person.last_seen <= 90 * DAY
        and now - person.first_seen > 7 * DAY
    )


def measure() -> list[Figure]:
    """Return the figure of asking a rule."""
    events = sorted(_events(), key=lambda event: event.at)
    person = fold(events, NOW)
    rule = compiled(RULE)
    assert rule.holds(Subject(person, Moment(NOW))) is by_hand(events, person, NOW) is True
    ours = _least(lambda: rule.holds(Subject(person, Moment(NOW))))
    theirs = _least(lambda: by_hand(events, person, NOW))
    return [
        Figure(
            "rule: ten conditions of a person with 200 events to a function written by hand",
            theirs / ours, 1 / 3, f"{ours * 1e6:.1f} µs, by hand {theirs * 1e6:.1f} µs",
        )
    ]  # fmt: skip


def _least(work: Callable[[], bool]) -> float:
    """Return the seconds of one call, in the quickest of some rounds."""
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(TIMES):
            work()
        took.append((time.perf_counter() - begun) / TIMES)
    return min(took)


def _events() -> list[Event]:
    chance = random.Random(3)
    traits = {"plan": "Gold", "age": "42", "city": "Ulm"}
    made = [Event("identify", NOW - 85 * DAY, "m", "bench", traits=traits)]
    for number in range(1, EVENTS):
        said = {"at": NOW - int((1.5 + chance.random() * 80) * DAY), "message_id": str(number), "source": "bench"}
        product = Product(sku=f"S-{number % 40}", category=("Shoes", "Tents")[number % 2], price=number % 120 + 0.5)
        kind = chance.random()
        if kind < 0.7:
            made.append(Event("track", **said, name="Product Viewed", products=(product,)))  # type: ignore[arg-type]
        elif kind < 0.85:
            made.append(Event("track", **said, name="Product Added", products=(product,)))  # type: ignore[arg-type]
        elif kind < 0.92:
            order = Order(order_id=str(number), total=product.price)
            made.append(Event("track", **said, name="Order Completed", order=order, products=(product,)))  # type: ignore[arg-type]
        else:
            made.append(Event("track", **said, name="Products Searched", query="Red Tents"))  # type: ignore[arg-type]
    return made
