"""Results: what blocks did, and what came of it, from the opens and clicks of people."""

from collections.abc import Collection, Sequence

from wetink.core import conversion
from wetink.core.conversion import BlockResult, Contact
from wetink.core.event import Event
from wetink.core.identifier import Identifier
from wetink.ports import Ledger, Store

CONTACTS = 200
"""Opens and clicks that are shown of a person."""


async def results(
    store: Store, ledger: Ledger, blocks: Collection[str], since: int, until: int
) -> Sequence[BlockResult]:
    """Return what each block did in [since, until) (Unix ms). Raises StoreUnavailable."""
    counts = [(each.block, each.opens, each.clicks) for each in await ledger.counts(since, until)]
    orders = []
    for order in await store.conversions(since, until):
        recipients = [str(member) for member in order.members]
        touches = await ledger.touches(recipients, order.at - conversion.WINDOW_MS, order.at + 1)
        human = [Contact(touch.kind, touch.block, touch.at) for touch in touches if touch.human]
        contact = conversion.credited(order.at, human)
        if contact is not None:
            orders.append((contact.block, order.revenue, order.currency))
    return conversion.results(counts, orders, list(blocks))


async def contacts(ledger: Ledger, members: Sequence[Identifier], until: int) -> list[Event]:
    """Return the opens and clicks of these identifiers in the words of the spec's email events, newest last.

    Source: Segment's Email spec, `Email Opened` and `Email Link Clicked`. Without those of machines.
    """
    touches = await ledger.touches([str(member) for member in members], 0, until + 1)
    return [
        Event(
            "track",
            touch.at,
            f"{touch.kind}-{touch.block}-{touch.at}",
            "wetink",
            "Email Opened" if touch.kind == "open" else "Email Link Clicked",
            properties={"block": touch.block, "variant": touch.variant, "campaign_id": touch.campaign},
        )
        for touch in touches[-CONTACTS:]
        if touch.human
    ]
