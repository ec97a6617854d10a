"""Health: whether everything that this process needs is alive and can draw, and how often it met unexpected errors."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from wetink.core.errors import WetinkError
from wetink.ports import Renderer, Scene

logger = logging.getLogger(__name__)


class Health:
    """What does not work in this process, by part and reason."""

    def __init__(self, renderer: Renderer, ended: Callable[[], Iterable[str]]) -> None:
        """Take who draws, and the names of threads that ended by themselves."""
        self._renderer, self._ended = renderer, ended
        self.tasks: Sequence[asyncio.Task[None]] = ()
        """What the worker of this process runs."""
        self.struggling: dict[str, str] = {}
        """Tasks whose last turn failed, and how often in a row. They go on, and the process is whole all the same."""
        self._drawn, self._failed = count(), 0
        self._undrawable = ""

    def failing(self) -> dict[str, str]:
        """Return what does not work, and why; empty when all does."""
        found = {name: "its thread has stopped" for name in self._ended()}
        for task in self.tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None:
                found[task.get_name()] = f"it has stopped: {type(error).__name__}: {error}"
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

    async def look(self) -> bool:
        """Look whether pictures can be drawn; return whether that failed, so that it is soon tried again."""
        why = await self.drawing()
        self._failed = self._failed + 1 if why else 0
        told = why if self._failed > 1 else ""  # one failure may be a busy machine
        if told and not self._undrawable:
            logger.error("no picture can be rendered: %s", told)
        self._undrawable = told
        return bool(why)


ROOT = "wetink."


class Troubles(logging.Handler):
    """Counts what the log is told of. One for each process; it stays as long as that."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(logging.WARNING)
        self.by_place: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record of an error, or of a warning with a traceback."""
        if record.levelno >= logging.ERROR or record.exc_info:
            place = record.name.removeprefix(ROOT)
            self.by_place[place] = self.by_place.get(place, 0) + 1
        last = logging.lastResort
        if last is not None and not logging.getLogger().handlers and record.levelno >= last.level:
            last.handle(record)  # Python does so only where nobody listens at all


_troubles = Troubles()


def counted() -> Troubles:
    """Return the counter of this process, which listens from now on."""
    logging.getLogger(ROOT.rstrip(".")).addHandler(_troubles)  # a handler that is there already is not added again
    return _troubles
