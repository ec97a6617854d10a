"""Status: whether all is well with the server, what is not, and the remedy beside it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wetink import __version__, backups
from wetink.insights import findings
from wetink.insights.findings import Finding
from wetink.insights.health import counted
from wetink.insights.status import status_of
from wetink.ports.storage import Lease
from wetink.settings import ROLES
from wetink.telemetry import metrics
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms
from wetink.wiring import Wetink

ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
"""Names of stores by the scheme of their address, which may have a password."""

TASKS = {"projections": "catalog and conversions", "folder": "content folder", "catalogs": "catalog feeds"}
"""What a lease is for, if its name does not say so."""


TOPICS = {"messages": "messages", "opens": "opens, clicks and decisions"}
"""What each topic of the stream holds."""


class Process(msgspec.Struct, frozen=True):
    """A process of this server: its ID, the time (Unix ms) since which it answers, and its memory in bytes."""

    pid: int
    since: int
    memory: int


async def status(request: Request) -> Response:
    """Show the status of this server and its store."""
    wetink, now = wetink_of(request), now_ms()
    state = await status_of(wetink.store, wetink.feeds, wetink.content.feeds, wetink.settings.data, wetink.stream)
    last = backups.last_backup(wetink.settings.data)
    copies = backups.can_copy(wetink.settings)
    running = list(processes())
    found = [
        *findings.of_status(state, backups=copies, backed_up=last.at if last else None, now=now),
        *_of_processes(wetink, running),
        *_of_log(wetink),
    ]
    troubles = sorted((each for each in found if each.state != "ok"), key=lambda each: each.state == "warning")
    opens = sum(metrics.total(each) for outcomes in metrics.OPENS.values() for each in outcomes.values())
    fallbacks = sum(metrics.total(each) for each in metrics.FALLBACKS.values())
    scheme = wetink.settings.store.partition(":")[0]
    return page(
        request,
        "settings/status.html",
        state=findings.worst(found),
        troubles=troubles,
        version=__version__,
        engine=ENGINES.get(scheme, scheme),
        roles=[role for role in ROLES if role in wetink.settings.role],
        everything=len(wetink.settings.role) == len(ROLES),
        processes=running,
        wanted=wetink.settings.workers,
        since=min((each.since for each in running), default=0),
        opens=int(opens),
        fallbacks=int(fallbacks),
        received=int(sum(metrics.total(each) for name, each in metrics.MESSAGES.items() if name != "failed")),
        lag=max(state.lag.values(), default=0),
        replicas=state.replicas,
        stream=state.stream,
        topics=TOPICS,
        lags=sorted(state.lag.items()),
        leases=[(TASKS.get(name, name), host, pid) for name, host, pid in map(_holder, state.leases) if name],
        sizes=sorted(state.sizes.items(), key=lambda each: -each[1]),
        disk_free=state.disk_free,
        disk_size=state.disk_size,
        feeds=state.feeds,
        last=last,
        copies=copies,
    )


def processes() -> Iterator[Process]:
    """Yield the processes of this server that run."""
    for row in metrics.rows():
        pid = int(row[metrics.PID.at])
        memory = _memory(pid) if pid else None
        if memory is not None:
            yield Process(pid, int(row[metrics.STARTED.at] * 1000), memory)


def _of_processes(wetink: Wetink, running: Sequence[Process]) -> Iterator[Finding]:
    log = "See the log of the server."
    missing = wetink.settings.workers - len(running)
    if running and missing > 0:
        text = f"{missing} of {wetink.settings.workers} processes are missing"
        yield Finding("processes", "problem", text, "wetink starts them again. See the log of the server if they end.")
    if restarts := int(metrics.total(metrics.RESTARTS)):
        text = f"{restarts} replaced since the start, because they ended or hung"
        yield Finding("processes", "warning", text, log)
    for part, reason in wetink.health.failing().items():
        yield Finding(part, "problem", reason, f"Restart the server. {log}")
    for task, reason in wetink.health.struggling.items():
        yield Finding(task, "warning", reason, f"wetink keeps trying. {log}")
    if wetink.health.undrawable and not wetink.settings.role.isdisjoint(("open", "dashboard")):
        yield Finding("drawing", "problem", wetink.health.undrawable, f"Emails show fallbacks until it works. {log}")
    for problem in wetink.content.problems:
        yield Finding("content", "problem", problem, "Fix the file, or run `wetink rollback`.")
    for warning in wetink.stream.warnings() if wetink.stream is not None else ():
        yield Finding("stream", "warning", warning, "See docs/operating.md.")


def _of_log(wetink: Wetink) -> Iterator[Finding]:
    for records, count in wetink.store.lost().items():
        text = f"{count:,} {records} were lost because they could not be written"
        yield Finding("disk", "problem", text, "Use a faster disk. Reports are missing them.")
    errors = sum(counted().by_place.values())
    if errors:
        places = ", ".join(sorted(counted().by_place))
        text = f"{errors:,} unexpected error{'s' if errors > 1 else ''} in this process: {places}"
        yield Finding("errors", "warning", text, "See the log of the server, and report them.")


def _holder(lease: Lease) -> tuple[str, str, str]:
    """Return a lease's name, without the folder that it is about, and the host and process of its holder."""
    host, _, rest = lease.holder.partition(":")
    name = lease.name.partition(" of ")[0]
    return ("" if name.startswith("ready ") else name), host, rest.partition(":")[0]


def _memory(pid: int) -> int | None:
    """Return the resident memory of a process in bytes; None if it does not run."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
