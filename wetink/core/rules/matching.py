"""Matching: which events of a name have the properties that a rule names, and in which period."""

from collections.abc import Callable, Iterator, Sequence
from operator import and_, attrgetter
from typing import Any, Literal

from wetink.core.errors import BadContent
from wetink.core.events.clock import parse
from wetink.core.events.ecommerce import MANY_PRODUCTS, ONE_PRODUCT, ORDERS, order_field, product_field
from wetink.core.events.event import Order, Product
from wetink.core.identity.holding import FOREVER
from wetink.core.rules.operators import passes, quick
from wetink.core.rules.tree import Property, Subject, Test, Where, Window
from wetink.core.rules.values import each_of, look_up
from wetink.core.units.duration import parse as span_of

DAY_MS = 86_400_000
VISIT_GAP_MS = 30 * 60_000
"""A visit is over after this long without an event."""

Bounds = Callable[[Subject], tuple[int, int]]
"""The [start, end) in which events count (Unix ms)."""

ALWAYS = (-FOREVER, FOREVER)
NEVER = (FOREVER, FOREVER)


def ends(between: Sequence[str]) -> tuple[int, int]:
    """Return the [start, end) of two dates or times. A date without a time is the whole day (UTC).

    Raises BadContent if one is not a time.

    >>> start, end = ends(("2026-01-01", "2026-01-02"))
    >>> (end - start) // DAY_MS
    2
    """
    start, end = (parse(text) for text in between)
    if start is None or end is None:
        wrong = between[0] if start is None else between[1]
        raise BadContent(f"{wrong!r} is not a time", hint="write 2026-01-31 or 2026-01-31T09:00:00Z")
    return start, end + (DAY_MS if len(between[1].strip()) <= 10 and "-" in between[1] else 1)


def bounds(window: Window) -> Bounds:
    """Return a function that computes a period. Raises BadContent for a duration or date that cannot be read."""
    if window.within:
        span = span_of(window.within)
        return lambda subject: (subject.now - span, FOREVER)
    if window.between:
        fixed = ends(window.between)
        return lambda subject: fixed
    if window.since:
        return lambda subject: _after_last(subject, window.since)
    if window.visit:
        return _visit
    return lambda subject: ALWAYS


def window_words(window: Window) -> str:
    """Return a period in words, with a space before."""
    if window.within:
        return f" within {window.within}"
    if window.between:
        return f" between {window.between[0]} and {window.between[1]}"
    if window.since:
        return f" since their last {window.since}"
    return " in this visit" if window.visit else ""


def _after_last(subject: Subject, event: str) -> tuple[int, int]:
    times = subject.person.done.get(event)
    return (times[-1] + 1, FOREVER) if times else ALWAYS


def _visit(subject: Subject) -> tuple[int, int]:
    """Return the current visit: back from now to the last gap of more than half an hour."""
    start = 0
    for at in reversed(subject.person.history.times()):
        if (start or subject.now) - at > VISIT_GAP_MS:
            break
        start = at
    return (start, FOREVER) if start else NEVER


Room = Literal["order", "product", "query", "name", "property"]
Matches = Callable[[int], bool]

_NOTHING = (Product(quantity=0),)
"""Stands for the products of an event without any."""
_NO_ORDER = Order()


def place_of(event: str, name: str) -> tuple[Room, str]:
    """Return where an event has a property: in its order, products, query, name or other properties.

    >>> place_of("Order Completed", "total"), place_of("Order Completed", "category"), place_of("Signed Up", "plan")
    (('order', 'total'), ('product', 'category'), ('property', 'plan'))
    """
    if event in ORDERS and (field := order_field(name)):
        return "order", field
    products = event in MANY_PRODUCTS or event in ONE_PRODUCT
    if products and (field := product_field(name.removeprefix("products."))):
        return "product", field
    if name == "query" and event == "Products Searched":
        return "query", name
    if name == "name" and event in ("page", "screen"):
        return "name", name
    return "property", name


def field_value(thing: Any, field: str) -> Any:
    """Return a field of a product or an order; None for nothing."""
    value = getattr(thing, field, None)
    return None if value == "" else value


