"""Versions of the content: pushed whole or not at all, never over somebody else's work, and back again."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from wetink.apps import load
from wetink.content import folder
from wetink.content.scenario import wrong_with
from wetink.content.tree import differences, read_tree
from wetink.content.versions import BY_HAND, Pushed, Version, Versions
from wetink.core.errors import BadContent, Conflict, NotFound, Unavailable
from wetink.store.sqlite.leases import SQLiteLeases

APPS = load()
ROOT = Path(__file__).parents[2]
BLOCK = 'variants: [{name: seen, app: last-viewed}]\nfallback: {link: "https://shop.example/", title: %s}\n'


def tree(*titles: str) -> dict[str, bytes]:
    return {f"blocks/b{number}.yaml": (BLOCK % title).encode() for number, title in enumerate(titles)}


class Kept:
    """Versions as one process has them."""

    def __init__(self, folder: Path, content: Path, check: Callable[[Path], Sequence[str]]) -> None:
        self.leases = SQLiteLeases(folder.parent / "leases", lambda: time.time_ns() // 1_000_000)
        self._versions = Versions(folder, content, self.leases, check)

    def current(self, now: int) -> tuple[Version, dict[str, bytes]]:
        return asyncio.run(self._versions.current(now))

    def listed(self, now: int) -> list[Version]:
        return asyncio.run(self._versions.listed(now))

    def push(self, files: dict[str, bytes], base: int | None, **said: Any) -> Pushed:
        return asyncio.run(self._versions.push(files, base, **said))

    def rollback(self, number: int, **said: Any) -> Pushed:
        return asyncio.run(self._versions.rollback(number, **said))

    def tree(self, number: int) -> dict[str, bytes]:
        return asyncio.run(self._versions.tree(number))


@pytest.fixture
def content(tmp_path: Path) -> Path:
    place = tmp_path / "content"
    (place / "blocks").mkdir(parents=True)
    (place / "blocks" / "b0.yaml").write_text(BLOCK % "One")
    return place


@pytest.fixture
def versions(tmp_path: Path, content: Path) -> Kept:
    return Kept(tmp_path / "versions", content, lambda place: wrong_with(place, APPS))


def push(versions: Kept, files: dict[str, bytes], base: int | None = None, message: str = "") -> int:
    done = versions.push(files, base, by="ida", message=message, now=5)
    assert not done.problems, done.problems
    return done.version


def test_existing_content_becomes_the_first_version(versions: Kept) -> None:
    version, files = versions.current(7)
    assert (version.number, version.at, version.message) == (1, 7, "first")
    assert files == tree("One")
    assert versions.current(9)[0] == version


def test_a_push_replaces_everything_and_says_who_and_why(versions: Kept, content: Path) -> None:
    assert push(versions, tree("Two", "Three"), 1, "more") == 2
    assert read_tree(content) == tree("Two", "Three")
    newest = versions.listed(9)[0]
    assert (newest.number, newest.by, newest.message) == (2, "ida", "more")
    assert sorted(each.name for each in content.parent.iterdir()) == ["content", "leases", "versions"]


def test_the_same_again_makes_no_version(versions: Kept) -> None:
    assert push(versions, tree("One"), 1) == 1


def test_a_push_with_errors_reports_all_and_changes_nothing(versions: Kept, content: Path) -> None:
    bad = {
        **tree("Two"),
        "blocks/broken.yaml": b"variants: [{",
        "blocks/odd.yaml": BLOCK.replace("last-viewed", "nonesuch").encode() % b"x",
        "scenarios/s.yaml": b"expect: {b0: {variant: seen}}",
    }
    done = versions.push(bad, 1, by="", message="", now=5)
    assert done.version == 1
    text = "\n".join(done.problems)
    assert "blocks/broken.yaml" in text
    assert "nonesuch" in text
    assert "scenarios/s.yaml" in text
    assert read_tree(content) == tree("One")
    assert len(versions.listed(9)) == 1


def test_a_push_over_somebody_elses_work_is_refused(versions: Kept) -> None:
    push(versions, tree("Two"), 1, "theirs")
    with pytest.raises(Conflict, match=r"version 2 is current \(ida: theirs\)"):
        push(versions, tree("Mine"), 1)
    assert push(versions, tree("Mine"), None) == 3, "whoever means to replace whatever there is may"


def test_an_edit_by_hand_becomes_a_version_that_pushes_respect(versions: Kept, content: Path) -> None:
    versions.current(1)
    (content / "blocks" / "b0.yaml").write_text(BLOCK % "By hand")
    with pytest.raises(Conflict, match=BY_HAND):
        push(versions, tree("Two"), 1)
    assert versions.tree(2) == tree("By hand")


def test_an_earlier_version_stands_again_as_a_new_one(versions: Kept, content: Path) -> None:
    push(versions, tree("Two"), 1)
    assert versions.rollback(1, by="ida", now=6).version == 3
    assert read_tree(content) == tree("One")
    assert [each.number for each in versions.listed(9)] == [3, 2, 1]
    with pytest.raises(NotFound, match="no version 9"):
        versions.rollback(9, by="", now=6)


@pytest.mark.parametrize(
    "path",
    ["../out.yaml", "blocks/../../out", "/etc/passwd", "blocks/.hidden", "elsewhere/a.yaml", "blocks/a/b.yaml",
     "blocks\\a.yaml", "blocks/", "", "blocks/a\x00.yaml", "blocks/" + "a" * 200],
)  # fmt: skip
def test_no_path_leads_out(versions: Kept, content: Path, path: str) -> None:
    with pytest.raises(BadContent, match="not a path in the content folder"):
        push(versions, {path: b"x"}, None)
    assert read_tree(content) == tree("One")


def test_of_two_pushes_at_once_one_is_refused(versions: Kept, tmp_path: Path, content: Path) -> None:
    versions.current(1)
    outcomes: list[str] = []

    def go(title: str) -> None:
        mine = Kept(tmp_path / "versions", content, lambda place: ())
        try:
            outcomes.append(f"version {push(mine, tree(title), 1)}")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=go, args=(f"T{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["version 2"]


PUSHER = """
import sys, itertools
from pathlib import Path
from tests.content.test_versions import Kept
from wetink.content import versions as module
module.TTL_SECONDS = 0.5
place = Path(sys.argv[1])
versions = Kept(place / "versions", place / "content", lambda folder: ())
print("ready", flush=True)
for number in itertools.count():
    files = {f"blocks/f{n}.yaml": b"%d" % number for n in range(20)}
    versions.push(files, None, by="", message="", now=1)
