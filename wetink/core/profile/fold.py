"""Fold: turns one profile's events, in the order they happened, into a Person.

House rule of this file: the same events give the same person, in any order of arrival.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from wetink.core.events.event import Product
from wetink.core.profile.history import AnyEvent, History
from wetink.core.profile.person import Cart, Person, Purchase, Search, Seen, Views


def line_of(lines: Sequence[Seen], product: Product) -> int | None:
    """Return the index of the cart line that a product means, with the oldest line first; None if there is none.

    >>> lines = [Seen(Product(sku="TEE", variant=variant), 0) for variant in ("Small", "Large")]
    >>> [line_of(lines, Product(sku="TEE", variant=variant)) for variant in ("small", "Large", "", "Medium")]
    [0, 1, 1, None]
    """
    sku, product_id = product.sku, product.product_id
    places = []
    for place, line in enumerate(lines):  # `Product.same`, without a call for each line
        its = line.product
        if sku == its.sku if sku and its.sku else product_id and product_id == its.product_id:
            places.append(place)
    if not places:
        return None
    for place in reversed(places):
        if named(lines[place].product) == named(product):
            return place
    if not product.variant:
        return places[-1]
    return next((place for place in reversed(places) if not lines[place].product.variant), None)


def left_of(lines: Sequence[Seen], bought: Iterable[Product]) -> list[Seen]:
    """Return the cart lines that remain after an order of these products.

    An order takes the variants that it names. If it names none of those in the cart, the shop writes variants
    differently there, or the shopper has chosen another one: the product was bought, so all its lines go.
    """
    taken, there = _Variants(bought), _Variants(line.product for line in lines)
    left = []
    for line in lines:
        product = line.product
        same = taken.of(product)
        if not same or (
            product.variant and "" not in same and named(product) not in same and not same.isdisjoint(there.of(product))
        ):
            left.append(line)
    return left


class _Variants:
    """The variants of products, by product. An order may name as many products as a cart has."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._by_sku: dict[str, set[str]] = {}
        self._by_id: dict[str, set[str]] = {}
        self._by_id_alone: dict[str, set[str]] = {}  # of those without a sku
        self._found: dict[tuple[str, str], AbstractSet[str]] = {}
        for each in products:
            variant = named(each)
            if each.sku:
                self._by_sku.setdefault(each.sku, set()).add(variant)
            elif each.product_id:
                self._by_id_alone.setdefault(each.product_id, set()).add(variant)
            if each.product_id:
                self._by_id.setdefault(each.product_id, set()).add(variant)

    def of(self, product: Product) -> AbstractSet[str]:
        """Return the variants of the same product."""
        thing = product.sku, product.product_id
        found = self._found.get(thing)
        if found is None:
            if not product.sku:
                found = self._by_id.get(product.product_id, _NONE)
            else:
                found = self._by_sku.get(product.sku, _NONE) | self._by_id_alone.get(product.product_id, _NONE)
            self._found[thing] = found
        return found


_NONE: frozenset[str] = frozenset()


def named(product: Product) -> str:
    """Return the variant of a product in the form in which variants are compared."""
    return " ".join(product.variant.split()).casefold()


SEARCHES, WISHES, LINES = 50, 200, 200
"""The newest searches, wishes and cart lines that a person keeps."""

PRODUCTS = 5_000
"""Products in carts, wishes and orders that a fold reads, from the newest events. A page's key can report that a person
put 500 products into the cart a thousand times, and the open of their email must not wait for that."""

_TIME = attrgetter("at")
_ORDER = attrgetter("at", "source", "message_id")


class _Folding:
    """A person under construction."""

    def __init__(self) -> None:
        self.traits: dict[str, Any] = {}
        self.page_traits: dict[str, Any] = {}
        self.unset: set[str] = set()
        self.page_events: set[str] = set()
        self.viewed: list[AnyEvent] = []
        self.searches: list[Search] = []
        self.lines: list[Seen] = []
        self.cart_changed = 0
        self.wishlist: list[Seen] = []
        self.orders: list[Purchase] = []
        self.done: dict[str, list[int]] = {}


def in_order(events: Iterable[Any]) -> list[Any]:
    """Return events in the order they happened; within a millisecond, by source and message ID."""
    ordered = sorted(events, key=_TIME)
    if len(set(map(_TIME, ordered))) < len(ordered):
        ordered.sort(key=_ORDER)
    return ordered


