"""Overview: what the blocks brought in the last 14 days, what went wrong last, and where messages come from."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.conversion import BlockResult
from wetink.ports import Received, Store
from wetink.web.clock import now_ms
from wetink.web.pages.asked import wetink_of
from wetink.web.pages.render import page
from wetink.wiring import Wetink

DAY_MS = 86_400_000
DAYS = 14
TROUBLES = 5


class Bar(msgspec.Struct, frozen=True):
    """One day of the chart: its first millisecond, its opens and clicks, and their heights out of 100."""

    at: int
    opens: int
    clicks: int
    open_height: float
    click_height: float


class Total(msgspec.Struct, frozen=True):
    """All blocks together; `revenue` by currency, the greatest first."""

    opens: int
    clicks: int
    orders: int
    revenue: tuple[tuple[str, float], ...]


async def overview(request: Request) -> Response:
    """Show the overview; for a store without messages, the first five minutes."""
    wetink = wetink_of(request)
    now = now_ms()
    sources = await wetink.store.sources()
    if not await wetink.store.messages(limit=1):
        return page(request, "first.html", sources=sources, address=wetink.settings.address)
    results = await wetink.results(now - DAYS * DAY_MS, now + 1)
    return page(
        request,
        "overview.html",
        days=DAYS,
        results=sorted(results, key=lambda each: (-each.opens, each.block)),
        total=total(results),
        bars=await _bars(wetink, now),
        troubles=await _troubles(wetink.store),
        sources=sources,
        known=set(wetink.content.blocks),
        problems=wetink.content.problems,
    )


def total(results: Sequence[BlockResult]) -> Total:
    """Add up the blocks' results."""
    revenue: Counter[str] = Counter()
    for result in results:
        for currency, amount in result.revenue.items():
            revenue[currency] += amount  # type: ignore[assignment]
    return Total(
        sum(each.opens for each in results),
        sum(each.clicks for each in results),
        sum(each.orders for each in results),
        tuple(sorted(revenue.items(), key=lambda pair: -pair[1])),
    )


async def _bars(wetink: Wetink, now: int) -> list[Bar]:
    """Count opens and clicks of all blocks for each day (UTC), the last one being today."""
    today = now - now % DAY_MS
    found = []
    for first in range(today - (DAYS - 1) * DAY_MS, today + 1, DAY_MS):
        counts = await wetink.ledger.counts(first, first + DAY_MS)
        found.append((first, sum(each.opens for each in counts), sum(each.clicks for each in counts)))
    most = max((max(opens, clicks) for _, opens, clicks in found), default=0) or 1
    return [
        Bar(first, opens, clicks, round(100 * opens / most, 2), round(100 * clicks / most, 2))
        for first, opens, clicks in found
    ]


async def _troubles(store: Store) -> list[Received]:
    """Return the newest messages that are not usable."""
    unusable = await store.messages(limit=TROUBLES, verdict="unusable")
    parked = await store.messages(limit=TROUBLES, verdict="parked")
    return sorted([*unusable, *parked], key=lambda each: -each.seq)[:TROUBLES]
