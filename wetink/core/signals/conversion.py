"""Conversion: all events of one order or goal as one conversion, at its time, with the value that is left.

The same order from several sources, or at several times, is one. Refunds and cancellations subtract from it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from wetink.core.events.ecommerce import folded
from wetink.core.events.event import Event, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.goal import Goal, Signals
from wetink.core.text.placeholder import USUAL
from wetink.core.units.currency import code_of, rounded
from wetink.core.units.money import number
from wetink.core.units.quantity import text

_PART = re.compile(
    r"(?:(?:refund(?:ed)?|return(?:ed)?|total|order|line|product|item|variant) )*"
    r"(?:amount|total|value|refund|refunded|subtotal|price|sum|items?|products?|lines?|contents|skus?|quantity|qty)"
    r"(?: (?:refunded|set))?|(?:product|item|variant) id|transactions|adjustments|ecommerce|partial.*|is partial"
)
"""Other names of an amount and of the products of a refund, as `folded` writes them."""

DEFAULT_CURRENCY = "USD"
"""Source: Segment's Ecommerce spec v2."""


class ConversionEvent(msgspec.Struct, frozen=True):
    """An event about a conversion, and its current owner. `members` are all identifiers of that profile."""

    event: Event
    owner: Identifier
    members: tuple[Identifier, ...] = ()


class Conversion(msgspec.Struct, frozen=True):
    """One conversion. `at` is its first event (Unix ms), `received` counts its events. Amounts are in `currency`."""

    goal: str
    id: str
    at: int
    amount: float
    currency: str
    owner: Identifier
    members: tuple[Identifier, ...] = ()
    refunded: float = 0.0
    cancelled: bool = False
    received: int = 1
    notes: tuple[str, ...] = ()
    page: bool = False
    """Whether only browser keys reported it, which anybody can use."""

    @property
    def value(self) -> float:
        """The amount that is left."""
        return 0.0 if self.cancelled else rounded(max(self.amount - self.refunded, 0.0), self.currency)

    @property
    def counts(self) -> bool:
        """Whether it still counts: neither canceled nor fully refunded."""
        return not self.cancelled and not (self.refunded and self.value == 0)


def conversions(
    outcomes: Iterable[ConversionEvent], name: str, goal: Goal, signals: Signals, waiting: Collection[str] = ()
) -> list[Conversion]:
    """Return a goal's conversions, oldest first, for events in any order.

    An order that only pages reported does not count while their sources are `waiting` for a server to report it.
    """
    wanted = signals.events(goal)
    groups: dict[tuple[str, str], list[ConversionEvent]] = {}
    for outcome in outcomes:
        event = outcome.event
        if event.type == "track" and event.usable and event.name in wanted:
            groups.setdefault(_identity(event, goal), []).append(outcome)
    made = [
        conversion
        for (_, key), group in groups.items()
        if not (waiting and _waits(group, goal, waiting))
        and (conversion := _one(key, group, name, goal, signals)) is not None
    ]
    return sorted(made, key=lambda each: (each.at, each.id))


def _waits(group: Sequence[ConversionEvent], goal: Goal, waiting: Collection[str]) -> bool:
    """Return whether only sources that wait for a server have reported an order."""
    if goal.event != "Order Completed":
        return False
    copies = [each.event for each in group if each.event.name == goal.event]
    return all(each.level != "server" and each.source in waiting for each in copies)


def _identity(event: Event, goal: Goal) -> tuple[str, str]:
    """Return the key of a conversion: the ID in its events, or else the message."""
    own = _own_id(property_of(event, goal.id or "order_id"))
    return ("", own) if own else (event.source, event.message_id)


def _own_id(value: Any) -> str:
    """Return an ID as text; empty without one, and for a placeholder."""
    own = text(value)
    return own if own and not USUAL.nothing(own) else ""


def _one(key: str, group: Sequence[ConversionEvent], name: str, goal: Goal, signals: Signals) -> Conversion | None:
    """Return the conversion of these events; None without the event itself. A server's values win over a browser's."""
    ordered = _in_order(group)
    order = sorted(ordered, key=lambda each: each.event.level != "server")
    copies = [each for each in order if each.event.name == goal.event]
    if not copies:
        return None
    best = copies[0]
    if best.event.level == "server":  # of an order that a server sent, only servers' events count
        ordered, order = ([each for each in these if each.event.level == "server"] for these in (ordered, order))
    currency = code_of(_currency(best.event) or goal.currency or DEFAULT_CURRENCY)
    amount, unread = _worth(best.event, goal, currency)
    notes = [unread] if unread else []
    bought = best.event.products
    updates = [each.event for each in order if each.event.name == "Order Updated" and _total(each.event) is not None]
    if updates:
        trusted = [each for each in updates if each.level == updates[0].level]
        latest = max(trusted, key=attrgetter("at", "message_id"))
        amount, bought = _total(latest) or 0.0, (*latest.products, *bought)
    refunded = 0.0
    seen: set[str] = set()
    for event in (each.event for each in ordered):
        if event.name == "Order Updated" and (lost := _unread_total(event)):
            notes.append(f"Order Updated {event.message_id}: {lost}, so the value of the order stays the same")
        if event.name == "Order Refunded":
            own = _own_id(event.properties.get("refund_id")) or event.message_id
            if own not in seen:
                seen.add(own)
                back, note = _refund(event, bought, amount, currency, signals)
                refunded += back
                notes += [note] if note else []
    return Conversion(
        name,
        key,
        min(each.event.at for each in copies),
        rounded(amount, currency),
        currency,
        best.owner,
        best.members,
        rounded(min(refunded, max(amount, 0.0)), currency),
        any(each.event.name == "Order Cancelled" for each in ordered),
        len(copies),
        tuple(notes),
        best.event.level != "server",
    )


