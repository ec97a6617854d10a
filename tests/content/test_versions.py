"""Versions of the content: pushed whole or not at all, never over somebody else's work, and back again."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.storage import opened
from wetink import apps
from wetink.content.content import load
from wetink.content.scenario import wrong_with
from wetink.content.tree import LARGEST_FONT, Tree, differences, read_tree, stamp, start
from wetink.content.versions import BY_HAND, Pushed, Versions
from wetink.core.errors import BadContent, Conflict, NotFound, Unavailable
from wetink.ports.content import Version

APPS = apps.load()
ROOT = Path(__file__).parents[2]
BLOCK = 'variants: [{name: seen, app: last-viewed}]\nfallback: {link: "https://shop.example/", title: %s}\n'


def tree(*titles: str) -> dict[str, bytes]:
    return {f"blocks/b{number}.yaml": (BLOCK % title).encode() for number, title in enumerate(titles)}


class Kept:
    """Versions as one process has them: in the store of a folder, beside its content folder."""

    def __init__(self, place: Path, check: Callable[[Tree], Sequence[str]] = lambda tree: ()) -> None:
        self.store = opened(place / "store", lambda: time.time_ns() // 1_000_000)
        self.folder = place / "content"
        self._versions = Versions(self.store.content, self.store.leases, self.folder, check)

    def take_in(self, now: int = 1) -> None:
        asyncio.run(self._versions.take_in(now))

    def current(self) -> tuple[Version, dict[str, bytes]]:
        return asyncio.run(self._versions.read())

    def listed(self) -> list[Version]:
        return asyncio.run(self._versions.listed())

    def push(self, files: dict[str, bytes], base: int | None, **said: Any) -> Pushed:
        return asyncio.run(self._versions.push(files, base, **said))

    def rollback(self, number: int, **said: Any) -> Pushed:
        return asyncio.run(self._versions.rollback(number, **said))

    def tree(self, number: int) -> dict[str, bytes]:
        return asyncio.run(self._versions.read(number))[1]

    def close(self) -> None:
        asyncio.run(self.store.close())


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    """Makes what another process has of the same content."""
    made: list[Kept] = []

    def one(**given: Any) -> Kept:
        made.append(Kept(tmp_path, **given))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.fixture
def content(tmp_path: Path) -> Path:
    place = tmp_path / "content"
    (place / "blocks").mkdir(parents=True)
    (place / "blocks" / "b0.yaml").write_text(BLOCK % "One")
    return place


@pytest.fixture
def versions(another: Callable[..., Kept], content: Path) -> Kept:
    return another(check=lambda tree: wrong_with(tree, APPS))


def push(versions: Kept, files: dict[str, bytes], base: int | None = None, message: str = "") -> int:
    done = versions.push(files, base, by="ida", message=message, now=5)
    assert not done.problems, done.problems
    return done.version


def test_existing_content_becomes_the_first_version(versions: Kept) -> None:
    versions.take_in(7)
    version, files = versions.current()
    assert (version.number, version.at, version.message) == (1, 7, "first")
    assert files == tree("One")
    versions.take_in(9)
    assert versions.current()[0] == version


def test_a_push_replaces_everything_and_says_who_and_why(versions: Kept, content: Path) -> None:
    assert push(versions, tree("Two", "Three"), 1, "more") == 2
    assert read_tree(content) == tree("Two", "Three")
    newest = versions.listed()[0]
    assert (newest.number, newest.by, newest.message) == (2, "ida", "more")
    assert sorted(each.name for each in content.parent.iterdir()) == ["content", "content.json", "store"]


def test_pushing_unchanged_content_makes_no_version(versions: Kept) -> None:
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
    assert len(versions.listed()) == 1


def test_a_push_over_somebody_elses_work_is_refused(versions: Kept) -> None:
    push(versions, tree("Two"), 1, "theirs")
    with pytest.raises(Conflict, match=r"version 2 is current \(ida: theirs\)"):
        push(versions, tree("Mine"), 1)
    assert push(versions, tree("Mine"), None) == 3, "whoever means to replace whatever there is may"


def test_an_edit_by_hand_becomes_a_version_that_pushes_respect(versions: Kept, content: Path) -> None:
    versions.take_in()
    (content / "blocks" / "b0.yaml").write_text(BLOCK % "By hand")
    with pytest.raises(Conflict, match=BY_HAND):
        push(versions, tree("Two"), 1)
    assert versions.tree(2) == tree("By hand")


def test_an_earlier_version_stands_again_as_a_new_one(versions: Kept, content: Path) -> None:
    push(versions, tree("Two"), 1)
    assert versions.rollback(1, by="ida", now=6).version == 3
    assert read_tree(content) == tree("One")
    assert [each.number for each in versions.listed()] == [3, 2, 1]
    with pytest.raises(NotFound, match="no version 9"):
        versions.rollback(9, by="", now=6)


@pytest.mark.parametrize(
    "path",
    ["../out.yaml", "blocks/../../out", "/etc/passwd", "blocks/.hidden", "elsewhere/a.yaml", "blocks/a/b.yaml",
     "blocks\\a.yaml", "blocks/", "", "blocks/a\x00.yaml", "blocks/" + "a" * 200],
)  # fmt: skip
def test_no_path_leads_out_of_the_content_folder(versions: Kept, content: Path, path: str) -> None:
    with pytest.raises(BadContent, match="not a path in the content folder"):
        push(versions, {path: b"x"}, None)
    assert read_tree(content) == tree("One")


def test_of_two_pushes_at_once_one_is_refused(versions: Kept, another: Callable[..., Kept]) -> None:
    versions.take_in()
    outcomes: list[str] = []

    def go(title: str) -> None:
        try:
            outcomes.append(f"version {push(another(), tree(title), 1)}")
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
versions = Kept(Path(sys.argv[1]))
for number in itertools.count():
    files = {f"blocks/f{n}.yaml": b"%d" % number for n in range(20)}
    versions.push(files, None, by="", message="", now=1)
    print(number, flush=True)
"""


