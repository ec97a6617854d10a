"""The contract of leases: one holder at a time over all processes, for as long as it lives, and not much longer."""

import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from wetink.core.errors import Held
from wetink.ports.storage import Leases

ROOT = Path(__file__).parents[2]
LONG = 60.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def tell(engine: str, folder: Path, story: Callable[[Leases], Awaitable[None]]) -> None:
    """Have a process's leases for a story."""

    async def whole() -> None:
        store = ENGINES[engine](folder, now_ms)
        try:
            await story(store.leases)
        finally:
            await store.close()
            await store.close()

    run(whole())


HOLD = """
import asyncio, sys
from pathlib import Path
from tests.contracts.test_leases import ENGINES, now_ms
from wetink.core.errors import Held

async def held(engine, folder, ttl):
    leases = ENGINES[engine](Path(folder), now_ms).leases
    try:
        async with leases.hold("one", float(ttl)):
            print("held", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            await asyncio.sleep(1)
        print("released", flush=True)
    except Held:
        print("lost", flush=True)

asyncio.run(held(*sys.argv[1:]))
"""
COUNT = """
import asyncio, sys
from pathlib import Path
from tests.contracts.test_leases import ENGINES, now_ms

async def counted(engine, folder, leased):
    leases, count = ENGINES[engine](Path(folder), now_ms).leases, Path(folder, "count")
    Path(folder, f"ready-{sys.argv[4]}").touch()
    while len([*Path(folder).glob("ready-*")]) < 3:
        await asyncio.sleep(0.002)
    for number in range(20):
        async with leases.hold("one" if leased else f"{sys.argv[4]}", 60.0, 60.0):
            before = int(count.read_text())
            await asyncio.sleep(0.002)
            count.write_text(str(before + 1))

asyncio.run(counted(sys.argv[1], sys.argv[2], sys.argv[3] == "True"))
"""


@contextmanager
def holder(engine: str, folder: Path, ttl: float) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the lease `one`."""
    command = [sys.executable, "-c", HOLD, engine, str(folder), str(ttl)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait(20)
        process.stdin.close()
        process.stdout.close()


async def is_held(leases: Leases, name: str = "one") -> bool:
    try:
        async with leases.hold(name):
            return False
    except Held:
        return True


@pytest.mark.parametrize("leased", [True, False])
def test_processes_that_hold_the_same_lease_take_turns(engine: str, tmp_path: Path, leased: bool) -> None:
    (tmp_path / "count").write_text("0")
    run(ENGINES[engine](tmp_path, now_ms).close())  # the store that they share is there
    commands = [[sys.executable, "-c", COUNT, engine, str(tmp_path), str(leased), str(each)] for each in range(3)]
    several = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    ended = [each.wait(LONG) for each in several]
    if leased:
        assert ended == [0, 0, 0]
        assert (tmp_path / "count").read_text() == "60"
    else:
        assert (tmp_path / "count").read_text() != "60", "each under a name of its own, they overwrite each other"


def test_a_lease_outlives_a_holder_that_is_killed_by_no_more_than_its_ttl(engine: str, tmp_path: Path) -> None:
    async def story(leases: Leases) -> None:
        with holder(engine, tmp_path, 1.0) as process:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
            assert await is_held(leases)
            async with leases.hold("one", wait=LONG):
                pass

    tell(engine, tmp_path, story)


def test_a_lease_is_renewed_for_as_long_as_it_is_held(engine: str, tmp_path: Path) -> None:
    async def story(leases: Leases) -> None:
        with holder(engine, tmp_path, 0.6):
            for _ in range(15):
                assert await is_held(leases)
                await asyncio.sleep(0.1)

    tell(engine, tmp_path, story)


def test_a_holder_that_was_frozen_learns_that_it_lost_the_lease(engine: str, tmp_path: Path) -> None:
    async def story(leases: Leases) -> None:
        with holder(engine, tmp_path, 0.5) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            process.send_signal(signal.SIGSTOP)
            async with leases.hold("one", wait=LONG):
                process.send_signal(signal.SIGCONT)
                process.stdin.write("go on\n")
                process.stdin.flush()
                assert await asyncio.to_thread(process.stdout.readline) == "lost\n"
                assert await is_held(leases), "its end releases nobody else's lease"

    tell(engine, tmp_path, story)


def test_a_lease_is_released_however_its_holder_ends(engine: str, tmp_path: Path) -> None:
    async def story(leases: Leases) -> None:
        async with leases.hold("one"):
            assert await is_held(leases), "by the same process, too"
        assert not await is_held(leases)
        with pytest.raises(ZeroDivisionError):
            async with leases.hold("one"):
                raise ZeroDivisionError
        assert not await is_held(leases)
        with pytest.raises(TimeoutError):
            async with leases.hold("one"):
                raise TimeoutError("of whoever holds it")
        held = asyncio.Event()

        async def forever() -> None:
            async with leases.hold("one"):
                held.set()
                await asyncio.sleep(LONG)

        task = asyncio.create_task(forever())
        await held.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await is_held(leases)

    tell(engine, tmp_path, story)


def test_two_names_do_not_block_each_other(engine: str, tmp_path: Path) -> None:
    async def story(leases: Leases) -> None:
        async with leases.hold("one"):
            assert not await is_held(leases, "other")
            async with leases.hold("other"):
                assert await is_held(leases)
                assert await is_held(leases, "other")

    tell(engine, tmp_path, story)


def test_a_waiter_gets_the_lease_when_it_is_released(engine: str, tmp_path: Path) -> None:
    async def story(leases: Leases) -> None:
        async def waits() -> None:
            async with leases.hold("one", wait=LONG):
                pass

        async with leases.hold("one"):
            waiting = asyncio.create_task(waits())
            await asyncio.sleep(0.2)
            assert not waiting.done()
        await waiting

    tell(engine, tmp_path, story)


def test_held_leases_are_listed_with_the_process_of_their_holder(engine: str, tmp_path: Path) -> None:
    async def whole() -> None:
        one, other = ENGINES[engine](tmp_path, now_ms), ENGINES[engine](tmp_path, now_ms)
        assert await other.leases.held() == []
        async with one.leases.hold("b", LONG), other.leases.hold("a", LONG):
            found = await other.leases.held()
            assert [each.name for each in found] == ["a", "b"]
            left = [(each.until - now_ms()) / 1000 for each in found]
            assert all(LONG - 30 < each < LONG + 1 for each in left), left  # by the engine's clock
            assert all(each.holder.startswith(f"{platform.node()}:{os.getpid()}:") for each in found)
        assert await other.leases.held() == []
        for store in (one, other):
            await store.close()

    run(whole())
