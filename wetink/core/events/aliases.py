"""Aliases: the 28 events of Segment's Ecommerce spec v2 and every other name they go by."""

import re
from functools import lru_cache

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
"""Canonical name -> its other names: of the spec's first version, of Movable Ink's native events, and common slips.
Case, blanks, underscores and hyphens never matter, so they need no entries."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s_\-]+")


def folded(name: str) -> str:
    """Return a name without what never matters in it: case, blanks, underscores and hyphens."""
    return _BETWEEN.sub(" ", _HUMP.sub(" ", name)).strip().lower()


_CANONICAL = {folded(name): event for event, others in EVENTS.items() for name in (event, *others)}


@lru_cache(maxsize=4096)
def canonical(name: str) -> str | None:
    """Return the spec's name for an event name as it was sent; None for a custom event.

    >>> canonical("product_viewed"), canonical("Completed Order"), canonical("Quiz Taken")
    ('Product Viewed', 'Order Completed', None)
    """
    if name in EVENTS:
        return name
    return _CANONICAL.get(folded(name)) if len(name) <= 64 else None
