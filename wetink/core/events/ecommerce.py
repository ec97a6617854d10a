"""Ecommerce: the 28 events of Segment's Ecommerce spec v2 with their other names, and their properties."""

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from wetink.core.events.availability import availability
from wetink.core.events.event import Order, Problem, Product, problem
from wetink.core.text.characters import unescaped
from wetink.core.text.placeholder import USUAL, Placeholders
from wetink.core.text.url import absolute as url
from wetink.core.units.currency import CODES, code_of
from wetink.core.units.money import NO_AMOUNT, Amount, number
from wetink.core.units.money import read as amount_of
from wetink.core.units.quantity import LONGEST_TEXT, pieces, stock, text, whole

EVENTS: dict[str, tuple[str, ...]] = {
    # Browsing
    "Products Searched": ("Product Searched", "Searched Products", "search", "searched"),
    "Product List Viewed": ("Viewed Product Category", "Viewed Product List", "Category Viewed", "category"),
    "Product List Filtered": ("Filtered Product List",),
    # Promotions
    "Promotion Viewed": ("Viewed Promotion",),
    "Promotion Clicked": ("Clicked Promotion",),
    # Core ordering
    "Product Clicked": ("Clicked Product",),
    "Product Viewed": ("Viewed Product", "product"),
    "Product Added": ("Added Product", "cart_add", "Product Added to Cart", "Added to Cart"),
    "Product Removed": ("Removed Product", "cart_remove", "Product Removed from Cart", "Removed from Cart"),
    "Cart Viewed": ("Viewed Cart",),
    "Checkout Started": ("Started Checkout", "Started Order"),
    "Checkout Step Viewed": ("Viewed Checkout Step",),
    "Checkout Step Completed": ("Completed Checkout Step",),
    "Payment Info Entered": ("Entered Payment Info",),
    "Order Updated": ("Updated Order",),
    "Order Completed": ("Completed Order", "conversion"),
    "Order Refunded": ("Refunded Order",),
    "Order Cancelled": ("Cancelled Order", "Order Canceled", "Canceled Order"),
    # Coupons
    "Coupon Entered": ("Entered Coupon",),
    "Coupon Applied": ("Applied Coupon",),
    "Coupon Denied": ("Denied Coupon",),
    "Coupon Removed": ("Removed Coupon",),
    # Wishlist
    "Product Added to Wishlist": ("Added to Wishlist", "Added Product to Wishlist"),
    "Product Removed from Wishlist": ("Removed from Wishlist", "Removed Product from Wishlist"),
    "Wishlist Product Added to Cart": ("Added Wishlist Product to Cart",),
    # Sharing and reviewing
    "Product Shared": ("Shared Product",),
    "Cart Shared": ("Shared Cart",),
    "Product Reviewed": ("Reviewed Product",),
}
"""Other names by the spec's name: of the spec's first version, of Movable Ink's native events, and common slips. Case,
spaces, underscores and hyphens do not matter, so they need no entries."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s_\-]+")


def folded(name: str) -> str:
    """Return a name in its compared form: without differences in case, spaces, underscores and hyphens."""
    return _BETWEEN.sub(" ", _HUMP.sub(" ", name)).strip().lower()


_CANONICAL = {folded(name): event for event, others in EVENTS.items() for name in (event, *others)}


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """Return the spec's name of an event name as sent; None for a custom event.

    >>> canonical("product_viewed"), canonical("Completed Order"), canonical("Quiz Taken")
    ('Product Viewed', 'Order Completed', None)
    """
    if name in EVENTS:
        return name
    return _CANONICAL.get(folded(name)) if len(name) <= 64 else None


ONE_PRODUCT = frozenset(
    [
        "Product Clicked",
        "Product Viewed",
        "Product Added",
        "Product Removed",
        "Product Added to Wishlist",
        "Product Removed from Wishlist",
        "Wishlist Product Added to Cart",
        "Product Shared",
        "Product Reviewed",
    ]
)
"""Events whose properties are a product."""

MANY_PRODUCTS = frozenset(
    [
        "Product List Viewed",
        "Product List Filtered",
        "Cart Viewed",
        "Cart Shared",
        "Checkout Started",
        "Order Updated",
        "Order Completed",
        "Order Refunded",
        "Order Cancelled",
    ]
)
"""Events that list products."""

ORDERS = frozenset(["Checkout Started", "Order Updated", "Order Completed", "Order Refunded", "Order Cancelled"])
"""Events with the amounts of an order."""

LONGEST_HINT = 16
"""Characters of the longest text that may name a currency."""

SEARCHED = (
    "query", "search_query", "search_term", "search_string", "searchQuery", "searchTerm", "searchString", "term",
    "keyword", "keywords", "q",
)  # fmt: skip
"""Senders' names for the words of a search, the spec's first."""

Reader = Callable[[Any], Any]


def first_category(value: Any) -> str | None:
    """Return the first category of a list such as Movable Ink's: texts, or objects with a title, a name or an id.

    >>> first_category([{"id": "mugs", "title": "Mugs"}, {"id": "blue"}]), first_category(["Mugs"]), first_category([])
    ('Mugs', 'Mugs', None)
    """
    found = value[0] if isinstance(value, list) and value else value
    if isinstance(found, dict):
        found = found.get("title") or found.get("name") or found.get("id")
    return text(found)


_PRODUCT: dict[str, tuple[str, Reader, bool]] = {
    "product_id": ("product_id", text, True),
    "sku": ("sku", text, True),
    "name": ("name", text, True),
    "url": ("url", url, True),
    "image_url": ("image_url", url, True),
    "price": ("price", number, True),
    "currency": ("currency", text, True),
    "quantity": ("quantity", pieces, True),
    "category": ("category", text, True),
    "brand": ("brand", text, True),
    "variant": ("variant", text, True),
    "coupon": ("coupon", text, True),
    "position": ("position", whole, True),
    "list_price": ("list_price", number, True),
    "compare_at_price": ("list_price", number, False),
    "regular_price": ("list_price", number, False),
    "original_price": ("list_price", number, False),
    "availability": ("availability", availability, True),
    "in_stock": ("availability", availability, False),
    "inStock": ("availability", availability, False),
    "is_in_stock": ("availability", availability, False),
    "available": ("availability", availability, False),
    "stock": ("stock", stock, True),
    "inventory": ("stock", stock, False),
    "inventory_quantity": ("stock", stock, False),
    "productId": ("product_id", text, False),
    "id": ("product_id", text, False),
    "title": ("name", text, False),
    "imageUrl": ("image_url", url, False),
    "imageURL": ("image_url", url, False),
    "image": ("image_url", url, False),
    "product_sku": ("sku", text, False),
    "product_name": ("name", text, False),
    "product_url": ("url", url, False),
    "product_image_url": ("image_url", url, False),
    "product_price": ("price", number, False),
    "product_category": ("category", text, False),
    "product_brand": ("brand", text, False),
    "product_variant": ("variant", text, False),
    "categories": ("category", first_category, False),
}
"""Field, reader, and whether the name is the spec's own, by property. The spec's name wins over others."""

_ORDER: dict[str, tuple[str, Reader, bool]] = {
    "order_id": ("order_id", text, True),
    "orderId": ("order_id", text, False),
    "id": ("order_id", text, False),
    "checkout_id": ("checkout_id", text, True),
    "affiliation": ("affiliation", text, True),
    "total": ("total", number, True),
    "subtotal": ("subtotal", number, True),
    "revenue": ("revenue", number, True),
    "value": ("value", number, True),
    "shipping": ("shipping", number, True),
    "tax": ("tax", number, True),
    "discount": ("discount", number, True),
    "coupon": ("coupon", text, True),
    "currency": ("currency", text, True),
}


def _texts(words: dict[str, tuple[str, Reader, bool]]) -> frozenset[str]:
    """Return the text fields whose property has the field's own name."""
    return frozenset(name for name, (field, read, own) in words.items() if own and read is text and name == field)


