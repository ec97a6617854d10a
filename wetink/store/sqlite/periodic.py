"""Periodic: a thread that does something again and again until it is told to end, whatever goes wrong meanwhile."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Periodic:
    """Calls `work` every so many seconds in a thread of its own. An exception is logged; the next turn comes."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        """Begin at once."""
        self._name, self._seconds, self._work = name, seconds, work
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def closing(self) -> bool:
        """Whether it was told to end."""
        return self._closing.is_set()

    @property
    def alive(self) -> bool:
        """Whether it goes on as it should: it was told to end, or it has not ended."""
        return self.closing or self._thread.is_alive()

    def stop(self) -> None:
        """Let it finish what it is doing. Blocks until it has."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            try:
                self._work()
            except BaseException:
                logger.exception("%s stumbled", self._name)
