"""A move whose process is killed (-9) after each of its steps goes on in the next process, and loses nothing."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests import postgresql
from tests.contracts.engines import ENGINES, moving
from tests.contracts.houses import NOW, House, fill, records, rows
from tests.contracts.loop import run
from tests.contracts.profiles import everybody, mentioned, received
from wetink.core.errors import Conflict
from wetink.ports import Storage
from wetink.ports.moving import MESSAGE
from wetink.store.move import Move

FORKSERVER = get_context("forkserver")
FORKSERVER.set_forkserver_preload([__name__])

STEPS: Sequence[tuple[str, ...]] = [
    ("source.note",),
    ("source.begin",),
    ("target.note",),
    ("target.put",),
    ("target.put", "target.note", "target.put"),
    ("log.append",),
    ("log.append", "target.note"),
    ("catalog.learn",),
    ("projections.settle",),
    ("source.changes", "target.put"),
    ("source.forget",),
    ("target.page",),
    ("target.complete",),
    ("target.complete", "source.left"),
    ("source.seal",),
    ("source.seal", "log.append"),
    ("source.seal", "target.put"),
    ("source.seal", "target.complete"),
    ("source.seal", "target.complete", "target.note"),
]
"""When a process is killed: once it has made these calls in this order. The last step is that of a whole move."""
HALF_A_SEAL = ("os.pwrite", "os.pwrite", "os.pwrite")
"""Three of SQLite's files are sealed."""


class Watched:
    """Passes calls on, and reports each when it is done."""

    def __init__(self, part: Any, name: str, done: Callable[[str], None]) -> None:
        self._part, self._name, self._done = part, name, done

    def __getattr__(self, call: str) -> Any:
        real = getattr(self._part, call)

        async def called(*given: Any, **named: Any) -> Any:
            result = await real(*given, **named)
            self._done(f"{self._name}.{call}")
            return result

        return called


async def _written(engine: str, folder: Path) -> None:
    """Write something to every part of a storage, as a server of it does."""
    store: Storage = ENGINES[engine](folder, clock_ms=lambda: NOW)
    await store.start()
    number = await store.content.revision()
    message = {"type": "track", "event": "X", "messageId": f"late{number}", "userId": "late", "timestamp": NOW + number}
    await store.log.append([received(message)])
    await fill(store, number)
    await store.close()


def _moved(engines: tuple[str, str], folder: Path, until: Sequence[str]) -> None:
    """Move in this process, which ends itself after the calls `until`. A server writes before the seal."""
    left = list(until)

    def done(call: str) -> None:
        if left and left[0] == call:
            left.pop(0)
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    def written(*given: Any, pwrite: Callable[..., int] = os.pwrite) -> int:
        count = pwrite(*given)
        done("os.pwrite")
        return count

    os.pwrite = written

    async def story() -> None:
        into = ENGINES[engines[1]](folder / "to", clock_ms=lambda: NOW, incomplete=True)
        await into.start()
        source, target = moving(engines[0], folder / "from"), moving(engines[1], folder / "to")
        seal = source.seal

        async def sealed(reason: str) -> None:
            await _written(engines[0], folder / "from")
            await seal(reason)

        source.seal = sealed  # type: ignore[method-assign]
        parts: Any = {name: Watched(getattr(into, name), name, done) for name in ("log", "catalog", "projections")}
        ends: Any = Watched(source, "source", done), Watched(target, "target", done)
        await Move(*ends, replace(into, **parts)).run(finish=True)

    asyncio.run(story())


@pytest.mark.parametrize("engines", [("sqlite", "postgresql"), ("postgresql", "sqlite")], ids="-to-".join)
def test_a_move_goes_on_after_its_process_is_killed_at_any_step(engines: tuple[str, str], tmp_path: Path) -> None:
    if not set(engines) <= set(ENGINES):
        pytest.skip("this run is about one engine")
    source, target = House(engines[0], tmp_path / "from"), House(engines[1], tmp_path / "to")
    run(target.store.close())
    run(source.store.log.append(records()))
    run(fill(source.store))
    for number, until in enumerate([*STEPS[:-1], *([HALF_A_SEAL] if engines[0] == "sqlite" else []), STEPS[-1]], 1):
        if "source.seal" not in STEPS[max(number - 2, 0)]:  # a sealed source takes no more writes
            run(_written(engines[0], source.folder))
        child = FORKSERVER.Process(target=_moved, args=(engines, tmp_path, until))
        child.start()
        child.join(120)
        assert child.exitcode == -signal.SIGKILL, f"it was not killed at {until}"
    target = House(engines[1], tmp_path / "to")
    with pytest.raises(Conflict, match="complete"):
        run(Move(source.moving, target.moving, target.store).run(finish=True))
    assert run(rows(target.moving)) == run(rows(source.moving))
    assert run(target.moving.counts()) == run(source.moving.counts())
    assert run(source.moving.counts())[MESSAGE] > len(records())
    messages = [
        {each.message_id: each.raw for each in run(house.store.log.messages(limit=9999))} for house in (source, target)
    ]
    assert messages[0] == messages[1]
    whom = mentioned(records())
    assert everybody(target.store.profiles, whom) == everybody(source.store.profiles, whom)
    for house in (source, target):
        house.close()
    postgresql.drop({postgresql.database_of(tmp_path / name) for name in ("from", "to")} & postgresql.MADE)
