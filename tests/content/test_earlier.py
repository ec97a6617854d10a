"""Versions that an earlier release kept as files are taken over once, under their numbers."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.content.test_versions import Kept, push, tree
from tests.content.test_versions import another as another
from tests.content.test_versions import content as content
from wetink.content.tree import names
from wetink.content.versions import BY_HAND
from wetink.ports.content import Version, digest


def earlier(place: Path, *trees: dict[str, bytes]) -> None:
    """Keep versions as the release before this one did."""
    (place / "objects").mkdir(parents=True)
    for number, files in enumerate(trees, 1):
        for body in files.values():
            (place / "objects" / digest(body)).write_bytes(body)
        version = Version(number, number * 10, "ida", f"number {number}", names(files))
        (place / f"{number:06}.json").write_bytes(msgspec.json.encode(version))


def test_versions_kept_as_files_are_taken_over_once_under_their_numbers(
    tmp_path: Path, content: Path, another: Callable[..., Kept]
) -> None:
    earlier(tmp_path / "versions", tree("A"), tree("B"), tree("One"))
    (tmp_path / "versions" / "000002.json").write_text("{")
    for _ in range(2):
        versions = another()
        versions.take_in(99)
        found = [(each.number, each.at, each.by, each.message) for each in versions.listed()]
        assert found == [(3, 30, "ida", "number 3"), (2, 0, "", "could not be read"), (1, 10, "ida", "number 1")]
        assert [versions.tree(number) for number in (1, 2, 3)] == [tree("A"), tree("A"), tree("One")]
    assert push(versions, tree("New"), 3) == 4


def test_a_takeover_that_was_interrupted_goes_on_and_sees_edits_since(
    tmp_path: Path, content: Path, another: Callable[..., Kept]
) -> None:
    earlier(tmp_path / "versions", tree("A"), tree("B"))
    versions = another()
    asyncio.run(versions.store.content.publish(tree("A"), 0, by="ida", message="number 1", at=10))
    versions.take_in(99)
    assert [each.message for each in versions.listed()] == [BY_HAND, "number 2", "number 1"]
    assert versions.current()[1] == tree("One")


def test_a_store_with_other_versions_takes_none_over(
    tmp_path: Path, content: Path, another: Callable[..., Kept]
) -> None:
    versions = another()
    push(versions, tree("One"))
    earlier(tmp_path / "versions", tree("A"), tree("B"))
    again = another()
    again.take_in()
    assert [each.message for each in again.listed()] == ["first"]