def fold(events: Iterable[AnyEvent], now: int) -> Person:
    """Return the person of these events at `now` (Unix ms). Later events have not happened yet."""
    happened = in_order([event for event in events if event.at <= now])
    folding = _Folding()
    done, zone = folding.done, ""
    beyond = _too_old(happened)
    for index, event in enumerate(happened):
        if event.zone:
            zone = event.zone
        name = event.name if event.type == "track" else event.type
        if event.traits and event.type != "group":
            _learn(folding, event.traits, page=event.level == "browser")
        if event.usable:
            if name in done:
                done[name].append(event.at)
            else:
                done[name] = [event.at]
                if event.level != "server":
                    folding.page_events.add(name)
            if event.level == "server" and folding.page_events:
                folding.page_events.discard(name)
        if event.type == "track":
            step = STEPS.get(name)
            if step is not None and (index >= beyond or name in _READ_LATER):
                step(folding, event)
    traits, page_traits = _traits(folding)
    return Person(
        traits=traits,
        views=Views.of(folding.viewed),
        searches=tuple(folding.searches[: -SEARCHES - 1 : -1]),
        cart=Cart(tuple(folding.lines), folding.cart_changed),
        wishlist=tuple(reversed(folding.wishlist)),
        orders=tuple(sorted(folding.orders, key=lambda order: -order.at)),
        done={name: tuple(times) for name, times in folding.done.items()},
        first_seen=happened[0].at if happened else 0,
        last_seen=happened[-1].at if happened else 0,
        history=History(happened),
        zone=zone,
        page_traits=page_traits,
        page_events=tuple(sorted(folding.page_events)),
    )


def _too_old(happened: list[AnyEvent]) -> int:
    """Return the index of the oldest event whose products are read for carts, wishes and orders."""
    left = PRODUCTS
    for place in range(len(happened) - 1, -1, -1):
        event = happened[place]
        if event.type == "track" and event.name in STEPS and event.name not in _READ_LATER:
            left -= event.product_count
            if left < 0:
                return place + 1
    return 0


def _learn(folding: _Folding, sent: dict[str, Any], *, page: bool) -> None:
    traits = folding.page_traits if page else folding.traits
    for name, value in sent.items():
        if value is not None:
            traits[name] = value
            continue
        traits.pop(name, None)
        if not page:
            folding.unset.add(name)


def _traits(folding: _Folding) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return all traits, and the names of those from pages only. A server's value wins, whatever its time."""
    if not folding.page_traits:
        return folding.traits, ()
    alone = {
        name: value
        for name, value in folding.page_traits.items()
        if name not in folding.traits and name not in folding.unset
    }
    return {**alone, **folding.traits}, tuple(sorted(alone))


def _seen(product: Product, event: AnyEvent) -> Seen:
    return Seen(product, event.at, event.level == "server")


def _take(seen: list[Seen], product: Product) -> Seen | None:
    """Remove a product from a list and return it; None if it is not there."""
    for index, each in enumerate(seen):
        if each.product.same(product):
            return seen.pop(index)
    return None


def _take_line(lines: list[Seen], product: Product) -> Seen | None:
    """Remove the line that a product means from a cart and return it; None if it is not there."""
    place = line_of(lines, product)
    return lines.pop(place) if place is not None else None


def _viewed(folding: _Folding, event: AnyEvent) -> None:
    folding.viewed.append(event)


def _searched(folding: _Folding, event: AnyEvent) -> None:
    if event.query:
        before = [search for search in folding.searches if search.query == event.query]
        if before:
            folding.searches.remove(before[0])
        trusted = event.level == "server" or any(search.trusted for search in before)
        folding.searches.append(Search(event.query, event.at, trusted))


def _added(folding: _Folding, event: AnyEvent) -> None:
    for product in event.products:
        if product.key and _pieces(product.quantity) > 0:
            before = _take_line(folding.lines, product)
            quantity = _pieces(product.quantity + (before.product.quantity if before is not None else 0))
            variant = product.variant or (before.product.variant if before is not None else "")
            folding.lines.append(_seen(replace(product, quantity=quantity, variant=variant), event))
            del folding.lines[:-LINES]
            folding.cart_changed = event.at
        elif product.quantity < 0:
            _take_away(folding, product, event.at)


def _removed(folding: _Folding, event: AnyEvent) -> None:
    for product in event.products:
        _take_away(folding, product, event.at)


