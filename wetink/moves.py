"""Moves: copies everything of one store to another, of the same or another engine, while servers use the first."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from wetink.core.errors import BadSettings
from wetink.ports.moving import Moving
from wetink.settings import Settings
from wetink.store import engine_of
from wetink.store.move import Move, Moved

Progress = Callable[[str, int, int], object]
"""Gets what is being done, the units that are done, and all units."""


async def move(source: str, target: str, settings: Settings, progress: Progress, *, finish: bool) -> Moved:
    """Copy the store at the address `source` to the one at `target`; with `finish`, hand over.

    Raises BadSettings for unusable addresses, Conflict if the target has other data or both differ at the end, and
    StoreUnavailable. Run it again to go on.
    """
    if source == target:
        raise BadSettings("both addresses are the same", hint="wetink move FROM TO")
    if not engine_of(source).exists(source):
        raise BadSettings("there is no store at the first address", hint="it is the one that your servers use")
    kept = {"archive_days": settings.archive_days, "archive_bytes": settings.archive_mb << 20}
    async with _moving(source) as ours, _moving(target) as theirs:
        if "sealed" not in await ours.notes():  # the current version makes the tables that are missing
            opened = engine_of(source).open(source, _now_ms, **kept)
            await opened.start()
            await opened.close()
        into = engine_of(target).open(target, _now_ms, **kept, incomplete=True)
        try:
            await into.start()
            return await Move(ours, theirs, into, progress).run(finish=finish)
        finally:
            await into.close()


async def cancel(source: str, sure: Callable[[], object]) -> None:
    """Forget a move from `source`. Servers that start from now on may write to it again.

    Calls `sure` before if the source is sealed. Raises BadSettings without a store.
    """
    if not engine_of(source).exists(source):
        raise BadSettings("there is no store at this address", hint="give the address that the move began with")
    async with _moving(source) as ours:
        if "sealed" in await ours.notes():
            sure()
        await ours.end()


@asynccontextmanager
async def _moving(address: str) -> AsyncIterator[Moving]:
    moving = engine_of(address).moving(address)
    try:
        yield moving
    finally:
        await moving.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