def matching(event: str, where: Where) -> Callable[[Subject], Matches] | None:
    """Return a function that says which events of a name match, by their index in its history; None if all do."""
    if not where:
        return None
    rooms: dict[Room, list[Property]] = {}
    for each in where:
        rooms.setdefault(place_of(event, each.name)[0], []).append(each)
    lookers = [
        _of_properties(event, conditions) if room == "property" else _of_fields(event, room, conditions)
        for room, conditions in rooms.items()
    ]

    def bound(subject: Subject) -> Matches:
        looks = [looker(subject) for looker in lookers]
        if len(looks) == 1:
            return looks[0]
        return lambda index: all(look(index) for look in looks)

    return bound


def counting(event: str, where: Where) -> Callable[[Subject, int, int], int] | None:
    """Return a function that counts the matching events of a name from one index of its history to another.

    It reads whole columns of typed fields at once. Returns None if the conditions need more than that.
    """
    compared: list[tuple[Room, str, Callable[[Any], bool]]] = []
    for each in where:
        room, field = place_of(event, each.name)
        test = quick(each.tests) if room != "property" else None
        if test is None:
            return None
        compared.append((room, field, test))
    match = matching(event, where)
    if match is None:
        return None

    def count(subject: Subject, start: int, end: int) -> int:
        passed: Iterator[bool] | None = None
        for room, field, test in compared:
            column = subject.person.history.fields(event, room, field)
            if column is None:
                matches = match(subject)
                return sum([matches(index) for index in range(start, end)])
            one = map(test, column[start:end])
            passed = one if passed is None else map(and_, passed, one)
        return sum(passed or ())

    return count


Fields = Callable[[Any, Subject], bool]


def fields(conditions: Sequence[tuple[str, tuple[Test, ...]]]) -> Fields:
    """Return a function that says whether all typed fields of a product, an order or an event match."""
    quickly = [(attrgetter(field), test) for field, tests in conditions if field and (test := quick(tests)) is not None]
    slowly = [(field, passes(tests)) for field, tests in conditions if not field or quick(tests) is None]
    if not slowly and len(quickly) == 1:
        [(get_one, passes_one)] = quickly
        return lambda thing, at: passes_one(get_one(thing))
    if not slowly and len(quickly) == 2:
        (get_one, passes_one), (get_two, passes_two) = quickly
        return lambda thing, at: passes_one(get_one(thing)) and passes_two(get_two(thing))

    def all_pass(thing: Any, at: Subject) -> bool:
        for get, test in quickly:
            if not test(get(thing)):
                return False
        return not slowly or all(test(field_value(thing, field), at) for field, test in slowly)

    return all_pass


def _of_fields(event: str, room: Room, conditions: Sequence[Property]) -> Callable[[Subject], Matches]:
    """Return the matches by fields. One product of an event must match all conditions on products."""
    all_pass = fields([(place_of(event, each.name)[1], each.tests) for each in conditions])
    if room == "product":

        def of_products(subject: Subject) -> Matches:
            columns = subject.person.history.products(event)

            def matches(index: int) -> bool:
                for product in columns[index] or _NOTHING:  # noqa: SIM110 (this is what an open spends its time on)
                    if all_pass(product, subject):
                        return True
                return False

            return matches

        return of_products

    def of_things(subject: Subject) -> Matches:
        history = subject.person.history
        things = history.orders(event) if room == "order" else history.named(event)
        return lambda index: all_pass(things[index] or _NO_ORDER, subject)

    return of_things


def _of_properties(event: str, conditions: Sequence[Property]) -> Callable[[Subject], Matches]:
    tests = [(each.name, passes(each.tests)) for each in conditions]

    def bound(subject: Subject) -> Matches:
        column = subject.person.history.properties(event)
        return lambda index: all(test(look_up(column[index], path), subject) for path, test in tests)

    return bound


def values(event: str, name: str, where: Where) -> Callable[[Subject], Callable[[int], Sequence[Any]]]:
    """Return a function that gets an event's values of a name, from matching products only."""
    room, field = place_of(event, name)
    conditions = [each for each in where if place_of(event, each.name)[0] == "product"]
    matches = fields([(place_of(event, each.name)[1], each.tests) for each in conditions])

    def bound(subject: Subject) -> Callable[[int], Sequence[Any]]:
        history = subject.person.history
        if room == "product":
            products = history.products(event)
            return lambda index: [field_value(each, field) for each in products[index] if matches(each, subject)]
        if room == "order":
            orders = history.orders(event)
            return lambda index: (field_value(orders[index], field),)
        if room == "property":
            properties = history.properties(event)
            return lambda index: each_of(look_up(properties[index], field))
        events = history.named(event)
        return lambda index: (field_value(events[index], field),)

    return bound
