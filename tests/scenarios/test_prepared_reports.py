"""Prepared reports: the first report of a process reads no conversions that another process has summed up before."""

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.scenarios.test_kept_credits import END, SIGNALS, START, Shop
from wetink.content.content import Content
from wetink.insights.periods import Periods
from wetink.insights.reports import Reports
from wetink.ports import CACHED_MS, DAY, HOUR, Storage


class Watched:
    """Conversions of a store, and the spans whose events were read."""

    def __init__(self, store: Storage) -> None:
        self.revisions, self._outcomes = store.conversions.revisions, store.conversions.outcomes
        self.read: list[tuple[int, int]] = []

    def outcomes(self, names: Collection[str], since: int, until: int) -> AsyncIterator[Any]:
        self.read.append((since, until))
        return self._outcomes(names, since, until)


@pytest.mark.parametrize("now", [END, END - 20 * HOUR + 1])
def test_the_first_report_after_a_start_reads_no_period_that_is_over(tmp_path: Path, now: int) -> None:
    async def story() -> None:
        shop = Shop(tmp_path, 4)
        content = Content(signals=replace(SIGNALS[4], model="linear"))
        for _ in range(40):
            await shop.live()
        before = await shop.reports[0].lines(content, START, END)
        worker = Reports(shop.stores[0], Periods(shop.stores[0], lambda: now))
        while await worker.prepare(content):
            pass

        watched = Watched(shop.stores[1])
        store = replace(shop.stores[1], conversions=watched)
        started = Reports(store, Periods(store, lambda: now))
        assert await started.lines(content, START, END) == before
        assert await started.lines(content, START, END, goal="sign") is not None
        assert [some async for day in started.sales(content, START, END) for some in day]
        assert [span for span in watched.read if span[1] <= now // HOUR * HOUR] == []

        await shop.live()
        await worker.prepare(content)
        assert await started.lines(content, START, END) == await shop.reports[0].lines(content, START, END)
        for each in shop.stores:
            await each.close()

    asyncio.run(story())


def test_sums_that_the_store_deleted_are_made_again_the_next_day(tmp_path: Path) -> None:
    async def story() -> None:
        shop, now = Shop(tmp_path, 4), END
        content = Content(signals=replace(SIGNALS[4], model="linear"))
        for _ in range(10):
            await shop.live()
        worker = Reports(shop.stores[0], Periods(shop.stores[0], lambda: now))
        while await worker.prepare(content):
            pass
        await shop.stores[0].report_cache.put(b"of another", END, b"", END + CACHED_MS + DAY)

        now += DAY
        while await worker.prepare(content):
            pass
        watched = Watched(shop.stores[1])
        started = Reports(store := replace(shop.stores[1], conversions=watched), Periods(store, lambda: now))
        await started.lines(content, START, END)
        assert watched.read == []
        for each in shop.stores:
            await each.close()

    asyncio.run(story())
