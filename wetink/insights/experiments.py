"""Experiments: their results, and the shares of bandits' arms, computed in the background."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.blocks.experiment import EVERYWHERE, Exposure, Plan, everywhere, inherited, planned
from wetink.core.errors import NotFound
from wetink.core.signals.bandit import chances, shares
from wetink.core.signals.credits import Sale
from wetink.core.signals.experiment_result import ExperimentOrder, Result, briefly, result
from wetink.core.units.bucketing import fraction
from wetink.core.units.duration import parse
from wetink.insights.reports import Reports
from wetink.opens.assignment import Shared
from wetink.ports.ledger import Exposures

AT_ONCE = 1_000
"""Recipients whose exposures are read at once, in about two milliseconds."""


class Experiments:
    """Combines exposures and orders. Stores only the shares of bandits."""

    def __init__(self, reports: Reports, exposures: Exposures, shared: Shared, clock: Callable[[], int]) -> None:
        """Use these services. `shared` passes the bandits' shares to opens."""
        self._reports, self._exposures, self._shared, self._clock = reports, exposures, shared, clock

    def plans(self, content: Content) -> dict[str, tuple[Plan, str]]:
        """Return all experiments by name, each with its block; the block is empty for the global holdout."""
        found: dict[str, tuple[Plan, str]] = {}
        held = content.signals.holdout
        if held is not None:
            found[EVERYWHERE] = everywhere(held.share, held.seed), ""
        for block in content.blocks.values():
            if block.experiment is not None:
                plan = planned(block.experiment, block.name)
                found[plan.name] = plan, block.name
        return found

    async def result(self, content: Content, name: str) -> Result:
        """Return an experiment's result. Raises StoreUnavailable, and NotFound with the known names."""
        plans = self.plans(content)
        if name not in plans:
            there = ", ".join(plans) or "none"
            raise NotFound(f"there is no experiment called {name[:64]!r}", hint=f"experiments: {there}")
        plan, block = plans[name]
        now = self._clock()
        days = await self._exposures.days(name)
        orders, currency, notes = await self._brought(content, plan, min((each.day for each in days), default=now), now)
        made = await asyncio.to_thread(result, plan, block, days, orders, currency, now)
        return replace(made, notes=notes)

    async def lifts(self, content: Content) -> dict[str, str]:
        """Return the lift in orders of each block's experiment, in a few words, by block."""
        found: dict[str, str] = {}
        for name, (_, block) in self.plans(content).items():
            if block:
                found[block] = "; ".join(briefly(each) for each in (await self.result(content, name)).lifts["orders"])
        return found

    async def _brought(
        self, content: Content, plan: Plan, since: int, now: int
    ) -> tuple[list[ExperimentOrder], str, tuple[str, ...]]:
        """Return the orders after each person's first exposure, the currency with the most revenue, and notes."""
        found: list[tuple[ExperimentOrder, str]] = []
        async for sales in self._reports.sales(content, since, now + 1):
            exposed: dict[str, Exposure] = {}
            members = list({member for sale in sales for member in sale.members})
            for start in range(0, len(members), AT_ONCE):
                exposed |= await self._exposures.of(plan.name, members[start : start + AT_ONCE])
                await asyncio.sleep(0)  # other requests have their turn
            found += await asyncio.to_thread(lambda: list(_exposed_orders(sales, exposed)))  # noqa: B023 (awaited)
        sums: dict[str, float] = {}
        for brought, currency in found:
            sums[currency] = sums.get(currency, 0.0) + brought.revenue
        main = max(sorted(sums), key=lambda code: sums[code], default="")
        others = sorted(set(sums) - {main})
        note = f"Revenue in {', '.join(others)} is left out: signals.yaml has no rate to {main}." if others else ""
        inside = [
            brought if currency == main else ExperimentOrder(brought.arm, brought.person, brought.at, 0.0, brought.seen)
            for brought, currency in found
        ]
        return inside, main, (note,) if note else ()

    async def refresh(self, content: Content) -> None:
        """Compute the shares of each bandit in a new epoch, or take those that another process computed."""
        now = self._clock()
        for plan, _ in self.plans(content).values():
            if plan.bandit is None:
                continue
            epoch = now // parse(plan.bandit.every)
            known = self._shared.of(plan)
            if known is not None and known[0] == epoch:
                continue
            kept = await self._exposures.shares(plan.name, epoch)
            if kept is None or set(kept) != set(plan.shares):
                found = await self.result(content, plan.name)
                metric = "clicks" if plan.bandit.reward == "clicks" else "revenue"
                samples = {each.arm: each.samples[metric] for each in found.arms if each.arm in plan.shares}
                made = shares(chances(samples, plan.bandit.reward), float(fraction(plan.bandit.least)))
                kept = await self._exposures.keep_shares(plan.name, epoch, made)
            self._shared.put(plan.name, epoch, kept)


def _exposed_orders(sales: Iterable[Sale], exposed: Mapping[str, Exposure]) -> Iterator[tuple[ExperimentOrder, str]]:
    """Yield the orders after each person's first exposure, each with its currency."""
    for sale in sales:
        mine = {member: exposed[member] for member in sale.members if member in exposed}
        first = inherited(mine)
        origin = mine.get(first.heir_of, first) if first is not None else None
        if origin is None:
            continue
        exposed_at = origin.seen if origin.seen is not None else origin.at
        if sale.at > exposed_at:
            seen = origin.seen is not None
            yield ExperimentOrder(origin.arm, origin.recipient, sale.at, sale.revenue, seen), sale.currency
