"""The worker: one table of all background tasks, and the loop that runs them in each process."""

import asyncio
import logging
import platform
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from math import inf
from typing import Literal, Self

import msgspec

from wetink import heap
from wetink.core.errors import BadSettings, Held, StoreUnavailable, log_error
from wetink.ending import cancelled
from wetink.settings import ROLES, Role
from wetink.telemetry import metrics
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

TIMER_SECONDS = 0.05
"""Time of the timer whose delay is measured, in seconds."""
ONCE = inf
"""The period of a task that runs once, when the process starts."""
RETRY_SECONDS = 2.0
"""The longest pause before a process asks again for a lease that another holds, or for a store that does not open."""
END_SECONDS = 4.0
"""How long all tasks together may take to end, in seconds. Giving up a lease takes up to two."""
BUSY_SECONDS, LATE_SECONDS = 1.0, 0.001
"""The longest pause while there is more to do, and the delay of a pause that shows a busy event loop. Both in seconds.
"""


async def _measure(wetink: Wetink) -> None:
    """Note this process's state for a scrape, and how late its event loop runs a timer."""
    begun = time.perf_counter()
    await asyncio.sleep(TIMER_SECONDS)
    metrics.LOOP_DELAY.observe(max(0.0, time.perf_counter() - begun - TIMER_SECONDS))
    for gauge, count in zip(
        (metrics.DRAWERS, metrics.DRAWERS_BUSY, metrics.DRAW_QUEUE), wetink.renderer.pool.load, strict=True
    ):
        gauge.set(count)
    metrics.LOST.reach(sum(wetink.store.lost().values()))


async def _release_memory(_: Wetink) -> None:
    """Return memory that this process no longer uses to the system."""
    heap.release()


async def _share_stream(wetink: Wetink) -> None:
    """Take this process's part of the stream, if there is a stream in front of the store."""
    if wetink.applier is not None:
        await wetink.applier.share()


class Task(msgspec.Struct, frozen=True):
    """A repeated task. A turn returns whether there is more to do right away."""

    name: str
    period: float
    """Seconds between two turns."""
    turn: Callable[[Wetink], Awaitable[object]]
    roles: Sequence[Role] = ROLES
    """A process runs it if it has one of these roles."""
    leased: Literal["", "folder", "store"] = ""
    """One process at a time runs it, of those with the same data folder or the same store. Empty: every process."""
    pause: float = 0.0
    """Seconds between two turns while there is more to do; longer while the event loop is busy."""
    follows: bool = False
    """A message stored by this process starts the next turn, a pause after the last one."""


SHOWING: Sequence[Role] = ("open", "dashboard")
"""Roles that decide and draw. They keep memories of their own, so a task that fills these runs in every process."""

STORE = "store"
"""Name of the task that opens the store."""

TASKS = (
    Task("metrics", 1.0, _measure),
    Task("memory", 30.0, _release_memory),
    Task("content", 1.0, lambda wetink: wetink.follow()),
    Task("stream", 1.0, _share_stream, ("worker",)),
    Task("folder", 1.0, lambda wetink: wetink.take_in(), ("worker",), leased="folder"),
    Task("uploads", 1.0, lambda wetink: wetink.feeds.take_in(), ("worker",), leased="folder"),
    Task("fonts", ONCE, lambda wetink: wetink.renderer.prepare(), SHOWING),
    Task("drawing", 30.0, lambda wetink: wetink.health.look(), SHOWING, pause=2.0),
    Task("trends", 0.5, lambda wetink: wetink.follower.step(), SHOWING, pause=0.1, follows=True),
    Task(
        "projections",
        0.25,
        lambda wetink: wetink.store.projections.settle(),
        ("worker",),
        leased="store",
        pause=0.2,
        follows=True,
    ),
    Task("summaries", 5.0, lambda wetink: wetink.summaries.step(), ("worker",), leased="store", pause=0.2),
    Task("audiences", 1.0, lambda wetink: wetink.audiences.step(wetink.content.audiences), ("worker",), leased="store"),
    Task(
        "reports", 10.0, lambda wetink: wetink.reports.prepare(wetink.content), ("worker",), leased="store", pause=0.1
    ),
    Task("columns", 30.0, lambda wetink: wetink.crowd.prepare(), ("dashboard",)),
    Task("bandits", 20.0, lambda wetink: wetink.experiments.refresh(wetink.content), SHOWING),
    Task("summary", 60.0, lambda wetink: wetink.weekly.step(wetink.content), ("worker",), leased="store"),
    Task("feeds", 1.0, lambda wetink: wetink.feeds.begin_due(), ("open", "worker", "dashboard")),
    Task("catalogs", 2.0, lambda wetink: wetink.catalogs.step(wetink.content.feeds), ("worker",), leased="store"),
    Task("prefetch", 1.0, lambda wetink: wetink.prefetcher.step(wetink.content.blocks), ("open",), pause=0.2),
    Task("prerender", 0.5, lambda wetink: wetink.prerenderer.step(wetink.content), ("open",)),
    Task("archive", 20.0, lambda wetink: wetink.store.archive.tidy(), ("worker",), leased="store", pause=0.5),
    Task("moving pictures", 0.5, lambda wetink: wetink.animations.step(wetink.content), ("open",)),
)