PRODUCT_NAMES = _PRODUCT.keys()
"""Properties that are read into a product's fields."""


def _amounts(words: dict[str, tuple[str, Reader, bool]]) -> frozenset[str]:
    """Return the properties that are amounts of money."""
    return frozenset(name for name, (_, read, _) in words.items() if read is number)


PRODUCT_AMOUNTS, ORDER_AMOUNTS = _amounts(_PRODUCT), _amounts(_ORDER)
"""Properties that are amounts of money."""

_PRODUCT_TEXTS, _ORDER_TEXTS = _texts(_PRODUCT), _texts(_ORDER)


def order_names() -> tuple[str, ...]:
    """Return the properties that are read into an order's fields."""
    return tuple(_ORDER)


def product_field(name: str) -> str:
    """Return the product field that a property is read into; empty for none."""
    return _PRODUCT[name][0] if name in _PRODUCT else ""


def order_field(name: str) -> str:
    """Return the order field that a property is read into; empty for none."""
    return _ORDER[name][0] if name in _ORDER else ""


def product(
    properties: dict[str, Any], known: Placeholders = USUAL, currency: Any = None
) -> tuple[Product, dict[str, Any]]:
    """Return the product in these properties, and the remaining properties, including unreadable ones, as received.

    A placeholder by `known` cannot identify a product, so it stays with the rest. `currency` is that of the surrounding
    order.

    >>> product({"sku": 7, "title": "Mug", "price": "9.50", "color": "blue"}) == (
    ...     Product(sku="7", name="Mug", price=9.5), {"color": "blue"}
    ... )
    True
    """
    fields, rest = _split(properties, _PRODUCT, _PRODUCT_TEXTS, currency)
    found = Product(**fields)
    if (
        (found.sku and known.nothing(found.sku))
        or (found.product_id and known.nothing(found.product_id))
        or (found.variant and known.no_variant(found.variant))
        or (found.name and known.unfilled(found.name))
    ):
        held = _placeholders(properties, _PRODUCT, known)
        fields, rest = _split(_without(properties, held), _PRODUCT, _PRODUCT_TEXTS, currency)
        return Product(**fields), {**rest, **held}
    return found, rest


