"""Health: the state of this process's tasks, threads and drawing, and its number of unexpected errors."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from wetink.core.errors import WetinkError
from wetink.ports import Renderer, Scene
from wetink.telemetry.metrics import ERRORS

logger = logging.getLogger(__name__)


class Health:
    """The failures of this process, by part."""

    def __init__(self, renderer: Renderer, ended: Callable[[], Iterable[str]]) -> None:
        """Take the renderer and the source of names of threads that have stopped."""
        self._renderer, self._ended = renderer, ended
        self.tasks: Sequence[asyncio.Task[None]] = ()
        """Tasks of this process's worker."""
        self.struggling: dict[str, str] = {}
        """Tasks whose last turn failed, with the number of failures in a row. They go on and do not count as failing.
        """
        self.draining = False
        """Whether the process is about to end: it still answers, and no new request should come."""
        self._drawn, self._failed = count(), 0
        self.undrawable = "no picture has been drawn yet"
        """Why drawing fails; empty if it works."""

    def failing(self) -> dict[str, str]:
        """Return the reason of each failure by part that only a new process can mend; empty if all is well."""
        found = {name: "its thread has stopped" for name in self._ended()}
        for task in self.tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None:
                found[task.get_name()] = f"it has stopped: {type(error).__name__}: {error}"
        return found

    async def drawing(self) -> str:
        """Draw a new test scene. Returns the error; empty if drawing works."""
        try:
            await self._renderer.render(Scene("<p>{{ number }}</p>", {"number": next(self._drawn)}, 40, 20, scale=1))
        except WetinkError as error:
            return str(error)
        return ""

    async def look(self) -> bool:
        """Check drawing. Returns whether it failed, so that the next check comes soon."""
        why = await self.drawing()
        self._failed = self._failed + 1 if why else 0
        if not why:
            self.undrawable = ""
        elif self._failed > 1 or self.undrawable:  # one failure may be a busy machine
            if self.undrawable != why:
                logger.error("no picture can be rendered: %s", why)
            self.undrawable = why
        return bool(why)


ROOT = "wetink."


class Troubles(logging.Handler):
    """Counts errors in the log. There is one for each process, for its whole life."""

    def __init__(self) -> None:
        """Start without errors."""
        super().__init__(logging.WARNING)
        self.by_place: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record of an error, or of a warning with a traceback."""
        if record.levelno >= logging.ERROR or record.exc_info:
            place = record.name.removeprefix(ROOT)
            self.by_place[place] = self.by_place.get(place, 0) + 1
            ERRORS.add()
        last = logging.lastResort
        if last is not None and not logging.getLogger().handlers and record.levelno >= last.level:
            last.handle(record)  # Python does so only without any handler


_troubles = Troubles()


def counted() -> Troubles:
    """Return this process's counter, and attach it to the log."""
    logging.getLogger(ROOT.rstrip(".")).addHandler(_troubles)  # logging ignores a handler that is already attached
    return _troubles
