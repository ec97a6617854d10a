"""The sandbox: whatever a worker does, whoever asked hears of it in time, and the next one is answered."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from wetink.sandbox import Lost, Pool, StartFailed
from wetink.sandbox.forkserver import fork_server

T = TypeVar("T")
MEGABYTE = 1 << 20


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool("tests.sandbox.answers", 2)
    yield made
    made.close()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has in use, without the files that all of them share."""
    text = Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("RssAnon:"))


def test_a_worker_answers_and_is_asked_again(pool: Pool) -> None:
    async def story() -> None:
        assert await pool.ask(b"echo hello", 5) == b"hello"
        first = await pool.ask(b"pid", 5)
        assert [await pool.ask(b"pid", 5) for _ in range(5)] == [first] * 5, "the one used last is used first"
        assert int(first) != os.getpid()

    run(story())


@pytest.mark.parametrize("size", [0, 1, 10_000, 300_000, 5_000_000])
def test_large_answers_come_whole(pool: Pool, size: int) -> None:
    body = os.urandom(size)
    assert run(pool.ask(b"echo " + body, 20)) == body


@pytest.mark.parametrize("what", [b"hang", b"spin"])
def test_a_job_over_its_time_is_ended_and_the_next_is_answered(pool: Pool, what: bytes) -> None:
    async def story() -> None:
        lost = int(await pool.ask(b"pid", 5))
        with pytest.raises(Lost, match=r"longer than 0\.3 s"):
            await pool.ask(what, 0.3)
        assert await pool.ask(b"echo next", 5) == b"next"
        assert lost not in pool.pids
        await gone(lost)

    run(story())


def lives(pid: int) -> bool:
    """Whether a process is there, and more than its parent's memory of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid: int) -> None:
    """Wait until a process is no more."""
    async with asyncio.timeout(20):
        while lives(pid):  # noqa: ASYNC110 (the kernel tells in no other way)
            await asyncio.sleep(0.01)


def test_others_are_answered_while_one_hangs(pool: Pool) -> None:
    async def story() -> None:
        hanging = asyncio.create_task(pool.ask(b"hang", 2))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1.5):
            assert await asyncio.gather(*(pool.ask(b"echo x", 5) for _ in range(20))) == [b"x"] * 20
        with pytest.raises(Lost):
            await hanging

    run(story())


@pytest.mark.parametrize("what", [b"crash", b"abort", b"eat", b"fail"])
def test_what_crashes_or_eats_memory_is_told_and_the_next_is_answered(pool: Pool, what: bytes) -> None:
    async def story() -> None:
        with pytest.raises(Lost):
            await pool.ask(what, 20)
        assert await pool.ask(b"echo next", 5) == b"next"

    run(story())


def test_a_worker_that_somebody_else_ended_costs_nobody_an_answer(pool: Pool) -> None:
    async def story() -> None:
        for _ in range(3):
            os.kill(int(await pool.ask(b"pid", 5)), signal.SIGKILL)
            assert await pool.ask(b"echo still", 5) == b"still"
        slow = asyncio.create_task(pool.ask(b"pause 0.3", 5))
        await asyncio.sleep(0.1)
        for pid in pool.pids:
            os.kill(pid, signal.SIGSEGV)
        assert await slow == b"", "it was asked of another"

    run(story())


def test_a_request_takes_no_more_memory_than_it_may(pool: Pool) -> None:
    async def story() -> None:
        pid = int(await pool.ask(b"pid", 5))
        before, most = resident(pid), 0
        eating = asyncio.create_task(pool.ask(b"eat", 20))
        while not eating.done():
            try:
                most = max(most, resident(pid))
            except (OSError, ProcessLookupError):
                break
            await asyncio.sleep(0.002)
        with pytest.raises(Lost, match="memory"):
            await eating
        assert most - before < 200 * MEGABYTE

    run(story())


def test_what_is_kept_from_request_to_request_is_bounded_too(pool: Pool) -> None:
    async def story() -> None:
        async def fill() -> None:
            for _ in range(20):
                await pool.ask(b"grow 150000000", 20)

        with pytest.raises(Lost, match="memory"):
            await fill()
        assert await pool.ask(b"grow 10", 5) == b"10"

    run(story())


def test_a_worker_writes_no_files_opens_few_and_knows_no_secrets(pool: Pool, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("WETINK_SECRET", "x")
    for what in (b"write " + str(tmp_path / "x").encode(), b"files"):
        with pytest.raises(Lost, match=r"too large|Too many"):
            run(pool.ask(what, 5))
    assert b"WETINK_SECRET" not in run(pool.ask(b"environment", 5))
    assert not (tmp_path / "x").exists() or not (tmp_path / "x").read_bytes()


def test_a_cancelled_request_leaves_no_answer_for_the_next(pool: Pool) -> None:
    async def story() -> None:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await pool.ask(b"pause 0.2", 5)
            assert await pool.ask(b"echo mine", 5) == b"mine"

    run(story())


def test_every_worker_begins_with_the_setup_of_its_time(pool: Pool) -> None:
    async def story() -> None:
        assert await pool.ask(b"kept", 5) == b""
        pool.begin_with(b"setup one")
        both = await asyncio.gather(pool.ask(b"kept", 5), pool.ask(b"kept", 5))
        assert both == [b"one", b"one"]
        pool.begin_with(b"setup two")
        assert await pool.ask(b"kept", 5) == b"two"

    run(story())


def test_a_pool_answers_in_one_event_loop_after_another(pool: Pool) -> None:
    assert [run(pool.ask(b"echo x", 5)) for _ in range(3)] == [b"x"] * 3


def test_a_fork_server_that_was_ended_is_followed_by_another(pool: Pool) -> None:
    async def story() -> None:
        assert await pool.ask(b"echo x", 5) == b"x"
        process = fork_server()._process
        assert process is not None
        process.kill()
        process.wait()
        assert await pool.ask(b"echo y", 5) == b"y"

    run(story())


@pytest.mark.parametrize("module", ["tests.sandbox.nowhere", "tests.sandbox"])
def test_a_module_that_is_none_is_told(module: str) -> None:
    lost = Pool(module, 1)
    with pytest.raises(StartFailed, match=r"Module|ready"):
        run(lost.ask(b"echo x", 5))


def test_a_closed_pool_answers_nobody(pool: Pool) -> None:
    async def story() -> None:
        waiting = [asyncio.create_task(pool.ask(b"hang", 5)) for _ in range(5)]
        await asyncio.sleep(0.3)
        pool.close()
        pool.close()
        assert all(isinstance(each, Lost) for each in await asyncio.gather(*waiting, return_exceptions=True))

    run(story())


PARENT = """
import asyncio, sys
from wetink.sandbox import Pool
async def main():
    pool = Pool("tests.sandbox.answers", 1)
    print((await pool.ask(b"pid", 5)).decode(), flush=True)
    await pool.ask(b"hang", 60)
asyncio.run(main())
"""


def test_no_worker_outlives_whoever_asked_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.1)
        parent.kill()
    run(gone(pid))
