"""Coroutines begun without a task: to the end if they never wait, else a task goes on as if it had begun them."""

import asyncio
from typing import Any

import pytest

from wetink.web.protocol import begin


def test_what_never_waits_is_done_at_once_without_a_task() -> None:
    done = []

    async def work() -> None:
        done.append(1)

    async def run() -> None:
        assert begin(work()) is None
        assert done == [1]

    asyncio.run(run())


def test_what_waits_goes_on_when_its_turn_comes() -> None:
    heard: list[Any] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()

        async def work() -> None:
            heard.append("begun")
            heard.append(await answer)
            await asyncio.sleep(0)
            heard.append(await asyncio.to_thread(lambda: 8))
            async with asyncio.timeout(5):  # it has a task by now
                await asyncio.sleep(0)

        going_on = begin(work())
        assert going_on is not None
        assert heard == ["begun"]
        loop.call_soon(answer.set_result, 7)
        await going_on

    asyncio.run(run())
    assert heard == ["begun", 7, 8]


def test_what_goes_wrong_while_it_waits_is_told_inside() -> None:
    async def run() -> None:
        failing: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            with pytest.raises(ZeroDivisionError):
                await failing
            raise KeyError("later")

        going_on = begin(work())
        assert going_on is not None
        failing.set_exception(ZeroDivisionError())
        with pytest.raises(KeyError):
            await going_on

    asyncio.run(run())


def test_a_waiting_coroutine_can_be_cancelled() -> None:
    ended = []

    async def run() -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        going_on = begin(work())
        assert going_on is not None
        await asyncio.sleep(0)
        going_on.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going_on

    asyncio.run(run())
    assert ended
