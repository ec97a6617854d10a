"""Story: what somebody of the cast did, folded without a server."""

from collections.abc import Iterable
from typing import Any

from wetink.core.events.event import Event, Order, Product
from wetink.core.profile.fold import fold
from wetink.core.profile.person import Person
from wetink.demo.life import Message, Role

FIELDS = ("product_id", "sku", "name", "url", "image_url", "price", "currency", "quantity", "category", "brand")


def person_of(messages: Iterable[Message], role: Role, now: int) -> Person:
    """Return a role as of `now` (Unix ms): everything from the devices it logged in on, or its only one."""
    told = list(messages)
    kind, _, value = role.recipient.partition(":")
    devices = {value} if kind == "anonymous" else set()
    devices |= {each.anonymous for each in told if each.kind == "identify" and each.properties["email"] == role.email}
    events = (event_of(message) for message in told if message.anonymous in devices)
    return fold(sorted(events, key=lambda event: event.at), now)


def event_of(message: Message) -> Event:
    """Return the event a message becomes."""
    told = message.properties
    listed = told.get("products", [told] if "sku" in told else [])
    return Event(
        type=message.kind,
        at=message.at,
        message_id=message.message_id,
        source="shop-server",
        name=message.name,
        user=message.user,
        anonymous=message.anonymous,
        products=tuple(_product(each) for each in listed),
        order=Order(order_id=told["order_id"], total=told.get("total")) if "order_id" in told else None,
        query=told.get("query", ""),
        traits=told if message.kind == "identify" else {},
    )


def _product(told: dict[str, Any]) -> Product:
    return Product(**{field: told[field] for field in FIELDS if field in told})