def _in_order(group: Sequence[ConversionEvent]) -> Sequence[ConversionEvent]:
    """Return a conversion's events in the order they happened."""
    if len(group) < 2:
        return group
    return sorted(
        group,
        key=lambda each: (each.event.at, each.event.message_id, each.event.source, msgspec.json.encode(each.event)),
    )


def _refund(
    event: Event, bought: Sequence[Product], amount: float, currency: str, signals: Signals
) -> tuple[float, str]:
    """Return the amount that a refund takes off an order of `amount`, and a note if it is unclear and takes nothing.

    A refund with neither a total nor products takes off all of it, by Segment's spec, unless it has a part of the order
    in properties of other names.
    """
    name = f"refund {text(event.properties.get('refund_id')) or event.message_id}"
    own = code_of(_currency(event)) or currency
    back = _total(event)
    why = _unread_total(event)
    if back is None and not why and (listed := event.properties.get("products")):
        why = f"its products {_shown(listed)} cannot be read"
    if back is None and not why and not event.products:
        part = _part(event)
        if not part:
            return amount, ""
        why = f"it has {part}, but no total and no products"
    if back is None and not why:
        back, own, why = _of_products(event.products, bought, own, currency)
    if why or back is None:
        return 0.0, f"{name}: {why}, so nothing is given back"
    if own != currency:
        (into, rate), (other, other_rate) = signals.rate(own), signals.rate(currency)
        if into != other:
            return 0.0, f"{name}: {abs(back):g} {own} is not converted: there is no rate to {currency}"
        back *= rate / other_rate
    return abs(back), ""


def _part(event: Event) -> str:
    """Return the name of a property of a refund that seems to have a part of the order; empty for none."""
    if event.order is not None and event.order.subtotal is not None:
        return "subtotal"
    return next((name for name, value in event.properties.items() if value and _PART.fullmatch(folded(name))), "")


def _of_products(
    products: Sequence[Product], bought: Sequence[Product], own: str, currency: str
) -> tuple[float, str, str]:
    """Return the value of products, its currency, and why it is unknown. Products without a price have the order's."""
    back, ordered = 0.0, 0
    for product in products:
        price = product.price
        if price is None:
            ordered += 1
            price = next((each.price for each in bought if each.price is not None and each.same(product)), None)
        if price is None:
            named = f"product {product.key[:60]}" if product.key else "a product without sku and product_id"
            return 0.0, own, f"{named} has no price, here or in the order"
        back += abs(price) * abs(product.quantity)
    if ordered and own != currency and ordered < len(products):
        return 0.0, own, f"it has prices in {own}, the order in {currency}"
    return back, currency if ordered else own, ""


def _unread_total(event: Event) -> str:
    """Return the reason if an event's total cannot be read; empty if it can, or if there is none."""
    for name in ("total", "revenue", "value"):
        if event.order is not None and getattr(event.order, name) is not None:
            return ""
        if (sent := event.properties.get(name)) not in (None, ""):
            return f"its {name} {_shown(sent)} cannot be read"
    return ""


def _shown(value: Any) -> str:
    """Return a value for a note, cut short."""
    shown = msgspec.json.encode(value, enc_hook=str).decode()
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _worth(event: Event, goal: Goal, currency: str) -> tuple[float, str]:
    """Return the value of a conversion, and a note if it could not be read."""
    if not goal.value:
        return _total(event) or 0.0, ""
    sent = property_of(event, goal.value)
    worth = number(sent, currency)
    if worth is None and sent not in (None, ""):
        return 0.0, f"its {goal.value} {_shown(sent)} cannot be read, so it counts as worth 0"
    return worth or 0.0, ""


def _total(event: Event) -> float | None:
    order = event.order
    if order is None:
        return None
    amounts = (order.total, order.revenue, order.value)
    return next((each for each in amounts if each is not None), None)


def _currency(event: Event) -> str:
    if event.order is not None and event.order.currency:
        return event.order.currency
    return text(event.properties.get("currency")) or next(
        (each.currency for each in event.products if each.currency), ""
    )


def property_of(event: Event, path: str) -> Any:
    """Return an event's property by its name or dotted path, wherever normalizing put it; None without one."""
    for typed in (event.order, event.products[0] if event.products else None):
        if typed is not None and path in typed.__struct_fields__ and getattr(typed, path) not in (None, ""):
            return getattr(typed, path)
    if path in event.properties:
        return event.properties[path]
    found: Any = event.properties
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found
