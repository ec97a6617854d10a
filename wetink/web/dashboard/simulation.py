"""Suppose: what did not happen, as the form of a preview says it: one event of a product, and messages as JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wetink.core.errors import BadContent
from wetink.core.events.event import Event, Product
from wetink.core.messages.simulation import events_of, read
from wetink.wiring import Wetink

EVENTS = ("Product Viewed", "Product Added", "Product Added to Wishlist", "Order Completed")
NOTHING: Mapping[str, Product] = {}
LONGEST = 8_000
"""Characters of the messages in a page's address."""


class Supposed(msgspec.Struct, frozen=True):
    """What a form supposes. `text` is all of it as JSON, empty for nothing; `problem` says what cannot be used."""

    events: tuple[Event, ...] = ()
    text: str = ""
    problem: str = ""


async def supposed(
    wetink: Wetink, query: Mapping[str, str], now: int, others: Mapping[str, Product] = NOTHING
) -> Supposed:
    """Return what the query supposes to have happened by `now` (Unix ms). Raises StoreUnavailable.

    Its product is one of the catalog, or of the `others` by key.
    """
    text, event, key = query.get("suppose", ""), query.get("if_event", ""), query.get("if_product", "").strip()[:200]
    if not text.strip() and event not in EVENTS:
        return Supposed()
    try:
        if len(text) > LONGEST:
            raise BadContent(f"more than {LONGEST} characters", hint="`wetink open --with FILE` takes more")
        messages = read(text)
        if event in EVENTS:
            if not key:
                raise BadContent(f"{event} needs a product", hint="enter its key from the catalog")
            messages.append({"event": event, "properties": _properties(event, await _product(wetink, key, others))})
        return Supposed(events_of(messages, now), msgspec.json.encode(messages).decode())
    except BadContent as error:
        return Supposed(problem=f"{error}{f': {error.hint}' if error.hint else ''}")


async def _product(wetink: Wetink, key: str, others: Mapping[str, Product]) -> Product:
    """Return a product as the catalog has it. Raises BadContent."""
    known = (await wetink.store.catalog.products([key])).get(key) or others.get(key)
    if known is None:
        some = f"such as {', '.join(list(others)[:3])}, or " if others else ""
        raise BadContent(f"there is no product {key!r}", hint=f"{some}find keys in the catalog")
    return known


def _properties(event: str, known: Product) -> dict[str, Any]:
    """Return the properties of an event of a product."""
    told = {name: value for name, value in msgspec.to_builtins(known).items() if value not in (None, "", 0)}
    told["quantity"] = 1
    if event != "Order Completed":
        return told
    return {"order_id": "what if", "total": known.price or 0, "currency": known.currency, "products": [told]}
