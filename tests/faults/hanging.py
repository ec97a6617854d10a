"""`wetink serve` whose parts hang on purpose: a program for tests of the end of a process.

    python -m tests.faults.hanging serve --data FOLDER

The variable `WETINK_TEST_HANG` lists what hangs: `tasks` (each task, however often it is cancelled), `thread` (one of
the executor's), or the name of a part, whose `close` never returns. The limits are shorter than usual.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

import wetink.web.server as server
import wetink.wiring as wiring
import wetink.worker as worker
from wetink.wiring import Wetink

HANG = "WETINK_TEST_HANG"
WHAT = os.environ.get(HANG, "").split(",")


async def for_good(*_: Any) -> None:
    """Wait for ever, as a library does that swallows each cancellation."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def in_a_thread(*_: Any) -> None:
    await asyncio.to_thread(time.sleep, 3600)


def hung(enter: Callable[[Wetink], Any]) -> Callable[[Wetink], Any]:
    async def entered(wetink: Wetink) -> Any:
        made = await enter(wetink)
        parts: dict[str, Any] = {"crowd": wetink.crowd, "feeds": wetink.feeds, "photos": wetink.photos}
        for name, part in parts.items():
            if name in WHAT:
                part.close = for_good
        if "store" in WHAT:
            wetink.store = replace(wetink.store, close=for_good)
        return made

    return entered


if __name__ == "__main__":
    if "tasks" in WHAT:
        worker.TASKS = tuple(replace(task, turn=for_good, leased="") for task in worker.TASKS)  # type: ignore[misc]
    if "thread" in WHAT:
        worker.TASKS = tuple(replace(task, turn=in_a_thread) for task in worker.TASKS[:1])  # type: ignore[misc]
    Wetink.__aenter__ = hung(Wetink.__aenter__)  # type: ignore[method-assign]
    server.STOP_SECONDS, server.END_SECONDS = 1, 4
    worker.END_SECONDS = wiring.WORK_SECONDS = wiring.STORE_SECONDS = 1.0

    from wetink.cli import main

    main()