"""


def test_a_push_that_is_killed_leaves_one_whole_version(tmp_path: Path, content: Path) -> None:
    for turn in range(4):
        command = [sys.executable, "-c", PUSHER, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            seen: set[bytes] = set()
            while len(seen) < 3 + turn:
                seen.update(read_tree(content).values())
            os.kill(process.pid, signal.SIGKILL)
        versions = Kept(tmp_path / "versions", content, lambda place: ())
        version, files = versions.current(2)
        assert len(files) == 20
        assert len(set(files.values())) == 1, "all files are of one push"
        assert versions.tree(version.number) == files
        assert sorted(each.name for each in tmp_path.iterdir()) == ["content", "leases", "versions"]


def test_a_reader_never_sees_half_a_push(tmp_path: Path, content: Path) -> None:
    place = tmp_path / "versions"
    stop = threading.Event()

    def go() -> None:
        versions = Kept(place, content, lambda folder: ())
        number = 0
        while not stop.is_set():
            number += 1
            push(versions, tree(*[f"N{number}"] * 8), None)

    pushing = threading.Thread(target=go)
    pushing.start()
    try:
        known: object = None
        for _ in range(40):
            found = folder.news(content, APPS, known)
            if found is None:
                continue
            known, loaded = found
            titles = {block.fallback.title for block in loaded.blocks.values()}
            assert len(titles) == 1, titles
    finally:
        stop.set()
        pushing.join()


def test_differences_are_told_line_by_line_for_text_and_by_name_for_pictures() -> None:
    old = {"blocks/a.yaml": b"one\ntwo\n", "images/a.png": b"\x89PNG1"}
    new = {"blocks/a.yaml": b"one\nthree\n", "images/a.png": b"\x89PNG2", "blocks/b.yaml": b"new\n"}
    found = {each.path: (each.what, each.lines) for each in differences(old, new)}
    assert found["blocks/a.yaml"] == (
        "changed",
        ("--- blocks/a.yaml", "+++ blocks/a.yaml", "@@ -1,2 +1,2 @@", " one", "-two", "+three"),
    )
    assert found["images/a.png"] == ("changed", ())
    assert found["blocks/b.yaml"][0] == "added"


def test_signals_are_pushed_removed_and_refused_when_invalid(versions: Kept, content: Path) -> None:
    signals = {"signals.yaml": b"model: linear\n"}
    push(versions, {**tree("One"), **signals})
    assert read_tree(content) == {**tree("One"), **signals}
    assert folder.load(content, APPS).signals.model == "linear"
    done = versions.push({**tree("One"), "signals.yaml": b"model: best\n"}, None, by="ida", message="", now=6)
    assert done.problems[0].startswith("signals.yaml: model: there is no model 'best'")
    assert read_tree(content)["signals.yaml"] == b"model: linear\n"
    push(versions, tree("One"))
    assert folder.load(content, APPS).signals.model == "last-click-else-open"
    with pytest.raises(BadContent):
        versions.push({"other.yaml": b""}, None, by="ida", message="", now=7)


def test_a_change_of_signals_alone_is_seen(content: Path) -> None:
    before = folder.stamp(content)
    (content / "signals.yaml").write_text("model: first\n")
    assert folder.stamp(content) != before


def test_a_process_that_hangs_with_the_lease_keeps_nobody_waiting_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetink.content.versions.PATIENCE_SECONDS", 0.1)
    versions = Kept(tmp_path / "versions", tmp_path / "content", lambda place: [])
    (tmp_path / "versions").mkdir()
    (tmp_path / "content").mkdir()
    hangs = Kept(tmp_path / "versions", tmp_path / "content", lambda place: [])

    async def hung() -> None:
        async with hangs.leases.hold("content"):
            with pytest.raises(Unavailable, match="another process"):
                await asyncio.to_thread(versions.listed, 1)

    asyncio.run(hung())
    assert versions.listed(1)