def order(properties: dict[str, Any], known: Placeholders = USUAL) -> tuple[Order, dict[str, Any]]:
    """Return the order in these properties, and the remaining properties. Placeholders are treated as in `product`."""
    fields, rest = _split(properties, _ORDER, _ORDER_TEXTS)
    found = Order(**fields)
    if found.order_id and known.nothing(found.order_id):
        held = _placeholders(properties, _ORDER, known)
        fields, rest = _split(_without(properties, held), _ORDER, _ORDER_TEXTS)
        return Order(**fields), {**rest, **held}
    return found, rest


TOLD_APART: dict[str, Callable[[str, Placeholders], bool]] = {
    "sku": lambda text, known: known.nothing(text),
    "product_id": lambda text, known: known.nothing(text),
    "order_id": lambda text, known: known.nothing(text),
    "variant": lambda text, known: known.no_variant(text),
    "name": lambda text, known: known.unfilled(text),
}
"""Checks for placeholders, by the fields that identify things, or that people read."""

ORDER_IDS = tuple(name for name, (field, _, _) in _ORDER.items() if field == "order_id")
"""Properties that may hold an order's id."""


def _placeholders(
    properties: dict[str, Any], words: dict[str, tuple[str, Reader, bool]], known: Placeholders
) -> dict[str, Any]:
    """Return the properties with a placeholder in a field that identifies things."""
    held: dict[str, Any] = {}
    for name, value in properties.items():
        field = words[name][0] if name in words else ""
        given = text(value) if field in TOLD_APART else None
        if given and TOLD_APART[field](given, known):
            held[name] = value
    return held


def _without(properties: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in held}


def _split(
    properties: dict[str, Any],
    words: dict[str, tuple[str, Reader, bool]],
    texts: frozenset[str],
    currency: Any = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    fields: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    found: Any
    named = ""  # the currency inside an amount
    for name, value in properties.items():
        if name in texts and type(value) is str and len(value) <= LONGEST_TEXT and (given := value.strip()):
            # The result of `text`, inlined, with HTML entities or without: most properties of a product take this path.
            fields[name] = given if "&" not in given else unescaped(given)
            continue
        word = words.get(name)
        if word is None:
            rest[name] = value
            continue
        field, read, own = word
        try:
            if read is number and type(value) is not float and type(value) is not int:
                amount = amount_in(properties, value, currency)
                found, named = amount.value, named or amount.currency
            else:
                found = read(value)
        except TypeError:  # a link that is no text
            found = None
        if found is None or found == "":
            if value is not None and value != "":
                rest[name] = value  # unreadable values are kept
        elif own or field not in fields:
            fields[field] = found
    if named and "currency" not in fields:
        fields["currency"] = named
    return fields, rest


def unread(rest: dict[str, Any], names: Collection[str], place: str, currency: str) -> list[Problem]:
    """Return a problem for each unreadable amount in `rest` with one of the `names`. `place` is the path's prefix."""
    return [problem(fault_of(value, currency), f"{place}{name}") for name, value in rest.items() if name in names]


def fault_of(value: Any, currency: str) -> str:
    """Return the code of the problem of an amount that could not be read beside `currency`."""
    amount = amount_of(value, currency)
    return "other_currency" if amount.value is not None and amount.currency else amount.fault or "not_a_number"


def amount_in(properties: dict[str, Any], value: Any, currency: Any = None) -> Amount:
    """Return an amount that is one of these properties. One that names another currency than theirs is not read."""
    amount = amount_of(value, hint_of(properties, currency))
    beside = code_of(hint_of(properties)) if amount.currency else ""
    return NO_AMOUNT if beside in CODES and beside != amount.currency else amount


def hint_of(properties: dict[str, Any], currency: Any = None) -> str:
    """Return the currency in these properties, else `currency`, that of the surroundings; empty for none."""
    given = properties.get("currency") if isinstance(properties, dict) else None
    if type(given) is not str or not given:
        given = currency
    return given if type(given) is str and len(given) <= LONGEST_HINT else ""
