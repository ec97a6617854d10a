"""A shopper with a past, as records of the log: what ingest would have made of their messages."""

import msgspec

from wetink.core.events.event import Event, Order, Problem, Product, Verdict
from wetink.core.identity.identifier import Claim, Identifier
from wetink.ports import Record

HOUR = 3_600_000
EVIL = "<script>alert('x')</script>"

USER = Identifier("user", "42")
EMAIL = Identifier("email", "jane@shop.example")
VISITOR = Identifier("anonymous", "v/1")
"""Its value has a slash, which an address must carry."""

MUG = Product(sku="MUG-1", name="Sea mug", price=24.5, currency="USD", url="https://shop.example/mug")
TRAP = Product(sku="TRAP-1", name=EVIL, price=1.0, currency="EUR", url="javascript:alert(1)")

BLOCKS = {
    "blocks/hero.yaml": """
title: Left behind
fetches: {scanner: {show: fallback}, prefetch: {count: true}}
recipients: [email]
variants:
  - name: cart left behind
    app: abandoned-cart
    when: [{not_done: Order Completed, within: 1d}, {trait: plan, one_of: [gold, silver]}]
  - name: still looking
    app: last-viewed
fallback: {title: New in, link: "https://shop.example/new"}
""",
    "blocks/picks.yaml": """
width: 180
height: 240
slots: 2
variants:
  - {name: seen, app: last-viewed, settings: {items: 2}}
fallback: {title: Look around, link: "https://shop.example/"}
""",
    "blocks/broken.yaml": "variants: 3\n",
}


def record(
    event: Event, filed: Identifier, problems: tuple[Problem, ...] = (), claims: tuple[Claim, ...] = ()
) -> Record:
    """Return the record of a message that was received when it happened."""
    note = f"raw of {event.message_id}"
    raw = msgspec.json.encode({"messageId": event.message_id, "event": event.name, "note": note})
    verdict: Verdict = "unusable" if problems else "usable"
    return Record(event.source, event.message_id, event.at, 0, raw, verdict, problems, filed, event, claims)


def past(now: int) -> list[Record]:
    """Return what the shopper did in the five hours before `now` (Unix ms), and two messages in trouble."""
    seen = Event("track", now - 5 * HOUR, "m-seen", "shop-web", "Product Viewed", anonymous="v/1", products=(MUG,))
    traits = {"name": f"Jane {EVIL}", "plan": "gold"}
    named = Event("identify", now - 4 * HOUR, "m-name", "shop-backend", user="42", traits=traits)
    put = Event("track", now - 3 * HOUR, "m-cart", "shop-backend", "Product Added", user="42", products=(TRAP, MUG))
    order = Order(order_id="O-7", total=1234.5, currency="USD")
    bought = Event(
        "track", now - 48 * HOUR, "m-order", "shop-backend", "Order Completed", user="42", order=order, products=(MUG,)
    )
    lacking = Event("track", now - HOUR, "m-bad", "shop-web", "Product Viewed", usable=False, user="42")
    claims = tuple(Claim(now - 4 * HOUR, "shop-backend", "m-name", weaker, USER) for weaker in sorted((VISITOR, EMAIL)))
    missing = (Problem("missing", "properties.sku", "send sku or product_id"),)
    lost = (Problem("nobody", "userId", "send userId or anonymousId"),)
    return [
        record(bought, USER),
        record(seen, VISITOR),
        record(named, USER, claims=claims),
        record(put, USER),
        record(lacking, USER, missing),
        Record("shop-web", "m-lost", now - HOUR, 0, b'{"event": "lost"}', "parked", lost),
    ]
