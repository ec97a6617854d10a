"""The contract of content: every version is kept whole, one after the other, and all processes see the current one."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.loop import run
from wetink.core.errors import Conflict, NotFound
from wetink.ports import Storage
from wetink.ports.content import ContentVersions, digest

ROOT = Path(__file__).parents[2]
ONE, TWO = (
    {"blocks/a.yaml": b"one", "images/a.png": b"\x89PNG\0\xff"},
    {"blocks/a.yaml": b"two", "blocks/é b.yaml": b""},
)


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], ContentVersions]:
    """Makes what another process would hold of the same store."""
    return lambda: another().content


def publish(content: ContentVersions, files: dict[str, bytes], expected: int, at: int = 5) -> int:
    return int(run(content.publish(files, expected, by="ida", message="why", at=at)).number)


def test_a_version_is_read_in_every_process_as_it_was_published(make: Callable[[], ContentVersions]) -> None:
    one, other = make(), make()
    assert run(other.revision()) == 0
    assert publish(one, ONE, 0, 7) == 1
    assert run(other.revision()) == 1
    version, files = run(other.read())
    assert (version.number, version.at, version.by, version.message) == (1, 7, "ida", "why")
    assert files == ONE
    assert version.files == {path: digest(body) for path, body in ONE.items()}
    assert publish(other, TWO, 1) == 2
    assert run(one.read())[1] == TWO
    assert run(one.read(1)) == (version, ONE), "earlier versions stay"
    assert run(make().read(2))[1] == TWO


def test_nothing_is_read_of_a_version_that_is_not_there(make: Callable[[], ContentVersions]) -> None:
    content = make()
    with pytest.raises(NotFound):
        run(content.read())
    publish(content, {}, 0)
    assert run(content.read())[1] == {}
    with pytest.raises(NotFound, match="no version 9"):
        run(content.read(9))


def test_a_stale_revision_is_refused_and_changes_nothing(make: Callable[[], ContentVersions]) -> None:
    one, other = make(), make()
    publish(one, ONE, 0)
    for expected in (0, 2):
        with pytest.raises(Conflict, match="version 1 is current"):
            publish(other, TWO, expected)
    assert run(one.read())[1] == ONE


def test_of_many_that_publish_at_once_one_succeeds(make: Callable[[], ContentVersions]) -> None:
    several = [make() for _ in range(4)]

    async def story() -> list[Any]:
        tries = (each.publish({"blocks/a.yaml": b"%d" % n}, 0, by="", message="", at=1)
                 for n, each in enumerate(several * 4))  # fmt: skip
        return await asyncio.gather(*tries, return_exceptions=True)

    found = run(story())
    assert sum(not isinstance(each, Conflict) for each in found) == 1
    assert run(several[0].revision()) == 1


def test_versions_are_listed_newest_first_and_in_pages(make: Callable[[], ContentVersions]) -> None:
    content = make()
    for number in range(5):
        publish(content, {"blocks/a.yaml": b"%d" % number}, number)
    assert [each.number for each in run(content.versions(3))] == [5, 4, 3]
    assert [each.number for each in run(content.versions(3, before=3))] == [2, 1]
    assert run(content.versions(3, before=1)) == []
    assert run(content.versions(1))[0].files == {"blocks/a.yaml": digest(b"4")}


def test_closing_twice_is_fine(make: Callable[[], ContentVersions]) -> None:
    content = make()
    run(content.revision())
    run(content.close())
    run(content.close())


PUBLISHER = """
import asyncio, itertools, sys
from pathlib import Path
from tests.contracts.engines import ENGINES

async def published(engine, folder):
    content = ENGINES[engine](Path(folder)).content
    for number in itertools.count(await content.revision()):
        print(number, flush=True)
        files = {f"blocks/f{each}.yaml": b"%d" % number * 5000 for each in range(40)}
        await content.publish(files, number, by="", message="", at=1)

asyncio.run(published(*sys.argv[1:]))
"""


def test_a_process_that_is_killed_while_it_publishes_leaves_the_version_before(
    engine: str, tmp_path: Path, make: Callable[[], ContentVersions]
) -> None:
    content = make()
    for turn in range(5):
        command = [sys.executable, "-c", PUBLISHER, engine, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            begun = [process.stdout.readline() for _ in range(3 + turn)]
            os.kill(process.pid, signal.SIGKILL)
            last = int([*begun, *process.stdout][-1])
        assert run(content.revision()) in (last, last + 1)
        version, files = run(content.read())
        assert set(files.values()) == {b"%d" % (version.number - 1) * 5000}
        assert len(files) == 40


def test_only_the_owner_reads_what_is_published(make: Callable[[], ContentVersions], tmp_path: Path) -> None:
    publish(make(), ONE, 0)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
