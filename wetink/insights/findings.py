"""Findings: what is wrong with a server, each with its remedy. Pure: the status page and `wetink doctor` share them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from wetink.insights.status import FeedStatus, Status
from wetink.ports.inspection import Replica
from wetink.ports.storage import Lease
from wetink.ports.stream import StreamState

State: TypeAlias = Literal["ok", "warning", "problem", "repaired"]

GB, DAY_MS = 1_000_000_000, 86_400_000
LAG, LONG_LAG = 10_000, 100_000
"""Messages that a projection may be behind without a warning, and without a problem."""
LATE_SECONDS, VERY_LATE_SECONDS = 30, 600
"""Age of the oldest message that waits in the stream, in seconds, without a warning, and without a problem."""
SLOW_SYNC, VERY_SLOW_SYNC = 0.02, 0.1
"""Seconds that a disk may take for a sync without a warning, and without a problem."""
BACKUP_DAYS = 7
SKEW_MS = 60_000


class Finding(msgspec.Struct, frozen=True):
    """The result of one check. `remedy` is empty if all is well."""

    check: str
    state: State
    text: str
    remedy: str = ""


def of_status(status: Status, *, backups: bool, backed_up: int | None, now: int) -> Iterator[Finding]:
    """Yield the findings of a status at `now` (Unix ms).

    `backups` means that `wetink backup` can copy the store. `backed_up` is the time of the last one, None without one.
    """
    for part, reason in status.unread.items():
        yield Finding("store", "problem", f"{part} cannot be read: {reason}", "See the log of the server.")
    yield of_disk(status.disk_free, status.disk_size)
    yield of_lag(status.lag, status.leases)
    yield from of_replicas(status.replicas)
    if status.stream is not None:
        yield from of_stream(status.stream, now)
    yield from of_feeds(status.feeds)
    if backups:
        yield of_backup(backed_up, now)


def of_disk(free: int, size: int) -> Finding:
    """Return the finding of a disk with so many free bytes."""
    text = f"{free / GB:,.1f} GB free of {size / GB:,.1f} GB"
    remedy = "Free space, lower archive_mb, or move the data folder to a larger disk."
    if free < 0.05 * size or free < 0.5 * GB:
        return Finding("disk", "problem", text, remedy)
    if free < 0.1 * size or free < 2 * GB:
        return Finding("disk", "warning", text, remedy)
    return Finding("disk", "ok", text)


def of_sync(seconds: float) -> Finding:
    """Return the finding of a disk whose median sync takes so long."""
    text = f"a sync takes {seconds * 1000:.1f} ms"
    if seconds > SLOW_SYNC:
        state: State = "problem" if seconds > VERY_SLOW_SYNC else "warning"
        return Finding("sync", state, text, "Use a local SSD: each request with messages waits for one sync.")
    return Finding("sync", "ok", text)


def of_lag(lag: Mapping[str, int], leases: Sequence[Lease]) -> Finding:
    """Return the finding of projections that are behind the log."""
    name, most = max(lag.items(), key=lambda each: each[1], default=("catalog", 0))
    if any(count < 0 for count in lag.values()):
        ahead = next(name for name, count in lag.items() if count < 0)
        return Finding("followers", "problem", f"{ahead} is ahead of the log", f"Run `wetink rebuild {ahead}`.")
    if most > LAG:
        text = f"{name} is {most:,} messages behind"
        followed = any(lease.name == "projections" for lease in leases)
        remedy = "It catches up after an import or a busy hour. If the number grows, see the log of the server."
        if not followed:
            remedy = "No process follows the log. Start one with the role worker."
        return Finding("followers", "problem" if most > LONG_LAG or not followed else "warning", text, remedy)
    return Finding("followers", "ok", f"at most {most:,} messages behind")


def of_replicas(replicas: Sequence[Replica]) -> Iterator[Finding]:
    """Yield the findings of replicas: one for all that can be read, and one for each other."""
    for replica in replicas:
        if replica.problem:
            remedy = "Check that it runs and streams from the primary, or correct `replicas` in WETINK_STORE."
            yield Finding("replicas", "warning", f"{replica.name}: {replica.problem}", remedy)
    near = [each.behind for each in replicas if not each.problem and each.behind is not None]
    if near:
        yield Finding("replicas", "ok", f"{len(near)} at most {max(near):.0f} s behind")


def of_stream(stream: StreamState, now: int) -> Iterator[Finding]:
    """Yield the findings of what waits in the stream at `now` (Unix ms), and of what was set aside."""
    age = max((now - at for at in stream.oldest.values()), default=0) // 1000
    if age > LATE_SECONDS:
        text = f"{stream.waiting:,} stream messages wait to be stored, the oldest for {age:,} s"
        remedy = "Check that the store can be written, and that a process with the role worker runs."
        yield Finding("stream", "problem" if age > VERY_LATE_SECONDS else "warning", text, remedy)
    else:
        yield Finding("stream", "ok", f"{stream.waiting:,} stream messages wait to be stored")
    if stream.aside:
        text = f"{stream.aside:,} stream messages of the last 30 days were set aside"
        yield Finding("stream", "warning", text, "Read the header Wetink-Reason of those in the stream …_aside.")


def of_feeds(feeds: Sequence[FeedStatus]) -> Iterator[Finding]:
    """Yield the findings of feeds: one for all that are fresh, and one for each other."""
    stale = [feed for feed in feeds if feed.state != "fresh"]
    for feed in stale:
        state: State = "warning" if feed.age_ms is not None else "problem"
        reason = feed.because or ("its data is old" if feed.age_ms is not None else "it has no data")
        yield Finding("feeds", state, f"{feed.name}: {reason}", "Check its address and its file on the page Feeds.")
    if not stale:
        yield Finding("feeds", "ok", f"{len(feeds)} with fresh data" if feeds else "none")


def of_backup(at: int | None, now: int) -> Finding:
    """Return the finding of the last backup at `at` (Unix ms), None without one."""
    remedy = "Run `wetink backup` every night, and keep the backup on another machine."
    if at is None:
        return Finding("backup", "warning", "no backup yet", remedy)
    days = max(now - at, 0) // DAY_MS
    text = "the last one is less than a day old"
    if days:
        text = f"the last one is {days} day{'s' if days > 1 else ''} old"
    return Finding("backup", "ok", text) if days <= BACKUP_DAYS else Finding("backup", "warning", text, remedy)


def of_clock(now: int, newest: int | None, *, synchronized: bool | None) -> Finding:
    """Return the finding of a clock at `now`, when the newest message was received at `newest` (Unix ms).

    `synchronized` is the kernel's statement, None if it makes none.
    """
    remedy = "Run an NTP client, such as chrony or systemd-timesyncd."
    if newest is not None and newest - now > SKEW_MS:
        text = f"the newest message was received {(newest - now) // 1000:,} s in the future: a clock was set back"
        return Finding("clock", "problem", text, remedy)
    if synchronized is False:
        return Finding("clock", "warning", "the kernel says that nothing synchronizes it", remedy)
    return Finding("clock", "ok", "synchronized" if synchronized else "agrees with the store")


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state of findings."""
    states = {finding.state for finding in findings}
    order: tuple[State, ...] = ("problem", "warning", "repaired")
    return next((state for state in order if state in states), "ok")