def tasks_of(roles: Collection[Role]) -> Sequence[Task]:
    """Return the tasks of a process with these roles.

    >>> [task.name for task in tasks_of({"ingest"})]
    ['metrics', 'memory', 'content']
    """
    return [task for task in TASKS if not set(roles).isdisjoint(task.roles)]


class Worker:
    """Runs tasks in the event loop of this process inside its context. No exception ends a task."""

    def __init__(self, wetink: Wetink, tasks: Sequence[Task] = TASKS) -> None:
        """Run `tasks` of `wetink`, whose health reports their failures."""
        self._wetink, self._tasks = wetink, tasks
        self._failures: dict[str, int] = {}
        self._ending = False
        self._arrivals = {task.name: asyncio.Event() for task in tasks}

    async def __aenter__(self) -> Self:
        """Start all tasks. If the store does not open, one task tries again until it does, and then starts them."""
        try:
            await self._wetink.ready()
        except StoreUnavailable as error:
            self._wetink.health.tasks = [asyncio.create_task(self._wait(error), name=STORE)]
        else:
            self._start()
        return self

    def _start(self) -> None:
        self._wetink.ingest.on_appended = self._appended
        if self._wetink.applier is not None:
            self._wetink.applier.on_appended = self._appended
        self._wetink.health.tasks = [asyncio.create_task(self._run(task), name=task.name) for task in self._tasks]

    async def _wait(self, error: StoreUnavailable | BadSettings | None) -> None:
        """Try to open the store until it opens, also if what answers at last is of no use, as with a wrong version."""
        while error is not None:
            wait, hint = RETRY_SECONDS, error.hint
            logger.error("the store does not open; wetink tries again every %g s: %s (%s)", wait, error, hint)
            self._wetink.health.struggling[STORE] = f"{error} ({hint})"
            await asyncio.sleep(RETRY_SECONDS)
            try:
                await self._wetink.ready()
                error = None
            except (StoreUnavailable, BadSettings) as again:
                error = again
        logger.warning("the store is open")
        self._wetink.health.struggling.pop(STORE)
        self._start()

    async def __aexit__(self, *error: object) -> None:
        """Cancel all tasks, and wait a while for their ends."""
        self._ending = True
        await cancelled(self._wetink.health.tasks, END_SECONDS)

    async def _run(self, task: Task) -> None:
        """Run a task until it is cancelled. After a failure, another process may take over."""
        while not self._ending:  # a cancellation may get lost in a library
            try:
                async with self._turn_of(task):
                    await self._turns(task)
                return
            except Held:
                self._record(task.name, None)
            except BaseException as error:
                me = asyncio.current_task()
                if isinstance(error, KeyboardInterrupt) or (me is not None and me.cancelling()):
                    raise
                self._record(task.name, error)
            await asyncio.sleep(BUSY_SECONDS if task.period == ONCE else min(task.period, RETRY_SECONDS))

    def _turn_of(self, task: Task) -> AbstractAsyncContextManager[None]:
        """Hold a task's lease if it needs one. Raises Held."""
        leases = self._wetink.store.leases
        if task.leased == "folder":
            return leases.hold(f"{task.name} of {platform.node()}:{self._wetink.settings.data.resolve()}")
        return leases.hold(task.name) if task.leased else nullcontext()

    async def _turns(self, task: Task) -> None:
        """Run turns until one fails. A task that runs once ends after one turn."""
        loop, pause = asyncio.get_running_loop(), task.pause
        while not self._ending:
            more = await task.turn(self._wetink)
            self._record(task.name, None)
            if task.period == ONCE:
                return
            begun, meant = loop.time(), pause if more or task.follows else task.period
            await asyncio.sleep(meant)
            pause = paced(pause, loop.time() - begun - meant, task.pause)
            if task.follows and not more:
                await self._wait_for_message(task)

    def _appended(self) -> None:
        for arrival in self._arrivals.values():
            arrival.set()

    async def _wait_for_message(self, task: Task) -> None:
        """Wait for a message, or for the task's period: other processes may store messages as well."""
        arrival = self._arrivals[task.name]
        with suppress(TimeoutError):
            async with asyncio.timeout(task.period):
                await arrival.wait()
        arrival.clear()

    def _record(self, name: str, error: BaseException | None) -> None:
        """Record the result of a task's turn."""
        if error is None:
            self._failures.pop(name, None)
            self._wetink.health.struggling.pop(name, None)
            return
        metrics.TASK_FAILURES.add()
        log_error(logger, error, "the task %s failed", name)
        count = self._failures[name] = self._failures.get(name, 0) + 1
        self._wetink.health.struggling[name] = f"failed {count} times in a row: {type(error).__name__}"


def paced(pause: float, late: float, least: float) -> float:
    """Return the next pause (s), given the delay `late` (s) of the last one.

    >>> paced(0.1, 0.0, 0.1), paced(0.1, 0.005, 0.1), paced(0.8, 0.005, 0.1), paced(0.8, 0.0, 0.1)
    (0.1, 0.2, 1.0, 0.4)
    """
    return max(min(pause * 2, BUSY_SECONDS), least) if late > LATE_SECONDS else max(pause / 2, least)