def test_a_push_that_is_killed_leaves_one_whole_version_and_no_edit(
    tmp_path: Path, content: Path, another: Callable[..., Kept]
) -> None:
    versions = another()
    for turn in range(4):
        command = [sys.executable, "-c", PUSHER, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(3 + turn):
                process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        versions.take_in(2)
        _, files = versions.current()
        assert len(files) == 20
        assert len(set(files.values())) == 1, "all files are of one push"
        assert read_tree(content) == files, "the folder is brought in step"
        assert BY_HAND not in {each.message for each in versions.listed()}


def test_what_is_published_elsewhere_is_written_to_the_folder(another: Callable[..., Kept], content: Path) -> None:
    versions = another()
    versions.take_in()
    asyncio.run(versions.store.content.publish(tree("Two", "Three"), 1, by="afar", message="", at=2))
    (content / "README.md").write_text("mine")
    versions.take_in()
    assert read_tree(content) == tree("Two", "Three")
    assert (content / "README.md").read_text() == "mine"
    assert versions.current()[0].number == 2


def test_an_edit_in_the_folder_and_a_push_elsewhere_are_both_kept(another: Callable[..., Kept], content: Path) -> None:
    versions = another()
    push(versions, tree("One", "Two", "Three"))
    asyncio.run(versions.store.content.publish(tree("One", "Theirs", "Theirs"), 2, by="afar", message="", at=2))
    (content / "blocks" / "b0.yaml").write_text(BLOCK % "Mine")
    (content / "blocks" / "b2.yaml").write_text(BLOCK % "Mine")
    versions.take_in()
    assert versions.current()[1] == read_tree(content) == tree("Mine", "Theirs", "Mine")
    assert versions.tree(3) == tree("One", "Theirs", "Theirs"), "and there is a way back"
    assert versions.listed()[0].message == BY_HAND


def test_a_folder_that_is_taken_away_leaves_what_is_current(another: Callable[..., Kept], content: Path) -> None:
    versions = another()
    versions.take_in()
    content.rename(content.with_name("away"))
    versions.take_in()
    assert not content.exists()
    assert versions.current()[1] == tree("One")
    content.with_name("away").rename(content)
    (content / "blocks" / "b0.yaml").unlink()
    versions.take_in()
    assert versions.current()[1] == {}


def test_a_push_while_the_folder_is_away_or_behind_makes_no_edit_of_it(
    another: Callable[..., Kept], content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = another()
    push(versions, tree("One", "Two", "Three"))
    content.rename(content.with_name("away"))
    push(versions, tree("One", "Pushed", "Three"))
    versions.take_in()
    assert not content.exists()
    content.with_name("away").rename(content)

    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("wetink.content.versions.write_tree", full)
        push(versions, tree("One", "Pushed", "Again"))
    push(versions, tree("Once more", "Pushed", "Again"))
    versions.take_in()
    assert versions.current()[1] == read_tree(content) == tree("Once more", "Pushed", "Again")
    assert BY_HAND not in {each.message for each in versions.listed()}


def test_a_folder_that_is_made_anew_gets_what_is_current(another: Callable[..., Kept], content: Path) -> None:
    versions = another()
    versions.take_in()
    shutil.rmtree(content)
    start(content)
    assert read_tree(content) != tree("One")
    versions.take_in()
    assert read_tree(content) == tree("One")
    assert versions.current()[0].number == 1


def test_a_folder_that_cannot_be_written_keeps_nobody_from_a_push(
    another: Callable[..., Kept], content: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    versions = another()

    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wetink.content.versions.write_tree", full)
    assert push(versions, tree("Two")) == 2
    versions.take_in()
    assert versions.current()[1] == tree("Two")
    assert "cannot be written to the content folder: No space left on device" in caplog.text
    monkeypatch.undo()
    another().take_in()
    assert read_tree(content) == tree("Two")


def test_a_file_too_large_for_anything_is_named_and_spoils_no_other(versions: Kept, content: Path) -> None:
    (content / "images").mkdir()
    (content / "images" / "film.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(LARGEST_FONT + 9))
    versions.take_in()
    _, files = versions.current()
    assert load(files, APPS).problems == ("images/film.png: larger than 2 MB",)
    assert (content / "images" / "film.png").stat().st_size == LARGEST_FONT + 17, "it stays as it is"


def test_a_file_that_cannot_be_read_is_named_and_spoils_no_other(
    versions: Kept, content: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (content / "blocks" / "broken.yaml").symlink_to("/proc/self/mem")
    versions.take_in()
    assert versions.current()[1] == tree("One")
    assert "blocks/broken.yaml: Input/output error" in caplog.text
    assert push(versions, tree("Two")) == 2
    assert (content / "blocks" / "broken.yaml").is_symlink()


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
    assert load(versions.current()[1], APPS).signals.model == "linear"
    done = versions.push({**tree("One"), "signals.yaml": b"model: best\n"}, None, by="ida", message="", now=6)
    assert done.problems[0].startswith("signals.yaml: model: there is no model 'best'")
    assert read_tree(content)["signals.yaml"] == b"model: linear\n"
    push(versions, tree("One"))
    assert load(versions.current()[1], APPS).signals.model == "last-click-else-open"
    with pytest.raises(BadContent):
        versions.push({"other.yaml": b""}, None, by="ida", message="", now=7)


def test_a_change_of_signals_alone_is_seen(content: Path) -> None:
    before = stamp(content)
    (content / "signals.yaml").write_text("model: first\n")
    assert stamp(content) != before


def test_a_process_that_hangs_with_the_lease_keeps_nobody_waiting_for_ever(
    another: Callable[..., Kept], content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetink.content.versions.PATIENCE_SECONDS", 0.1)
    versions, hangs = another(), another()

    async def hung() -> None:
        async with hangs.store.leases.hold("content"):
            with pytest.raises(Unavailable, match="another process"):
                await asyncio.to_thread(push, versions, tree("Two"))

    asyncio.run(hung())
    assert push(versions, tree("Two")) == 2
