"""A desk whose engine goes wrong when a page says so: what a mistake in native code would do to a worker."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from wetink.render.worker import DrawingWorker


def ready() -> Callable[[bytes], bytes]:
    """Return what answers jobs."""
    desk = DrawingWorker()
    engine: Any = desk._engine
    draw = engine.draw

    def wild(page: str, *rest: Any) -> Any:
        if "HANG" in page:  # no signal is heard, as in a loop of native code that holds the interpreter
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
            time.sleep(60)
        if "SPIN" in page:
            while True:
                pass
        if "CRASH" in page:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "ABORT" in page:
            os.abort()
        if "EAT" in page:
            full = [b"x" * 1_000_000]
            while True:
                full.append(bytes(bytearray(full[0])))
        return draw(page, *rest)

    engine.draw = wild
    return desk
