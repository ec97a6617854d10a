"""Conversion: which block an order is credited to, and what all blocks brought."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

WINDOW_MS = 7 * 86_400_000
"""How long before an order a click or an open still counts."""


class Contact(msgspec.Struct, frozen=True):
    """An open or a click of a block, at `at` (Unix ms)."""

    kind: str
    block: str
    at: int


class BlockResult(msgspec.Struct, frozen=True):
    """What one block did. `revenue` is by currency."""

    block: str
    opens: int = 0
    clicks: int = 0
    orders: int = 0
    revenue: Mapping[str, float] = {}


def credited(ordered_at: int, contacts: Iterable[Contact]) -> Contact | None:
    """Return the contact an order is credited to: the last click of the 7 days before, else the last open of them.

    >>> day = 86_400_000
    >>> opened, clicked = Contact("open", "hero", 9 * day), Contact("click", "picks", 8 * day)
    >>> credited(10 * day, [opened, clicked]).block, credited(16 * day, [opened, clicked]).block
    ('picks', 'hero')
    >>> credited(7 * day, [opened]) is None
    True
    """
    counted = [each for each in contacts if ordered_at - WINDOW_MS <= each.at <= ordered_at]
    return max(counted, key=lambda each: (each.kind == "click", each.at, each.block), default=None)


def results(
    counts: Iterable[tuple[str, int, int]], orders: Iterable[tuple[str, float, str]], blocks: Sequence[str]
) -> list[BlockResult]:
    """Return one result for each block, by name.

    `counts` are (block, opens, clicks), `orders` (credited block, revenue, currency); `blocks` stand there in any case.
    """
    opens = {block: (opened, clicked) for block, opened, clicked in counts}
    revenue: dict[str, dict[str, float]] = {}
    number: dict[str, int] = {}
    for block, amount, currency in orders:
        number[block] = number.get(block, 0) + 1
        of_block = revenue.setdefault(block, {})
        of_block[currency] = round(of_block.get(currency, 0.0) + amount, 2)
    names = sorted({*blocks, *opens, *number})
    return [
        BlockResult(name, *opens.get(name, (0, 0)), orders=number.get(name, 0), revenue=revenue.get(name, {}))
        for name in names
    ]
