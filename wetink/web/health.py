"""Health endpoints: `/healthz` for a supervisor, `/readyz` for a load balancer. They need no token and name no person.

`/healthz` answers 503 if only a new process can help: a thread or a task has stopped. It asks nobody, so a store that
is down never makes a supervisor end a process that still answers opens. `/readyz` answers 503 if a new request would
fare better elsewhere, by the roles of the process. All processes share the store, so once a process has been ready, it
answers opens without it as well as any other: with last good pictures and fallbacks.
"""

import asyncio
import logging
import os
import platform
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wetink import __version__
from wetink.core.errors import BadContent, StoreUnavailable, WetinkError, log_error
from wetink.insights.health import counted
from wetink.opens.reach import HEADER
from wetink.settings import ROLES, Role
from wetink.wiring import Wetink

logger = logging.getLogger(__name__)

CHECK_SECONDS, FRESH_SECONDS = 2.0, 1.0
"""How long a check may take, and how long its result stands: anybody may ask, and a check may write to the disk."""

Check = Callable[[Wetink], Awaitable[object]]


async def _content(wetink: Wetink) -> None:
    if not wetink.has_content:
        raise BadContent("the content is not loaded yet")


async def _drawing(wetink: Wetink) -> None:
    if wetink.health.undrawable:
        raise BadContent(wetink.health.undrawable)


async def _store(wetink: Wetink) -> None:
    """Check that the store answers. With a stream in front of it, messages are taken in without it."""
    if wetink.stream is None or wetink.settings.role != {"ingest"}:
        await wetink.store.sources.all()


async def _writing(wetink: Wetink) -> None:
    if wetink.stream is None:
        await wetink.store.writable()
    else:
        await wetink.stream.oldest("messages")


async def _leases(wetink: Wetink) -> None:
    async with wetink.store.leases.hold(f"ready of {platform.node()}:{os.getpid()}", CHECK_SECONDS):
        pass


CHECKS: Mapping[str, tuple[Sequence[Role], Check]] = {
    "store": (ROLES, _store),
    "writing": (("ingest",), _writing),
    "content": (ROLES, _content),
    "drawing": (("open", "dashboard"), _drawing),
    "leases": (("worker",), _leases),
}
"""Name of each check -> the roles that need it, and its function, which raises the reason of a failure."""
SHARED = frozenset({"store", "writing", "leases"})
"""Checks of the store. If they kept opens away, a balancer would have no process left to send them to."""


class Readiness:
    """Checks whether a process can do the work of its roles. Askers at the same time share one round of checks."""

    def __init__(self, wetink: Wetink) -> None:
        """Check `wetink`."""
        self._wetink = wetink
        self._running: dict[str, asyncio.Task[str]] = {}
        self._round: asyncio.Task[dict[str, str]] | None = None
        self._until = 0.0
        self._was_ready = False
        self.without: Mapping[str, str] = {}
        """The reason of each failed check that does not keep opens away, by name."""

    async def missing(self) -> Mapping[str, str]:
        """Return the reason of each failed check by name; empty if the process is ready."""
        if self._wetink.health.draining:
            return {"draining": "this process is about to end"}
        if self._round is None or (self._round.done() and time.monotonic() >= self._until):
            self._round = asyncio.create_task(self._checked())
        return await asyncio.shield(self._round)

    async def _checked(self) -> dict[str, str]:
        roles, names = self._wetink.settings.role, []
        for name, (needed_by, check) in CHECKS.items():
            if not roles.isdisjoint(needed_by):
                names.append(name)
                if name not in self._running:  # else the last one hangs, and another would hang with it
                    self._running[name] = asyncio.create_task(self._reason(check))
        await asyncio.wait([self._running[name] for name in names], timeout=CHECK_SECONDS)
        found = {}
        for name in names:
            if not self._running[name].done():
                found[name] = f"no answer within {CHECK_SECONDS:g} s"
            elif reason := self._running.pop(name).result():
                found[name] = reason
        self._until = time.monotonic() + FRESH_SECONDS
        forgiven = SHARED if self._was_ready and "open" in roles else frozenset[str]()
        self.without = {name: reason for name, reason in found.items() if name in forgiven}
        missing = {name: reason for name, reason in found.items() if name not in forgiven}
        self._was_ready |= not missing
        return missing

    async def _reason(self, check: Check) -> str:
        try:
            await check(self._wetink)
        except Exception as error:
            if not isinstance(error, WetinkError):
                log_error(logger, error, "a check of readiness failed")
            return str(error) if isinstance(error, WetinkError) else type(error).__name__
        return ""


async def healthz(request: Request) -> Response:
    """Return this process's failures, struggling tasks, errors by place, and lost records. 503 for a failure."""
    wetink: Wetink = request.app.state.wetink
    failing = wetink.health.failing()
    details = {
        "failing": failing,
        "tasks": wetink.health.struggling,
        "troubles": dict(sorted(counted().by_place.items())),
        "lost": wetink.store.lost(),
    }
    summary = {"status": "failing" if failing else "ok", "version": __version__}
    return JSONResponse(
        {**summary, **{name: what for name, what in details.items() if what}},
        503 if failing else 200,
        {HEADER: wetink.instance},
    )


async def readyz(request: Request) -> Response:
    """Return this process's roles, failed checks, and projections that lag. 503 if not ready."""
    wetink: Wetink = request.app.state.wetink
    readiness: Readiness = request.app.state.readiness
    missing = await readiness.missing()
    away = "store" in missing or "store" in readiness.without
    details = {
        "missing": missing,
        "without": readiness.without,
        "behind": {} if away else await _behind(wetink),
    }
    roles = [role for role in ROLES if role in wetink.settings.role]
    summary = {"status": "not ready" if missing else "ready", "roles": roles}
    return JSONResponse({**summary, **{name: what for name, what in details.items() if what}}, 503 if missing else 200)


async def _behind(wetink: Wetink) -> dict[str, int]:
    try:
        return {name: count for name, count in (await wetink.store.projections.behind()).items() if count}
    except StoreUnavailable:  # the store went away after its check, whose result stands for a moment
        return {}
