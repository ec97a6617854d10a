"""The worker: every task goes on whatever its turns raise, one process at a time holds a lease, and health tells."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.test_open import House
from wetink import settings
from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.insights.health import Health
from wetink.ports.storage import Leases
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.web.app import create
from wetink.web.request import now_ms
from wetink.wiring import Wetink
from wetink.worker import ONCE, TASKS, Task, Worker


class Stumble(BaseException):
    """What nobody catches."""


class Process:
    """As much of a wetink as a worker needs."""

    def __init__(self, leases: Leases) -> None:
        nobody: Any = SimpleNamespace()
        self.store, self.health = SimpleNamespace(leases=leases), Health(nobody, list)
        self.ingest = SimpleNamespace(on_appended=lambda: None)
        self.applier = None
        self.turns = 0
        self.unready: list[Exception] = []
        self.error: BaseException | None = None
        self.turned = asyncio.Event()

    async def ready(self) -> None:
        if self.unready:
            raise self.unready.pop(0)

    async def turn(self) -> bool:
        self.turns += 1
        self.turned.set()
        if self.error is not None:
            raise self.error
        return False

    async def next(self, count: int = 1) -> None:
        for _ in range(count):
            self.turned.clear()
            await asyncio.wait_for(self.turned.wait(), 30)


def task(**more: Any) -> Task:
    def turn(process: Any) -> Awaitable[object]:
        return process.turn()  # type: ignore[no-any-return]

    return Task(**{"name": "work", "period": 0.01, "turn": turn, **more})


def worker(process: Any, *tasks: Task) -> Worker:
    return Worker(process, tasks)


def story(folder: Path, told: Callable[[Process, Process], Awaitable[None]]) -> None:
    """Tell a story of two processes."""

    async def whole() -> None:
        one, other = Process(SQLiteLeases(folder, now_ms)), Process(SQLiteLeases(folder, now_ms))
        await told(one, other)
        await one.store.leases.close()
        await other.store.leases.close()

    asyncio.run(whole())


@pytest.mark.parametrize("leased", ["", "store"])
@pytest.mark.parametrize("error", [ValueError, MemoryError, SystemExit, Stumble, asyncio.CancelledError, TimeoutError])
def test_a_task_goes_on_whatever_a_turn_raises(tmp_path: Path, error: type[BaseException], leased: str) -> None:
    async def told(one: Process, _: Process) -> None:
        one.error = error()
        async with worker(one, task(leased=leased)):
            await one.next(3)
            assert one.health.struggling["work"].endswith(f"times in a row: {error.__name__}")
            assert one.health.failing() == {}, "the process is whole"
            one.error = None
            await one.next(2)
            assert one.health.struggling == {}
        ended = one.turns
        await asyncio.sleep(0.05)
        assert one.turns == ended

    story(tmp_path, told)


def test_a_store_that_is_of_no_use_when_it_answers_at_last_is_tried_again_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("wetink.worker.RETRY_SECONDS", 0.01)

    async def told(one: Process, _two: Process) -> None:
        one.unready = [StoreUnavailable("it is away"), BadSettings("PostgreSQL 14 is too old", hint="take 15")]
        async with worker(one, task()):
            await one.next()
            assert one.health.struggling == {}
            assert one.health.failing() == {}

    story(tmp_path, told)
    assert "it is away" in caplog.text
    assert "PostgreSQL 14 is too old (take 15)" in caplog.text


def test_a_message_begins_the_next_turn_of_what_follows_the_log(tmp_path: Path) -> None:
    async def told(one: Process, _: Process) -> None:
        async with worker(one, task(period=3600.0, follows=True)):
            await one.next()
            for _ in range(3):
                one.ingest.on_appended()
                await one.next()
            assert one.turns == 4

    story(tmp_path, told)


def test_a_leased_task_runs_in_one_process_and_another_takes_over(tmp_path: Path) -> None:
    async def told(one: Process, other: Process) -> None:
        async with worker(other, task(leased="store")):
            async with worker(one, task(leased="store")):
                await other.next()
                before = one.turns
                await other.next(5)
                assert one.turns == before == 0
                other.error = StoreUnavailable("the disk is full")
                await one.next()  # whoever fails lets another try
                other.error = None
            await other.next()

    story(tmp_path, told)


def test_a_task_without_a_lease_runs_in_every_process(tmp_path: Path) -> None:
    async def told(one: Process, other: Process) -> None:
        async with worker(one, task()), worker(other, task()):
            await asyncio.gather(one.next(3), other.next(3))

    story(tmp_path, told)


def test_a_task_that_is_done_once_is_tried_until_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wetink.worker.BUSY_SECONDS", 0.01)

    async def told(one: Process, _: Process) -> None:
        one.error = ValueError()
        async with worker(one, task(period=ONCE)):
            await one.next(2)
            one.error = None
            await one.next()
            done = one.turns
            await asyncio.sleep(0.05)
            assert (one.turns, one.health.struggling, one.health.failing()) == (done, {}, {})

    story(tmp_path, told)


def test_while_there_is_more_to_do_a_task_does_not_wait_for_its_period(tmp_path: Path) -> None:
    async def told(one: Process, _: Process) -> None:
        async with worker(one, task(period=3600.0, turn=lambda process: more(one))):
            await asyncio.wait_for(done.wait(), 30)

    done = asyncio.Event()

    async def more(process: Process) -> bool:
        await process.turn()
        if process.turns == 5:
            done.set()
        return process.turns < 5

    story(tmp_path, told)


def test_each_task_of_the_table_has_a_turn_over_a_real_shop(tmp_path: Path) -> None:
    async def turns() -> None:
        async with Wetink(settings.read({}, data=tmp_path)) as wetink:
            await wetink.ready()
            for each in TASKS:
                await each.turn(wetink)

    asyncio.run(turns())
    assert len({each.name for each in TASKS}) == len(TASKS)


def test_health_names_a_task_that_fails_and_the_process_stays_healthy(tmp_path: Path) -> None:
    house = House(tmp_path / "data")
    house.wetink.health.struggling["trends"] = "failed 3 times in a row: ValueError"
    with TestClient(create(house.wetink).pages) as http:
        said = http.get("/healthz")
    asyncio.run(house.wetink.close())
    assert said.status_code == 200
    assert said.json()["tasks"] == {"trends": "failed 3 times in a row: ValueError"}
