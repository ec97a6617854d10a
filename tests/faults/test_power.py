"""A power cut: the disk has what was synced to it, and nothing else.

The store lies in a file system of its own, on a loop device over a file. What the file has at the moment of the cut is
what was written through to it: a copy taken then, mounted again, is the machine after the power came back.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.storage import opened
from tests.store.said import message
from wetink.ports import Storage
from wetink.store.sqlite import wal

MESSAGES = 40
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"


def run(*command: str | Path) -> None:
    environment = {**os.environ, "PATH": PATH}
    subprocess.run([str(part) for part in command], check=True, capture_output=True, env=environment)


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    run("mount", "-o", "loop,commit=600", image, folder)
    try:
        yield folder
    finally:
        run("umount", folder)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file with an empty file system in it, where this machine lets us mount one."""
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4", path=PATH) or not shutil.which("mount", path=PATH):
        pytest.skip("needs root and mkfs.ext4 to mount a file system of its own")
    made = tmp_path / "disk.img"
    with made.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    try:
        run("mkfs.ext4", "-q", "-F", made)
        with mounted(made, tmp_path / "probe"):
            pass
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount here: {error.stderr.decode().strip()[:80]}")
    return made


async def append(store: Storage, start: int, end: int) -> set[str]:
    acked = set()
    for number in range(start, end):
        await store.log.append([message(number)])
        acked.add(f"m{number}")
    return acked


def acked_before_the_cut(image: Path, folder: Path, survivor: Path, synchronous: str) -> set[str]:
    """Append messages; copy the disk as it is right after the last acknowledgement; return what was acknowledged."""

    async def fill(data: Path) -> set[str]:
        store = opened(data, synchronous=synchronous)
        acked = await append(store, 0, MESSAGES // 2)
        await store.close()
        os.sync()  # the database was made long ago, but its log is a new file each time a server starts
        store = opened(data, synchronous=synchronous)
        acked |= await append(store, MESSAGES // 2, MESSAGES)
        shutil.copyfile(image, survivor)
        await store.close()
        return acked

    with mounted(image, folder):
        return asyncio.run(fill(folder / "data"))


def found_after(survivor: Path, folder: Path) -> set[str]:
    async def look(data: Path) -> set[str]:
        store = opened(data)
        try:
            return {message.message_id for message in await store.log.messages(limit=1_000)}
        finally:
            await store.close()

    with mounted(survivor, folder):
        return asyncio.run(look(folder / "data"))


@pytest.mark.parametrize("waits", ["kernel", "thread"])
def test_every_acked_message_survives_a_power_cut(
    image: Path, tmp_path: Path, waits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if waits == "thread":
        monkeypatch.setattr(wal, "_kernel", lambda: None)
    acked = acked_before_the_cut(image, tmp_path / "before", tmp_path / "survivor.img", "")
    assert len(acked) == MESSAGES
    assert found_after(tmp_path / "survivor.img", tmp_path / "after") == acked


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_the_power_cut_is_real_without_fsync_acked_messages_are_lost(
    image: Path, tmp_path: Path, synchronous: str
) -> None:
    acked = acked_before_the_cut(image, tmp_path / "before", tmp_path / "survivor.img", synchronous)
    assert len(acked) == MESSAGES
    assert found_after(tmp_path / "survivor.img", tmp_path / "after") < acked
