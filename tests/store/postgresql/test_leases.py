"""Leases in PostgreSQL run out by the clock of the server, whatever the clocks of the processes say."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.contracts.loop import run
from tests.contracts.test_leases import LONG, is_held
from wetink.core.errors import Held, StoreUnavailable
from wetink.ports import Storage


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Storage]:
    made = postgresql.opened(tmp_path)
    yield made
    run(made.close())
    postgresql.drop({postgresql.database_of(tmp_path)})


def sql(folder: Path, text: str) -> str:
    return postgresql.shared().sql(text, postgresql.database_of(folder))


def test_a_lease_that_the_server_has_ended_is_taken_and_its_holder_is_stopped(store: Storage, tmp_path: Path) -> None:
    stopped: list[bool] = []

    async def works() -> None:
        async with store.leases.hold("one", 0.6):
            assert await is_held(store.leases)
            await asyncio.to_thread(sql, tmp_path, "UPDATE lease SET until = now()")
            async with store.leases.hold("one", LONG):
                try:
                    await asyncio.sleep(LONG)
                except asyncio.CancelledError:
                    stopped.append(True)
                    raise

    with pytest.raises(Held):
        run(works())
    assert stopped


def test_a_server_clock_that_is_set_back_keeps_nobody_out(store: Storage, tmp_path: Path) -> None:
    async def story() -> None:
        async with store.leases.hold("one", 5.0):
            await asyncio.to_thread(sql, tmp_path, "UPDATE lease SET until = until + interval '4 s'")
            assert await is_held(store.leases)
            await asyncio.to_thread(sql, tmp_path, "UPDATE lease SET until = until + interval '1 h'")
            assert not await is_held(store.leases)

    run(story())


def test_a_task_cancelled_while_it_takes_a_lease_leaves_none_behind(store: Storage, tmp_path: Path) -> None:
    async def takes() -> None:
        async with store.leases.hold("one", LONG):
            await asyncio.sleep(LONG)

    async def story() -> None:
        assert not await is_held(store.leases)  # connected
        for moment in range(40):
            task = asyncio.create_task(takes())
            await asyncio.sleep(moment / 10_000)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with store.leases.hold("one", wait=5.0):
                pass

    run(story())


def test_nobody_waits_long_for_a_lease_that_the_server_does_not_give(store: Storage, tmp_path: Path) -> None:
    async def story() -> None:
        assert not await is_held(store.leases)
        name = postgresql.database_of(tmp_path)
        locks = "BEGIN; LOCK TABLE lease IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(9)"
        holding = asyncio.create_task(asyncio.to_thread(sql, tmp_path, locks))
        await asyncio.sleep(0.3)
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(6), store.leases.hold("one"):
                pass
        end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND query ~ 'pg_sleep'"
        await asyncio.to_thread(postgresql.shared().sql, end)
        with pytest.raises(AssertionError):
            await holding
        assert not await is_held(store.leases)

    run(story())