def _take_away(folding: _Folding, product: Product, at: int) -> None:
    """Remove pieces of a product from the cart, with either sign; all of it if the event has no quantity.

    Without a variant, they are removed from the product's newest line first.
    """
    pieces = abs(product.quantity)
    while (place := line_of(folding.lines, product)) is not None:
        line = folding.lines[place]
        left = _pieces(line.product.quantity - pieces)
        folding.cart_changed = at
        if left > 0 and product.quantity != 0:
            folding.lines[place] = Seen(replace(line.product, quantity=left), line.at, line.trusted)
            return
        del folding.lines[place]
        pieces = -left
        if product.variant or (left == 0 and product.quantity != 0):
            return


def _pieces(quantity: int | float) -> int | float:
    """Return a quantity without floating-point noise; an int if it is whole."""
    if type(quantity) is int:
        return quantity
    rounded = round(quantity, 6)
    return int(rounded) if rounded.is_integer() else rounded


def _listed(folding: _Folding, event: AnyEvent) -> None:
    """Replace the cart: Cart Viewed and Checkout Started list all of it. Without a product list, nothing changes."""
    if not event.products and event.properties.get("products") != []:
        return
    before, folding.lines = folding.lines, []
    for product in event.products:
        if product.key and _pieces(product.quantity) > 0:
            known = _take_line(before, product)
            unchanged = known is not None and known.product.quantity == product.quantity
            at = known.at if known is not None and unchanged else event.at
            folding.lines.append(Seen(product, at, event.level == "server"))
            del folding.lines[:-LINES]
    folding.cart_changed = event.at


def _ordered(folding: _Folding, event: AnyEvent) -> None:
    if event.order is None:
        return
    if _held_by_server(folding, event):
        return
    known = _order(folding, event)
    at = known.at if known is not None else event.at
    folding.orders.append(Purchase(event.order, event.products, at, event.usable, event.level == "server"))
    if known is not None or not folding.lines:
        return
    # An order without products was the whole cart.
    folding.lines = left_of(folding.lines, event.products) if event.products else []
    folding.cart_changed = event.at


def _held_by_server(folding: _Folding, event: AnyEvent) -> bool:
    """Return whether a page reports an order that a server has sent. The server's order then stays."""
    if event.level == "server" or event.order is None or not event.order.order_id:
        return False
    return any(each.trusted and each.order.order_id == event.order.order_id for each in folding.orders)


def _updated(folding: _Folding, event: AnyEvent) -> None:
    if _held_by_server(folding, event):
        return
    known = _order(folding, event)
    if known is not None and event.order is not None:
        products = event.products or known.products
        total = known.order.total if event.order.total is None else event.order.total
        trusted = event.level == "server" and (known.trusted or bool(event.products))
        order = replace(event.order, total=total)
        folding.orders.append(Purchase(order, products, known.at, known.usable, trusted))


def _cancelled(folding: _Folding, event: AnyEvent) -> None:
    if not _held_by_server(folding, event):
        _order(folding, event)


def _order(folding: _Folding, event: AnyEvent) -> Purchase | None:
    """Remove the order that an event names and return it; None if it is not there."""
    order_id = event.order.order_id if event.order is not None else ""
    for index, purchase in enumerate(folding.orders):
        if order_id and purchase.order.order_id == order_id:
            return folding.orders.pop(index)
    return None


def _wished(folding: _Folding, event: AnyEvent) -> None:
    for product in event.products:
        if product.key:
            _take(folding.wishlist, product)
            folding.wishlist.append(_seen(product, event))
            del folding.wishlist[:-WISHES]


def _unwished(folding: _Folding, event: AnyEvent) -> None:
    for product in event.products:
        _take(folding.wishlist, product)


STEPS: dict[str, Callable[[_Folding, AnyEvent], None]] = {
    "Product Viewed": _viewed,
    "Products Searched": _searched,
    "Product Added": _added,
    "Wishlist Product Added to Cart": _added,
    "Product Removed": _removed,
    "Cart Viewed": _listed,
    "Checkout Started": _listed,
    "Order Completed": _ordered,
    "Order Updated": _updated,
    "Order Cancelled": _cancelled,
    "Product Added to Wishlist": _wished,
    "Product Removed from Wishlist": _unwished,
}
"""How each event changes a person. All others only count as done."""

_READ_LATER = frozenset({"Product Viewed", "Products Searched"})
"""Events whose products the fold does not read."""
