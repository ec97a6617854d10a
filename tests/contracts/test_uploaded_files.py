"""The contract of uploaded files: each is whole, the last one of a name counts, and none keeps anybody waiting."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.loop import run
from wetink.core.errors import NotFound
from wetink.ports import Storage
from wetink.ports.content import UploadedFiles

ROOT = Path(__file__).parents[2]
NOW = 20_000 * 86_400_000


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], UploadedFiles]:
    """Makes what another process would hold of the same store."""
    return lambda: another().uploads


async def read(uploads: UploadedFiles, name: str, revision: str) -> list[bytes]:
    return [part async for part in uploads.read(name, revision)]


def put(uploads: UploadedFiles, name: str, *parts: bytes, at: int = NOW) -> str:
    return str(run(uploads.put(name, iter(parts), at)))


def test_a_file_is_read_in_every_process_and_the_last_one_counts(make: Callable[[], UploadedFiles]) -> None:
    one, other = make(), make()
    assert run(one.revisions()) == {}
    first = put(one, "a.csv", b"one", b"\0two")
    beside = put(one, "b.csv")
    assert run(other.revisions()) == {"a.csv": first, "b.csv": beside}
    assert run(read(other, "a.csv", first)) == [b"one", b"\0two"]
    assert run(read(other, "b.csv", beside)) == [], "a file may be empty"
    second = put(other, "a.csv", b"one", b"\0two")
    assert second != first, "the same again is another revision"
    assert run(one.revisions()) == {"a.csv": second, "b.csv": beside}
    with pytest.raises(NotFound):
        run(read(one, "a.csv", first))
    assert run(read(make(), "a.csv", second)) == [b"one", b"\0two"]


def test_a_file_that_is_replaced_while_it_is_read_is_not_read_to_an_end(make: Callable[[], UploadedFiles]) -> None:
    one, other = make(), make()

    async def story() -> None:
        revision = await one.put("a.csv", iter([b"1"] * 5), NOW)
        async for _ in one.read("a.csv", revision):
            await other.put("a.csv", iter([b"2"]), NOW)

    with pytest.raises(NotFound):
        run(story())


def test_a_file_is_removed_unless_another_is_in_its_place(make: Callable[[], UploadedFiles]) -> None:
    one, other = make(), make()
    first = put(one, "a.csv", b"one")
    second = put(one, "a.csv", b"two")
    run(other.remove("a.csv", first))
    run(other.remove("absent", first))
    assert run(one.revisions()) == {"a.csv": second}
    run(other.remove("a.csv", second))
    assert run(one.revisions()) == {}


def test_a_file_whose_source_fails_changes_nothing(make: Callable[[], UploadedFiles]) -> None:
    uploads = make()
    revision = put(uploads, "a.csv", b"whole")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        run(uploads.put("a.csv", broken(), NOW))
    assert run(uploads.revisions()) == {"a.csv": revision}
    assert run(read(uploads, "a.csv", revision)) == [b"whole"]


def test_others_read_and_upload_while_a_large_file_comes_in(make: Callable[[], UploadedFiles]) -> None:
    one, other = make(), make()
    revision = put(one, "a.csv", b"before")
    seen: list[Any] = []

    def slowly() -> Iterator[bytes]:
        for number in range(3):
            seen.append(run(other.revisions()))
            seen.append(run(read(one, "a.csv", revision)))
            put(other, f"b{number}.csv", b"beside")
            yield b"x"

    run(one.put("a.csv", slowly(), NOW))
    assert all(found in ([b"before"],) or found["a.csv"] == revision for found in seen)
    assert len(run(one.revisions())) == 4


UPLOADER = """
import asyncio, sys
from pathlib import Path
from tests.contracts.engines import ENGINES

def parts():
    for number in range(1_000_000):
        print(number, flush=True)
        yield b"x" * 10_000

async def uploaded(engine, folder):
    await ENGINES[engine](Path(folder)).uploads.put("a.csv", parts(), 1)

asyncio.run(uploaded(*sys.argv[1:]))
"""


def test_a_process_that_is_killed_while_it_uploads_leaves_the_file_before(
    engine: str, tmp_path: Path, make: Callable[[], UploadedFiles]
) -> None:
    uploads = make()
    revision = put(uploads, "a.csv", b"before")
    command = [sys.executable, "-c", UPLOADER, engine, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert run(read(uploads, "a.csv", revision)) == [b"before"]
    after = put(uploads, "a.csv", b"after")
    assert run(read(uploads, "a.csv", after)) == [b"after"]


def test_closing_twice_is_fine(make: Callable[[], UploadedFiles]) -> None:
    uploads = make()
    put(uploads, "a.csv", b"one")
    run(uploads.close())
    run(uploads.close())
