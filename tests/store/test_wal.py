"""The write-ahead log: nothing is acknowledged before it is synced, whoever waits for the disk."""

import asyncio
import errno
import os
import shutil
from pathlib import Path

import apsw
import pytest

from tests.storage import opened
from tests.store.said import message
from wetink import settings as setting
from wetink.core.errors import StoreUnavailable
from wetink.store.sqlite import wal
from wetink.store.sqlite.wal import OnSynced, Wal
from wetink.wiring import Wetink
from wetink.worker import Worker


@pytest.fixture(params=["the kernel waits", "a thread waits"])
def waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "a thread waits":
        monkeypatch.setattr(wal, "_kernel", lambda: None)
    elif wal._kernel() is None:
        pytest.skip("this kernel does not wait for disks")
    return str(request.param)


@pytest.fixture
def synced(waiting: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the log was synced, each time."""
    told: list[str] = []
    by_thread, by_kernel = os.fdatasync, wal._syncing

    def thread(file: int) -> None:
        told.append("a thread waits")
        by_thread(file)

    def kernel(file: int, then: OnSynced) -> object:
        told.append("the kernel waits")
        return by_kernel(file, then)

    monkeypatch.setattr(os, "fdatasync", thread)
    monkeypatch.setattr(wal, "_syncing", kernel)
    return told


def messages(file: Path) -> int:
    """How many messages are in a file, its log left out."""
    alone = file.with_name("alone.db")
    shutil.copyfile(file, alone)
    count: int = apsw.Connection(str(alone)).execute("SELECT count(*) FROM message").get
    return count


def test_every_acknowledged_write_was_synced(tmp_path: Path, waiting: str, synced: list[str]) -> None:
    async def twice() -> None:
        store = opened(tmp_path)
        for number in (1, 2):
            await store.log.append([message(number)])
            assert synced == [waiting] * number
        await store.log.append([message(2)])
        assert len(synced) == 3, "of a repeated message nobody knows whether its first copy is on the disk"
        await store.close()

    asyncio.run(twice())


def test_a_server_is_ready_for_the_first_message_before_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = wal._kernel

    def counting() -> object:
        asked.append(1)
        return ask()

    monkeypatch.setattr(wal, "_kernel", counting)

    async def serve() -> None:
        async with Wetink(setting.read({}, data=tmp_path)) as wetink:
            assert not asked, "whoever only looks need not wait for it"
            async with Worker(wetink):
                assert len(asked) == 1
                await wetink.store.log.append([message(1)])
                assert len(asked) == 1

    asyncio.run(serve())


def test_what_many_rows_are_in_is_synced_by_the_thread(tmp_path: Path, synced: list[str]) -> None:
    async def many() -> None:
        store = opened(tmp_path)
        await store.log.append([message(number) for number in range(300)])
        await store.close()

    asyncio.run(many())
    assert synced == ["a thread waits"]


def test_after_a_sync_that_failed_a_retry_is_acknowledged_once_it_is_in_the_file(
    tmp_path: Path, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_and_retry() -> None:
        store = opened(tmp_path)
        await store.log.append([message(1)])
        await store.log.messages(limit=1)  # somebody reads: the end of the writer's connection does not empty the log
        with monkeypatch.context() as broken:

            def thread(file: int) -> None:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

            def kernel(self: Wal, then: OnSynced) -> bool:
                asyncio.get_running_loop().call_soon(then, wal._lost(errno.EIO))
                return True

            broken.setattr(os, "fdatasync", thread)
            broken.setattr(Wal, "sync_soon", kernel)
            with pytest.raises(StoreUnavailable, match=os.strerror(errno.EIO)):
                await store.log.append([message(2)])
        assert messages(tmp_path / "wetink.db") == 0
        assert await store.log.append([message(2)]) == [True]
        assert messages(tmp_path / "wetink.db") == 2
        await store.close()

    asyncio.run(fail_and_retry())


def test_nothing_is_acknowledged_after_a_failed_sync_until_the_log_is_emptied(tmp_path: Path) -> None:
    async def fail() -> None:
        store = opened(tmp_path)
        await store.log.append([message(1)])
        reader = apsw.Connection(str(tmp_path / "wetink.db"))
        reader.execute("BEGIN; SELECT count(*) FROM message")
        await store.log.append([message(2)])
        store.log._database.writer._distrust()
        with pytest.raises(StoreUnavailable, match="the disk may not have all that was written"):
            await store.log.append([message(2)])
        reader.execute("COMMIT")
        assert await store.log.append([message(2)]) == [True]
        reader.close()
        await store.close()

    asyncio.run(fail())


def test_a_kernel_that_cannot_wait_for_this_disk_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(file: int, then: OnSynced) -> object:
        asked.append(file)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(wal, "_syncing", refuse)

    async def write() -> list[bool]:
        store = opened(tmp_path)
        duplicates = [(await store.log.append([message(number)]))[0] for number in range(3)]
        await store.close()
        return duplicates

    assert asyncio.run(write()) == [False, False, False]
    assert len(asked) <= 1


def test_a_loop_that_ends_while_the_disk_is_waited_for_leaves_the_store_to_the_next(
    tmp_path: Path, waiting: str
) -> None:
    store = opened(tmp_path)

    async def leave() -> None:
        writing = asyncio.create_task(store.log.append([message(1)]))
        while store.log._database.writer._current is None and not writing.done():  # noqa: ASYNC110 (a disk in memory is faster)
            await asyncio.sleep(0)
        writing.cancel()

    async def come() -> int:
        await store.log.append([message(2)])
        count = len(await store.log.messages(limit=10))
        await store.close()
        return count

    asyncio.run(leave())
    assert asyncio.run(come()) == 2


def test_the_log_is_emptied_when_it_is_long(tmp_path: Path, waiting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 50)

    async def write() -> None:
        store = opened(tmp_path)
        for number in range(300):
            await store.log.append([message(number)])
        assert messages(tmp_path / "wetink.db") > 200
        assert (tmp_path / "wetink.db-wal").stat().st_size < 150 * 4_096
        await store.close()

    asyncio.run(write())
