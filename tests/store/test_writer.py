"""The writer: what waits is committed together, and what is acknowledged is on the disk."""

import asyncio
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from tests.storage import opened
from tests.store.said import message
from wetink.store.sqlite.commit import Commits, Row


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each transaction wrote."""
    counted: list[int] = []
    write = Commits.write

    def counting(self: Commits, db: apsw.Connection, rows: Sequence[Row]) -> list[bool]:
        counted.append(len(rows))
        return write(self, db, rows)

    monkeypatch.setattr(Commits, "write", counting)
    return counted


@contextmanager
def another_process_writes(folder: Path) -> Iterator[None]:
    with (folder / "wetink.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_all_that_came_while_another_process_wrote_is_one_transaction(tmp_path: Path, commits: list[int]) -> None:
    async def several() -> list[list[bool]]:
        store = opened(tmp_path)
        with another_process_writes(tmp_path):
            writing = [asyncio.create_task(store.log.append([message(0)]))]
            await asyncio.sleep(0.05)
            writing += [asyncio.create_task(store.log.append([message(number)])) for number in (1, 2, 3)]
            await asyncio.sleep(0.05)
            assert not any(task.done() for task in writing)
        duplicates = await asyncio.gather(*writing)
        await store.close()
        return [list(each) for each in duplicates]

    assert asyncio.run(several()) == [[False]] * 4
    assert commits == [4]
