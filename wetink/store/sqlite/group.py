"""Group: what requests bring, put together so that one transaction writes all of it."""

import asyncio
from collections import deque
from collections.abc import Sequence

from wetink.store.sqlite.commit import Row

FEW_ROWS = 100
"""Rows that the loop commits by itself: a millisecond at most, less than it takes to hand them over."""
SLICE_ROWS = 250
"""Rows that are written before others get their turn: about five milliseconds."""
GROUP_ROWS = 2_500
"""Rows after which a group is closed; a request is never split."""


class Job:
    """One request's rows, and who waits for them."""

    def __init__(self, rows: Sequence[Row], loop: asyncio.AbstractEventLoop) -> None:
        """Make a job whose future belongs to `loop`."""
        self.rows = rows
        self.loop, self.since = loop, loop.time()
        self.future: asyncio.Future[list[bool]] = loop.create_future()


class Group:
    """Jobs that are written in one transaction, as far as that has come; none until the lock is held."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with none, in this loop."""
        self.loop = loop
        self.jobs: list[Job] = []
        self.rows: list[Row] = []
        self.outcome: list[bool] = []
        self.in_thread = self.waiting = False  # for another process, with jobs or without
        self.begun = False

    def take(self, waiting: deque[Job]) -> None:
        """Take from what waits."""
        while waiting and len(self.rows) < GROUP_ROWS:
            job = waiting.popleft()
            self.jobs.append(job)
            self.rows += job.rows

    def shares(self) -> list[list[bool]]:
        """Each job's part of the outcome."""
        shares, start = [], 0
        for job in self.jobs:
            shares.append(self.outcome[start : start + len(job.rows)])
            start += len(job.rows)
        return shares
