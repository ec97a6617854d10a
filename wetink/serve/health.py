"""Health: whether everything that this process needs is alive, and whether it can draw."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from itertools import count

from wetink.core.errors import WetinkError
from wetink.ports import Renderer, Scene

logger = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
"""How often something is drawn to see whether that works."""
AGAIN_SECONDS = 2.0
"""How soon it is tried again when it did not: one failure may be a busy machine, two in a row are told."""


class Health:
    """What does not work in this process, by part and reason."""

    def __init__(
        self, renderer: Renderer, ended: Callable[[], Iterable[str]], tasks: Callable[[], Iterable[asyncio.Task[None]]]
    ) -> None:
        """Take who draws, the names of threads that ended by themselves, and the tasks of this process."""
        self._renderer, self._ended, self._tasks = renderer, ended, tasks
        self._drawn = count()
        self._undrawable = ""

    def failing(self) -> dict[str, str]:
        """Return what does not work, and why; empty when all does."""
        found = {name: "its thread ended" for name in self._ended()}
        for task in self._tasks():
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None:
                found[task.get_name()] = f"it ended: {type(error).__name__}: {error}"
        if self._undrawable:
            found["drawing"] = self._undrawable
        return found

    async def drawing(self) -> str:
        """Return why nothing can be drawn, empty when it can: by drawing something nobody has drawn yet."""
        try:
            await self._renderer.render(Scene("<p>{{ number }}</p>", {"number": next(self._drawn)}, 40, 20, scale=1))
        except WetinkError as error:
            return str(error)
        return ""

    async def watch(self) -> None:
        """Look again and again whether pictures can be drawn."""
        failed = 0
        while True:
            why = await self.drawing()
            failed = failed + 1 if why else 0
            told = why if failed > 1 else ""
            if told and not self._undrawable:
                logger.error("nothing can be drawn: %s", told)
            self._undrawable = told
            await asyncio.sleep(AGAIN_SECONDS if failed else LOOK_SECONDS)
