"""Sums of opens and clicks by day, as many tests ask for them."""

from collections.abc import Sequence

from wetink.core.signals.report import DAY_MS, DayCount
from wetink.ports.ledger import Ledger
from wetink.web.request import now_ms


async def days(ledger: Ledger, since: int, until: int) -> Sequence[DayCount]:
    """Return the sums of each day (UTC) from that of `since` to that of `until`, by block, variant and campaign."""
    starts = range(since // DAY_MS * DAY_MS, until + 1, DAY_MS)
    return await ledger.sums([(each, each + DAY_MS) for each in starts], ("block", "variant", "campaign"))


async def today(ledger: Ledger) -> Sequence[DayCount]:
    """Return those of the day that has just begun or ended, and of the one before."""
    return await days(ledger, now_ms() - DAY_MS, now_ms())
