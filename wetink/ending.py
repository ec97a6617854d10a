"""Ending: each wait on the way out of a process has a limit, and the log names whatever did not end within it.

A library may swallow a cancellation: `asyncio.wait_for` of Python 3.11 does, if its result comes at the same moment. A
loop would then go on for good, so tasks are cancelled again and again. If all else fails, a thread ends the process.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Collection
from types import FrameType
from typing import Any

from wetink.core.errors import log_error

logger = logging.getLogger(__name__)

FIRST_SECONDS, AGAIN_SECONDS = 2.5, 0.5
"""How long a task may take to end before it is cancelled a second time, and then again and again, in seconds."""
DEEPEST, SHOWN = 40, 4
"""Depth to which calls are followed, and the number of innermost calls that are named."""
GIVEN_UP = 70
"""The exit status of a process that was ended although something was still running."""


async def cancelled(tasks: Collection["asyncio.Task[Any]"], seconds: float) -> None:
    """Cancel tasks and wait for their ends, at most `seconds`. Logs those that go on nevertheless."""
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + seconds, FIRST_SECONDS
    left = {task for task in tasks if not task.done()}
    while left and (time_left := until - loop.time()) > 0:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=min(pause, time_left))
        pause = AGAIN_SECONDS
    for task in left:
        logger.error("%s did not end within %g s: it is in %s", task.get_name(), seconds, place_of(task))


async def ended(name: str, ending: Awaitable[object], seconds: float) -> None:
    """Wait for the end of a part, at most `seconds`. Logs an error, or that it takes longer. Never raises for it."""
    task = asyncio.ensure_future(ending)
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        logger.error("%s did not end within %g s: it is in %s", name, seconds, place_of(task))
        task.cancel()
        task.add_done_callback(seen)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log_error(logger, error, "%s ended with an error", name)


def end_after(seconds: float) -> None:
    """End this process after some seconds, whatever still runs then. The log names it."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        tasks = [f"{task.get_name()} in {place_of(task)}" for task in asyncio.all_tasks(loop)]
        frames, own = sys._current_frames(), threading.get_ident()
        threads = [
            f"{each.name}{_calls(frames.get(each.ident or 0))}" for each in threading.enumerate() if each.ident != own
        ]
        logger.error("this process ends although it is not done: %s; threads: %s", ", ".join(tasks), ", ".join(threads))
        logging.shutdown()
        sys.stderr.flush()
        os._exit(GIVEN_UP)

    timer = threading.Timer(seconds, end)
    timer.daemon = True  # it does not keep a process that is done
    timer.start()


def place_of(task: "asyncio.Future[Any]") -> str:
    """Return the names of the calls that a task is in, such as `Worker._run, Applier.share`."""
    calls: list[str] = []
    coroutine: Any = task.get_coro() if isinstance(task, asyncio.Task) else None
    while coroutine is not None and len(calls) < DEEPEST:
        calls.append(getattr(coroutine, "__qualname__", type(coroutine).__qualname__))
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
    return ", ".join(calls[-SHOWN:])


def _calls(frame: FrameType | None) -> str:
    calls: list[str] = []
    while frame is not None and len(calls) < SHOWN:
        calls.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return f" in {', '.join(reversed(calls))}" if calls else ""


def seen(task: "asyncio.Future[Any]") -> None:
    """Retrieve the error of a task that nobody waits for any longer: asyncio would log it."""
    if not task.cancelled():
        task.exception()
