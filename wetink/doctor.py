"""Doctor: examines a wetink, says what is wrong with it, and repairs what can be derived again.

It runs beside a server or without one. Each check yields its findings when it is done.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import get_args

from wetink import backups
from wetink.core.errors import WetinkError
from wetink.insights import findings
from wetink.insights.findings import Finding
from wetink.insights.status import Status, status_of
from wetink.ports.inspection import Part
from wetink.wiring import Wetink

SYNCS, SYNC_BYTES = 15, 4_096
OLD_KEY_DAYS = 30
TIME_ERROR = 5
"""adjtimex's return value for a clock that nothing synchronizes."""
TIMEX_BYTES = 1_024
"""More than the kernel writes into a `timex`."""
NOUNS: dict[Part, str] = {"identities": "identifiers", "catalog": "messages", "conversions": "messages"}


async def examine(wetink: Wetink, now: int, *, sample: int | None, repair: bool) -> AsyncIterator[Finding]:
    """Yield the findings about a wetink at `now` (Unix ms).

    Compares about `sample` items of each kind of derived data; None compares all. With `repair`, it derives wrong data
    again and lets the projections catch up.
    """
    await wetink.feeds.read_kept()
    status = await status_of(wetink.store, wetink.feeds, wetink.content.feeds, wetink.settings.data, wetink.stream)
    if repair and any(status.lag.values()):
        async for finding in _caught_up(wetink, status):
            yield finding
        status = await status_of(wetink.store, wetink.feeds, wetink.content.feeds, wetink.settings.data, wetink.stream)
    last = backups.last_backup(wetink.settings.data)
    copies = backups.can_copy(wetink.settings)
    for finding in findings.of_status(status, backups=copies, backed_up=last.at if last else None, now=now):
        yield finding
    yield findings.of_sync(await asyncio.to_thread(sync_seconds, wetink.settings.data))
    newest = [each.received for each in await wetink.store.log.messages(limit=1)]
    yield findings.of_clock(now, newest[0] if newest else None, synchronized=synchronized())
    async for finding in _keys(wetink, now):
        yield finding
    for finding in _content(wetink):
        yield finding
    faults = await wetink.store.inspection.faults()
    where = "the data folder" if copies else "the database's files"
    remedy = f"Stop the server, keep a copy of {where}, and restore the last backup."
    for fault in faults:
        yield Finding("store", "problem", fault, remedy)
    if faults:  # nothing that follows from damaged data would be right
        return
    yield Finding("store", "ok", f"whole, in the current format, {sum(status.sizes.values()) / 1e6:,.1f} MB")
    for part in get_args(Part):
        yield await _derived(wetink, part, sample, repair=repair)
    why = await wetink.health.drawing()
    mended = "Run `make assets` if fonts are missing; else see the log of the server."
    yield Finding("drawing", "problem", why, mended) if why else Finding("drawing", "ok", "a new picture was drawn")


async def _caught_up(wetink: Wetink, status: Status) -> AsyncIterator[Finding]:
    """Let projections catch up with the log. One that is ahead of it, as after a wrong restore, is derived again."""
    for name in [name for name, count in status.lag.items() if count < 0]:
        await wetink.store.projections.rebuild(name)
        yield Finding("followers", "repaired", f"{name} was ahead of the log and is rebuilt")
    while await wetink.store.projections.settle():
        pass


async def _derived(wetink: Wetink, part: Part, limit: int | None, *, repair: bool) -> Finding:
    """Compare a part of the derived data with data that is derived again."""
    checked = await wetink.store.inspection.sample(part, limit)
    noun = NOUNS[part]
    if not checked.wrong:
        return Finding(part, "ok", f"{checked.count:,} {noun} derived again, all as stored")
    text = f"of {checked.count:,} {noun} derived again, {checked.wrong:,} rows differ from the stored ones"
    if not repair:
        return Finding(part, "problem", text, "Run `wetink doctor --repair`, and report how it came about.")
    if part == "identities":
        await wetink.store.inspection.sample(part, None, repair=True)
    else:
        await wetink.store.projections.rebuild(part)
    after = await wetink.store.inspection.sample(part, limit)
    if after.wrong:
        return Finding(part, "problem", f"{text}; {after.wrong:,} still differ after the repair", "Report this.")
    return Finding(part, "repaired", f"{text}; they are right now")


async def _keys(wetink: Wetink, now: int) -> AsyncIterator[Finding]:
    """Yield the findings about keys of sources. Opening the store has checked the keys that seal links."""
    sources = await wetink.store.sources.all()
    fine = not wetink.resealed
    if wetink.resealed:
        text = "the store had no keys that seal links; with new ones, sent emails show fallbacks"
        yield Finding("keys", "problem", text, "Restore secrets.db from the last backup.")
    for source in sources:
        days = (now - source.rotated) // findings.DAY_MS if source.rotated else 0
        if days > OLD_KEY_DAYS:
            fine = False
            text = f"the old key of {source.name} is still valid, {days} days after its rotation"
            yield Finding("keys", "warning", text, f"Run `wetink keys rotate {source.name} --end` once nobody uses it.")
    if not sources:
        yield Finding("keys", "warning", "no source has a key yet", "Run `wetink keys create shop`.")
    elif fine:
        yield Finding(
            "keys",
            "ok",
            f"{len(sources)} source{'s' if len(sources) > 1 else ''}; the keys that seal links can be read",
        )


def _content(wetink: Wetink) -> Iterator[Finding]:
    for problem in wetink.content.problems:
        yield Finding("content", "problem", problem, "Fix the file, or run `wetink rollback`.")
    if not wetink.content.problems:
        blocks, notes = len(wetink.content.blocks), len(wetink.content.notes)
        hints = f", {notes} hints in `wetink test`" if notes else ""
        yield Finding("content", "ok", f"{blocks} block{'s' if blocks != 1 else ''}{hints}")


def sync_seconds(folder: Path) -> float:
    """Return the median time (s) of a small write with fsync in a folder. Blocks. Raises OSError."""
    times = []
    with TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(bytes(SYNC_BYTES))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return median(times)


def synchronized() -> bool | None:
    """Return whether the kernel says that the clock is synchronized; None if it does not say."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR


def unopened(error: WetinkError) -> Finding:
    """Return the finding about a wetink that cannot be opened."""
    return Finding("store", "problem", str(error), error.hint or "See docs/operating.md.")
