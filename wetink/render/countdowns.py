"""Countdowns: each look is prepared once and then shows any remaining time.

A countdown comes from memory, else from the folder that all processes share, else from a worker. All processes together
prepare one at a time, and callers that need the same countdown wait for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import cache
from importlib.resources import files

import msgspec

from wetink.core.errors import BadContent, Unavailable
from wetink.ports import Ticking
from wetink.ports.storage import TTL_SECONDS, Leases
from wetink.render import fonts, jobs
from wetink.render.cache import Kept, Shared, key_of
from wetink.render.gif.countdown import MOST_PIXELS, Countdown, Look

logger = logging.getLogger(__name__)

MEMORY, DISK = 32 << 20, 64 << 20
"""Bytes of countdowns to keep in memory, and on disk."""
PATIENCE_SECONDS = 30.0
"""Seconds to wait for another process that makes the same countdown, before this one makes it as well."""
AGAIN_SECONDS, MOST_FAILED = 60.0, 200
"""Seconds before a failed countdown is tried again, and the number of failures to remember."""

_read = msgspec.msgpack.Decoder(Countdown).decode


class Countdowns:
    """Prepares countdowns and keeps them."""

    def __init__(
        self, make: Callable[[jobs.Press], Awaitable[Countdown]], shared: Shared | None, leases: Leases | None
    ) -> None:
        """`make` prepares a countdown and may raise BadContent. `shared` and `leases` may be missing."""
        self._make, self._shared, self._leases = make, shared, leases
        self._own = b""
        self._kept = Kept[Countdown](MEMORY, lambda countdown: countdown.nbytes)
        self._running: dict[bytes, asyncio.Task[Countdown]] = {}
        self._failed = Kept[tuple[float, BadContent]](MOST_FAILED)
        self._one = asyncio.Semaphore(1)
        self._version = _version()

    def use(self, own: bytes) -> None:
        """Use the shop's own fonts, given by their hash, from now on."""
        self._own = own

    async def ready(self, ticking: Ticking) -> Countdown:
        """Return a prepared countdown. Raises BadContent with the cause if it cannot be made."""
        look = Look(ticking.title, ticking.labels, ticking.accent, scheme=ticking.scheme)
        job = jobs.Press(look, ticking.width, ticking.height, fitting(ticking))
        key = key_of(jobs.encoded(job), self._version, self._own)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        failed = self._failed.get(key)
        if failed is not None and failed[0] > time.monotonic():
            raise BadContent(str(failed[1]), hint=failed[1].hint)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._made(key, job))
            task.add_done_callback(lambda task: self._finished(key, job, task))
        try:
            return await asyncio.shield(task)
        finally:
            del task  # its error keeps this frame: a cycle

    async def _made(self, key: bytes, job: jobs.Press) -> Countdown:
        found = await self._found(key)
        if found is None:
            async with self._one:
                found = await self._in_turn(key, job)
        self._kept.put(key, found)
        return found

    async def _in_turn(self, key: bytes, job: jobs.Press) -> Countdown:
        """Return the countdown if another process has made it since, else make it."""
        async with AsyncExitStack() as turn:
            if self._leases is not None:
                with suppress(Unavailable):
                    await turn.enter_async_context(self._leases.hold("countdowns", TTL_SECONDS, PATIENCE_SECONDS))
            found = await self._found(key)
            if found is None:
                found = await self._make(job)
                if self._shared is not None:
                    await asyncio.to_thread(self._shared.put, key, jobs.encoded(found))
            return found

    async def _found(self, key: bytes) -> Countdown | None:
        """Return a countdown that is kept on disk."""
        return None if self._shared is None else await asyncio.to_thread(_kept_by, self._shared, key)

    def _finished(self, key: bytes, job: jobs.Press, task: asyncio.Task[Countdown]) -> None:
        """Log the cause of a failure, and do not try this countdown again for a while."""
        del self._running[key]
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._failed.drop(key)
            return
        size = f"{job.width} by {job.height} at {job.scale}x"
        name = f"the countdown {job.look.title[:40]!r} of {size} cannot be made ready"
        if isinstance(error, BadContent):
            logger.warning("%s: %s", name, error)
        else:
            logger.error("%s", name, exc_info=error)
            error = BadContent(f"the countdown cannot be prepared: {type(error).__name__}")
        kept = BadContent(str(error), hint=error.hint)  # without the frames of its traceback
        self._failed.put(key, (time.monotonic() + AGAIN_SECONDS, kept))


def fitting(ticking: Ticking) -> int:
    """Return a countdown's device pixels for each CSS pixel: the requested number, or less above MOST_PIXELS.

    >>> fitting(Ticking("", ("",) * 4, "", 600, 300, 0, 3)), fitting(Ticking("", ("",) * 4, "", 1200, 800, 0, 3))
    (3, 2)
    """
    sizes = (scale for scale in range(ticking.scale, 1, -1) if ticking.width * ticking.height * scale**2 <= MOST_PIXELS)
    return next(sizes, 1)


def _kept_by(shared: Shared, key: bytes) -> Countdown | None:
    body = shared.get(key)
    if body is None:
        return None
    try:
        return _read(body)
    except msgspec.MsgspecError:
        shared.drop(key)
        return None


@cache
def _version() -> bytes:
    """Return the hash of the files that decide how a countdown looks: another version uses none kept before."""
    there = sorted(files("wetink.render.gif").iterdir(), key=lambda each: each.name)
    code = [each.read_bytes() for each in there if each.name.endswith((".py", ".liquid"))]
    return key_of(*fonts.stamp(), *code)
