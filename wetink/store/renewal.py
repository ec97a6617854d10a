"""Renewal: the pure part of replacing a message's stored result, shared by engines."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from wetink.core.events.event import Event
from wetink.core.identity.identifier import Identifier
from wetink.core.units.quantity import text
from wetink.ports import Received, Record


def differs(received: Received, old: Event | None, record: Record) -> bool:
    """Return whether a message's result differs from its stored one."""
    return (received.verdict, tuple(received.problems), old) != (record.verdict, record.problems, record.event)


def at_its_time(record: Record, old: Event | None) -> Record:
    """Keep the event's time: a duplicate may have come earlier, or through a relay that corrected its clock."""
    if old is None or record.event is None or record.event.at == old.at:
        return record
    claims = tuple(replace(claim, at=old.at) for claim in record.claims)
    return replace(record, event=replace(record.event, at=old.at), claims=claims)


def named_placeholder(record: Record) -> bool:
    """Return whether a message has an identifier or a key that is a placeholder."""
    return any(each.code == "placeholder" for each in record.problems)


def product_keys(event: Event | None) -> set[str]:
    """Return all keys of an event's products."""
    products = event.products if event is not None else ()
    return {each for product in products for each in (product.sku, product.product_id) if each}


def nobodies(old: Event | None, record: Record) -> Iterator[Identifier]:
    """Yield the users of an old alias that are placeholders now."""
    if old is None or old.type != "alias" or record.joins is not None:
        return
    fields = msgspec.json.decode(record.raw)
    previous = text(fields.get("previousId", fields.get("previous_id")))
    for value in (previous, old.user if record.event is None or not record.event.user else None):
        if value:
            yield Identifier("user", value)
