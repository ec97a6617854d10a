"""Prompt: coroutines that hardly ever wait, run without a task of the event loop until they do."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run `work` up to its end, or up to where it waits: then a task goes on with it, which is to be held on to.

    What it does before it first waits must not ask for its task, as `asyncio.timeout` does. Call it in the event loop.
    """
    try:
        waited_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_go_on(work, waited_for))


@coroutine
def _go_on(work: Coroutine[Any, Any, None], waited_for: Any) -> Generator[Any, Any, None]:
    try:
        while True:
            try:
                heard = yield waited_for
            except BaseException as error:
                waited_for = work.throw(error)
            else:
                waited_for = work.send(heard)
    except StopIteration:
        return
