"""Sight: everything a template may see, and what a countdown shows."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.blocks.block import Block, Decision
from wetink.core.catalog.trust import shown
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person, plain
from wetink.ports import Ticking


def sight(
    block: Block,
    decision: Decision,
    slot: int,
    person: Person,
    moment: Moment,
    catalog: Mapping[str, Product],
    template: str = "",
) -> dict[str, Any]:
    """Return everything a template may see: of what pages told no more than `core.trust` lets through.

    Of the person's identifiers it sees the recipient alone, for the others may be anybody's words.
    """
    items = [_seen(item) for item in decision.items]
    who = recipient_of(decision)
    person = replace(shown(person, template=template), identifiers=() if who is None else (who,))
    return {
        "items": items,
        "item": items[slot - 1] if 1 <= slot <= len(items) else None,
        "person": plain(person),
        "moment": msgspec.to_builtins(moment),
        "settings": decision.settings,
        "block": {
            "name": block.name,
            "width": block.width,
            "height": block.height,
            "title": block.title,
            "slots": block.slots,
        },
        "slot": slot,
        "frame": 0,
        "frames": decision.facts.get("frames", 1),
        "facts": decision.facts,
        "catalog": {key: _seen(product) for key, product in catalog.items()},
    }


def _seen(product: Product) -> dict[str, Any]:
    fields = {name: getattr(product, name) for name in product.__struct_fields__}
    return {**fields, "key": product.key, "photo": product.image_url}


def ticking(block: Block, facts: Mapping[str, Any], moment: Moment) -> Ticking:
    """Return the countdown that a decision of these facts shows, as it stands at a moment."""
    labels = tuple(facts["labels"])
    left = facts["ends_at"] - moment.now
    return Ticking(
        facts["title"], labels, facts["accent"], block.width, block.height, left, moment.ratio, moment.scheme
    )


def recipient_of(decision: Decision) -> Identifier | None:
    """Return whom a decision was made for."""
    kind, colon, value = decision.recipient.partition(":")
    return Identifier(kind, value) if colon else None  # type: ignore[arg-type]
