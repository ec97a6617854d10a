"""Leases in SQLite run out by the clock of the processes, which all of them share."""

import asyncio
from pathlib import Path

import pytest

from tests.contracts.test_leases import LONG, is_held
from tests.storage import opened
from wetink.core.errors import Held


class Clock:
    """Unix ms, set by hand."""

    def __init__(self) -> None:
        self.now = 20_000 * 86_400_000

    def __call__(self) -> int:
        return self.now


def test_a_lease_runs_out_by_the_clock_and_whoever_works_under_it_is_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()
        stores = [opened(tmp_path, clock) for _ in range(2)]
        one, other = (each.leases for each in stores)
        stopped: list[bool] = []

        async def works() -> None:
            async with one.hold("one", 0.6):
                clock.now += 599
                assert await is_held(other)
                clock.now += 1
                async with other.hold("one", 0.6):
                    try:
                        await asyncio.sleep(LONG)
                    except asyncio.CancelledError:
                        stopped.append(True)
                        raise

        with pytest.raises(Held):
            await works()
        assert stopped
        assert not await is_held(other)
        for each in stores:
            await each.close()

    asyncio.run(story())


def test_a_clock_that_is_set_back_keeps_nobody_out(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()
        store = opened(tmp_path, clock)
        leases = store.leases
        async with leases.hold("one", 5.0):
            clock.now -= 1
            assert await is_held(leases)
            clock.now -= 3_600_000
            assert not await is_held(leases)
        await store.close()

    asyncio.run(story())


def test_leases_that_have_run_out_are_not_listed(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()
        store = opened(tmp_path, clock)
        async with store.leases.hold("one", LONG):
            assert [each.until - clock.now for each in await store.leases.held()] == [LONG * 1000]
            clock.now += 61_000
            assert await store.leases.held() == []
            clock.now -= 3_600_000
            assert await store.leases.held() == [], "nor are those from before the clock was set back"
        await store.close()

    asyncio.run(story())
