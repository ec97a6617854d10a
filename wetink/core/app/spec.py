"""Spec: the names that Segment's specs have for properties and traits, to tell a slip from a name of a shop's own.

Sources: Segment's Ecommerce spec v2 (Spec: V2 Ecommerce Events) and Identify spec (Spec: Identify, Traits).
"""

from collections.abc import Iterator, Mapping

from wetink.core.app.setting import closest
from wetink.core.events.aliases import EVENTS, canonical
from wetink.core.events.ecommerce import PRODUCT_NAMES, order_names
from wetink.core.messages.mapping import EventMapping

PROPERTIES: tuple[str, ...] = (
    *PRODUCT_NAMES, *order_names(),
    "products", "product", "query", "cart_id", "list_id", "wishlist_id", "wishlist_name", "review_id", "review_body",
    "rating", "share_via", "share_message", "recipient", "sorts", "filters", "promotion_id", "creative", "reason",
    "coupon_id", "coupon_name", "step", "shipping_method", "payment_method", "email",
)  # fmt: skip
"""Names of properties of the 28 events, and of a product in one of them."""

TRAITS = (
    "address", "age", "avatar", "birthday", "company", "createdAt", "created_at", "description", "email", "firstName",
    "first_name", "gender", "id", "lastName", "last_name", "name", "phone", "title", "username", "website", "plan",
    "locale", "language", "timezone", "currency", "country", "city",
)  # fmt: skip
"""Names of traits."""


def doubts(mapping: EventMapping) -> Iterator[str]:
    """Yield each name that a mapping makes and that nothing reads, with its place and the nearest name that is read.

    A name of the shop's own may be meant, so these are notes and no errors.
    """
    for theirs, names in mapping.events.items():
        place = f"events.{theirs}"
        event = names.name or theirs
        known = canonical(event)
        if names.name and known is None:
            near = closest(names.name, list(EVENTS))
            yield f"{place}.name: {names.name!r} is not an event of the spec{near or ', so only rules can use it'}"
            known = canonical(near.removeprefix("; did you mean ").removesuffix("?")) if near else None
        if known is not None:
            yield from _unread(f"{place}.properties", names.properties, PROPERTIES)
            if names.products is not None:
                yield from _unread(f"{place}.products.properties", names.products.properties, PROPERTIES)
    for theirs, ours in mapping.traits.items():
        if near := _near(ours, TRAITS):
            yield f"traits.{theirs}: {ours!r} is not a trait of the spec{near}"


def _unread(place: str, names: Mapping[str, str], known: tuple[str, ...]) -> Iterator[str]:
    for theirs, ours in names.items():
        if ours not in known:
            near = _near(ours, known) or ", so only rules and templates can use it"
            yield f"{place}.{theirs}: {ours!r} is not a property of the spec{near}"


def _near(name: str, known: tuple[str, ...]) -> str:
    return "" if name in known else closest(name, known)
