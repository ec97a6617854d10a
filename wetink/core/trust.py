"""Trust: what may be shown of what a browser's key told us.

The key on a page is public, and whoever copies it can name any product, with any words, in anybody's name. What it
said of a product is therefore shown in the catalog's words, which only servers' keys teach, or not at all.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from msgspec.structs import replace

from wetink.core.cart import named
from wetink.core.catalog import FIELDS
from wetink.core.event import Product
from wetink.core.person import Cart, Person, Purchase, Seen
from wetink.core.views import Views

_words = attrgetter(*FIELDS)


def doubtful(person: Person) -> list[str]:
    """Return the keys of the products that only a browser's key told us of."""
    views = () if isinstance(person.views, Views) and person.views.trusted else person.views
    if not (views or person.cart.lines or person.wishlist or person.orders):
        return []
    seen = (*views, *person.cart.lines, *person.wishlist)
    told = [each.product.key for each in seen if not each.trusted]
    told += [product.key for order in person.orders if not order.trusted for product in order.products]
    return list(dict.fromkeys(told))


def believed(person: Person, catalog: Mapping[str, Product]) -> Person:
    """Return the person with each doubtful product in the catalog's words, and without those it does not know."""
    if not doubtful(person) and all(order.trusted for order in person.orders):
        return person
    return replace(
        person,
        views=_believed(person.views, catalog),
        cart=Cart(_believed(person.cart.lines, catalog), person.cart.changed_at),
        wishlist=_believed(person.wishlist, catalog),
        orders=tuple(each if each.trusted else _numbers_only(each, catalog) for each in person.orders),
    )


def refreshed(product: Product, known: Product | None) -> Product:
    """Return a product with whatever the catalog knows better: it has the newest word on each field.

    The catalog knows a product once, whatever its variants: of another variant than its own it only fills in what is
    missing.
    """
    if known is None:
        return product
    said, words = _words(product), _words(known)
    if said == words:
        return product
    if product.variant and known.variant and named(product) != named(known):
        pairs = zip(said, words, strict=True)
        words = tuple([word if ours is None or ours == "" else ours for ours, word in pairs])
    better = {
        field: word
        for field, ours, word in zip(FIELDS, said, words, strict=True)
        if word is not None and word != "" and word != ours
    }
    return replace(product, **better) if better else product


def _numbers_only(order: Purchase, catalog: Mapping[str, Product]) -> Purchase:
    """Return an order without its sender's words: the catalog's products, and its money."""
    bought = [each for each in order.products if each.key in catalog]
    currency = order.order.currency if len(order.order.currency) == 3 else ""
    words = dict.fromkeys(("order_id", "checkout_id", "affiliation", "coupon"), "")
    money = replace(order.order, **words, currency=currency)
    return replace(
        order,
        order=money,
        products=tuple(replace(catalog[each.key], quantity=each.quantity) for each in bought),
    )


def _believed(seen: Iterable[Seen], catalog: Mapping[str, Product]) -> tuple[Seen, ...]:
    return tuple(
        each if each.trusted else Seen(replace(catalog[each.product.key], quantity=each.product.quantity), each.at)
        for each in seen
        if each.trusted or each.product.key in catalog
    )
