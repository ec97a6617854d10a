"""Changes of single files: in one version, named, and never over what somebody else has published."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.storage import opened
from wetink import apps
from wetink.content.scenario import wrong_with
from wetink.content.versions import Pushed, Versions
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.ports.content import Version, digest
from wetink.settings import read
from wetink.wiring import Wetink

APPS = apps.load()
HERO, SALE = "blocks/hero.yaml", "templates/sale.liquid"
BLOCK = 'variants: [{name: seen, app: last-viewed}]\nfallback: {link: "https://shop.example/", title: %s}\n'
CUSTOM = 'variants: [{name: a, app: custom, template: sale.liquid}]\nfallback: {link: "https://shop.example/"}\n'


def block(title: str) -> bytes:
    return (BLOCK % title).encode()


class Kept:
    """Versions over a store in a folder, without a content folder."""

    def __init__(self, place: Path) -> None:
        self.store = opened(place / "store", lambda: time.time_ns() // 1_000_000)
        self.of = Versions(
            self.store.content, self.store.leases, place / "content", lambda tree: wrong_with(tree, APPS)
        )

    def change(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, str] | None = None, **said: Any
    ) -> Pushed:
        said = {"by": "ida", "message": "calmer", "now": 1_700_000_000_000, **said}
        return asyncio.run(self.of.change(changes, expected or {}, **said))

    def files(self) -> dict[str, bytes]:
        return asyncio.run(self.of.read())[1]

    def last(self, path: str) -> Version | None:
        return asyncio.run(self.of.last_change(path))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    asyncio.run(made.store.close())


def test_several_files_change_in_one_version_that_says_who_and_why(kept: Kept) -> None:
    assert kept.change({HERO: block("One"), SALE: b"<p>Sale</p>"}) == Pushed(1)
    assert kept.change({HERO: None, "blocks/b.yaml": block("Two")}, by="bob") == Pushed(2)
    assert kept.files() == {SALE: b"<p>Sale</p>", "blocks/b.yaml": block("Two")}
    version = asyncio.run(kept.of.read())[0]
    assert (version.by, version.message, version.at) == ("bob", "calmer", 1_700_000_000_000)


def test_a_file_that_somebody_else_changed_is_not_replaced(kept: Kept) -> None:
    kept.change({HERO: block("One")}, {HERO: ""})
    mine = {HERO: digest(block("One"))}
    kept.change({HERO: block("Two")}, mine, by="bob", message="louder")
    for change in (block("Three"), None):
        with pytest.raises(Conflict, match=r"bob changed blocks/hero\.yaml on 2023-11-14 at 22:13 UTC: louder"):
            kept.change({HERO: change, SALE: b"x"}, mine)
    with pytest.raises(Conflict, match="bob changed"):
        kept.change({HERO: block("Three")}, {HERO: ""})
    assert kept.files() == {HERO: block("Two")}
    assert kept.change({HERO: block("Two")}, mine) == Pushed(2), "a second click means the first"
    kept.change({HERO: None}, by="bob", message="")
    with pytest.raises(Conflict, match=r"bob deleted blocks/hero\.yaml"):
        kept.change({HERO: block("Three")}, mine)
    with pytest.raises(Conflict, match="is not there"):
        kept.change({"blocks/never.yaml": block("Three")}, {"blocks/never.yaml": "a"})


def test_a_change_that_breaks_something_changes_nothing(kept: Kept) -> None:
    kept.change({"blocks/a.yaml": CUSTOM.encode(), SALE: b"<p>Sale</p>"})
    broken = kept.change({SALE: None, HERO: block("One")})
    assert broken.version == 1
    assert "there is no sale.liquid in templates/" in broken.problems[0]
    assert HERO not in kept.files()


def test_what_was_broken_before_keeps_nobody_from_changing_the_rest(kept: Kept) -> None:
    asyncio.run(kept.store.content.publish({"blocks/bad.yaml": b"x: ["}, 0, by="", message="", at=1))
    assert kept.change({HERO: block("One")}) == Pushed(2)
    assert kept.change({HERO: b"y: ["}).problems
    assert kept.change({"blocks/bad.yaml": None}) == Pushed(3)


@pytest.mark.parametrize("path", ["../etc/passwd", "blocks/../a", "secrets.yaml", "/blocks/a.yaml", "blocks/a b.yaml"])
def test_a_path_outside_of_the_content_is_refused(kept: Kept, path: str) -> None:
    with pytest.raises(BadContent, match="is not a path"):
        kept.change({path: b""})


def test_the_version_that_changed_a_file_last_is_found_over_many(kept: Kept) -> None:
    assert kept.last(HERO) is None
    for number in range(250):
        files = {HERO: b"a" if number < 20 else b"b", "blocks/b.yaml": b"%d" % number}
        asyncio.run(kept.store.content.publish(files, number, by="ida", message="", at=1))
    asyncio.run(kept.store.content.publish({}, 250, by="ida", message="", at=1))
    last = [kept.last(path) for path in (HERO, "blocks/b.yaml", "blocks/never.yaml")]
    assert [each.number if each is not None else None for each in last] == [251, 251, None]
    asyncio.run(kept.store.content.publish({HERO: b"b"}, 251, by="ida", message="", at=1))
    asyncio.run(kept.store.content.publish({HERO: b"b", SALE: b""}, 252, by="ida", message="", at=1))
    last = [kept.last(path) for path in (HERO, SALE, "blocks/b.yaml")]
    assert [each.number if each is not None else None for each in last] == [252, 253, 251]


def test_an_author_saves_renames_and_deletes_and_serves_it_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with Wetink(read({}, data=tmp_path), draws=False) as wetink:
            author = wetink.author
            await author.save(HERO, block("One"), by="ida", expected="")
            assert wetink.content.blocks["hero"].fallback.title == "One"
            with pytest.raises(Conflict, match=r"ida changed blocks/hero\.yaml"):
                await author.save(HERO, block("Two"), by="bob", expected="")
            with pytest.raises(BadContent, match=r"blocks/hero\.yaml"):
                await author.save(HERO, b"title: 7\n", by="bob")
            await author.save("blocks/b.yaml", block("B"), by="bob", message="second")
            with pytest.raises(Conflict, match=r"bob changed blocks/b\.yaml .*: second"):
                await author.rename(HERO, "blocks/b.yaml", by="ida")
            await author.rename(HERO, "blocks/big.yaml", by="ida", expected=digest(block("One")))
            assert {"big", "b"} <= wetink.content.blocks.keys()
            assert "hero" not in wetink.content.blocks
            with pytest.raises(NotFound):
                await author.rename(HERO, "blocks/c.yaml", by="ida")
            number = await author.delete(["blocks/b.yaml", "blocks/big.yaml"], by="ida")
            assert not {"big", "b"} & wetink.content.blocks.keys()
            version, _ = await wetink.versions.read()
            assert (version.number, version.by) == (number, "ida")
            assert version.message == "Block b, Block big deleted"

    asyncio.run(story())
