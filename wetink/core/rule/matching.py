"""Matching: which events of a name have the properties a rule asks for, and what they say."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from wetink.core.event import Product
from wetink.core.rule.operators import Passes, Today, passes
from wetink.core.rule.subject import Subject
from wetink.core.rule.tree import Where
from wetink.core.rule.values import each_of, look_up
from wetink.core.wares import MANY_PRODUCTS, ONE_PRODUCT, ORDERS, order_field, product_field

Room = Literal["order", "product", "query", "name", "property"]
Matches = Callable[[int], bool]

_NOTHING = (Product(quantity=0),)
"""What an event without products is looked at as: nothing is set."""


def place_of(event: str, name: str) -> tuple[Room, str]:
    """Return where an event has a property: in its order, its products, its query, its name or its other properties.

    >>> place_of("Order Completed", "total"), place_of("Order Completed", "category"), place_of("Signed Up", "plan")
    (('order', 'total'), ('product', 'category'), ('property', 'plan'))
    """
    if event in ORDERS and (field := order_field(name)):
        return "order", field
    wares = event in MANY_PRODUCTS or event in ONE_PRODUCT
    if wares and (field := product_field(name.removeprefix("products."))):
        return "product", field
    if name == "query" and event == "Products Searched":
        return "query", name
    if name == "name" and event in ("page", "screen"):
        return "name", name
    return "property", name


def told(thing: Any, field: str) -> Any:
    """Return what a product or an order says; None for nothing."""
    value = getattr(thing, field, None)
    return None if value == "" else value


def matching(event: str, where: Where) -> Callable[[Subject], Matches] | None:
    """Return how to tell which events of a name match, by their place in its history; None when all do."""
    if not where:
        return None
    rooms: dict[Room, list[tuple[str, Passes]]] = {}
    for each in where:
        room, field = place_of(event, each.name)
        rooms.setdefault(room, []).append((field, passes(each.tests)))
    lookers = [_LOOKERS[room](event, asked) for room, asked in rooms.items()]

    def bound(subject: Subject) -> Matches:
        looks = [looker(subject) for looker in lookers]
        if len(looks) == 1:
            return looks[0]
        return lambda index: all(look(index) for look in looks)

    return bound


Asked = list[tuple[str, Passes]]


def product_passes(asked: Sequence[tuple[str, Passes]], product: Product, at: Today) -> bool:
    """Whether a product passes all that is asked of its fields."""
    return all(passes(told(product, field), at) for field, passes in asked)


def _of_products(event: str, asked: Asked) -> Callable[[Subject], Matches]:
    """One and the same product must pass all that is asked of products."""
    first, only = asked[0], len(asked) == 1

    def bound(subject: Subject) -> Matches:
        columns, at = subject.person.history.products(event), subject.today
        if only:
            field, passes = first
            return lambda index: any(passes(told(each, field), at) for each in columns[index] or _NOTHING)
        return lambda index: any(product_passes(asked, each, at) for each in columns[index] or _NOTHING)

    return bound


def _of_orders(event: str, asked: Asked) -> Callable[[Subject], Matches]:
    def bound(subject: Subject) -> Matches:
        column, at = subject.person.history.orders(event), subject.today
        return lambda index: all(passes(told(column[index], field), at) for field, passes in asked)

    return bound


def _of_properties(event: str, asked: Asked) -> Callable[[Subject], Matches]:
    def bound(subject: Subject) -> Matches:
        column, at = subject.person.history.properties(event), subject.today
        return lambda index: all(passes(look_up(column[index], path), at) for path, passes in asked)

    return bound


def _of_events(event: str, asked: Asked) -> Callable[[Subject], Matches]:
    def bound(subject: Subject) -> Matches:
        column, at = subject.person.history.named(event), subject.today
        return lambda index: all(passes(told(column[index], field), at) for field, passes in asked)

    return bound


_LOOKERS: dict[Room, Callable[[str, Asked], Callable[[Subject], Matches]]] = {
    "product": _of_products,
    "order": _of_orders,
    "property": _of_properties,
    "query": _of_events,
    "name": _of_events,
}


def values(event: str, name: str, where: Where) -> Callable[[Subject], Callable[[int], Sequence[Any]]]:
    """Return how to get what an event says under a name: of its products only of those that match."""
    room, field = place_of(event, name)
    asked = [
        (place_of(event, each.name)[1], passes(each.tests))
        for each in where
        if place_of(event, each.name)[0] == "product"
    ]

    def bound(subject: Subject) -> Callable[[int], Sequence[Any]]:
        history = subject.person.history
        if room == "product":
            products, at = history.products(event), subject.today
            return lambda index: [
                told(each, field) for each in products[index] if not asked or product_passes(asked, each, at)
            ]
        if room == "order":
            orders = history.orders(event)
            return lambda index: (told(orders[index], field),)
        if room == "property":
            properties = history.properties(event)
            return lambda index: each_of(look_up(properties[index], field))
        events = history.named(event)
        return lambda index: (told(events[index], field),)

    return bound
