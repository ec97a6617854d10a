"""Asking: rules as people spell them, about people made of a few events."""

from typing import Any

from msgspec.structs import replace

from wetink.core.events.event import Event, Order, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import Finding, compiled
from wetink.core.rules.parse import parse
from wetink.core.rules.tree import Subject

HOUR, DAY = 3_600_000, 86_400_000
NOW = 20_000 * DAY + 12 * HOUR
"""Noon of Friday, 4 October 2024 (UTC)."""
JANE = Identifier("user", "jane")
VIEW, ADD, ORDER = "Product Viewed", "Product Added", "Order Completed"


def event(name: str, ago: int = 0, number: int = 0, **said: Any) -> Event:
    """An event of so many milliseconds ago."""
    return Event("track", NOW - ago, f"m{ago}-{number}", "test", name, **said)


def product(sku: str = "", **said: Any) -> Product:
    return Product(sku=sku, **said)


def viewed(ago: int, sku: str = "S", **said: Any) -> Event:
    return event(VIEW, ago, products=(product(sku, **said),))


def ordered(ago: int, total: float | None = None, *products: Product, **said: Any) -> Event:
    return event(ORDER, ago, products=products, order=Order(order_id=f"o{ago}", total=total), **said)


def person(*events: Event, **traits: Any) -> Person:
    return replace(fold(events, NOW), traits=traits)


def asked(rule: Any, of: Person, now: int = NOW, moment: Moment | None = None, **more: Any) -> Finding:
    """What comes of a rule; that `holds` and `explain` agree is checked each time."""
    made = compiled(parse(rule))
    subject = Subject(of, moment or Moment(now), **{"root": JANE, **more})
    found = made.explain(subject)
    assert made.holds(subject) is found.holds
    return found


def holds(rule: Any, *events: Event, now: int = NOW) -> bool:
    return asked(rule, person(*events), now).holds
