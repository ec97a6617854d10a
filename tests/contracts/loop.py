"""One event loop for all contract tests: an engine's connections may belong to the loop that opened them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
RUNNER = asyncio.Runner()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, from the main thread or from one that the loop waits for."""
    loop = RUNNER.get_loop()
    return asyncio.run_coroutine_threadsafe(work, loop).result() if loop.is_running() else RUNNER.run(work)
