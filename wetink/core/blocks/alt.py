"""Alt: what a picture shows, in words, for those who do not see it."""

from wetink.core.blocks.block import Block, Decision
from wetink.core.events.event import Product
from wetink.core.text.invisible import controls
from wetink.core.units.money import money

LONGEST = 300
"""Characters."""


def alt_of(block: Block, decision: Decision | None, slot: int, language: str = "") -> str:
    """Return the words for a slot's picture: what a decision shows, else what the block says of itself.

    Prices are written as in `language`, such as `de` or `pt-BR`. Controls that pictures do not show are not said.

    >>> from wetink.core.blocks.block import Fallback
    >>> alt_of(Block("hero", Fallback("https://shop.example/", title="New every week")), None, 1)
    'New every week'
    """
    return controls(_said(block, decision, slot, language))[:LONGEST]


def _said(block: Block, decision: Decision | None, slot: int, language: str) -> str:
    said = block.alt or block.title
    if decision is None or not decision.variant:
        return block.fallback.title or said
    items = decision.items[slot - 1 : slot] if block.slots > 1 else decision.items
    shown = ", ".join(_named(item, language) for item in items)
    if not shown:
        words = (decision.facts.get(name) for name in ("title", "heading", "head"))
        shown = next((word for word in words if isinstance(word, str) and word), "")
    return ": ".join(part for part in (said, shown) if part)


def _named(item: Product, language: str) -> str:
    price = money(item.price, item.currency, language)
    return f"{item.name or item.key} ({price})" if price else item.name or item.key
