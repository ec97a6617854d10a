"""History: what each version changed, in words, and the way back without losing what came later."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.content.test_publishing import FILES, GOLD, HERO, TEXT, told
from tests.examples import examples
from tests.storage import opened
from wetink.content.author import Author
from wetink.content.history import History
from wetink.content.versions import Versions
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.wiring import Wetink

Story = Callable[[Wetink], Awaitable[None]]


def test_versions_are_listed_with_the_files_that_each_changed(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        first = (await wetink.versions.newest()).number
        await wetink.author.save(HERO, TEXT.replace("New in", "Sale").encode(), by="ida", message="sale")
        entries = await wetink.history.page(2)
        assert [(each.version.number, dict(each.paths)) for each in entries] == [
            (first + 1, {HERO: "changed"}),
            (first, dict.fromkeys(FILES, "added")),
        ]
        assert await wetink.history.page(9, before=1) == []
        version, changes = await wetink.history.changes(first + 1)
        assert (version.by, version.message) == ("ida", "sale")
        assert [each.words for each in changes] == [("Headline of the fallback: “New in” → “Sale”",)]
        assert len((await wetink.history.changes(first))[1]) == len(FILES)
        with pytest.raises(NotFound):
            await wetink.history.changes(99)

    told(tmp_path, story)


def test_undoing_a_version_leaves_what_came_later(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        author, history = wetink.author, wetink.history
        sale = TEXT.replace("New in", "Sale")
        number = await author.change({HERO: sale.encode(), GOLD: b"<p>New</p>"}, {}, by="ida", message="sale")
        await author.save(HERO, sale.replace("title: Hero\n", "title: Big hero\n").encode(), by="bob")
        await history.undo(number, by="ida")
        assert wetink.content.blocks["hero"].title == "Big hero"
        assert wetink.content.blocks["hero"].fallback.title == "New in"
        assert wetink.content.templates["gold.liquid"] == "<p>For gold members</p>"
        newest = await wetink.versions.newest()
        assert (newest.by, newest.message) == ("ida", f"undid version {number}")
        with pytest.raises(BadContent, match="is like this already"):
            await history.undo(number, by="ida")
        with pytest.raises(BadContent, match="before the first version"):
            await history.undo(1, by="ida")
        await history.undo(newest.number, by="ida")
        assert wetink.content.blocks["hero"].fallback.title == "Sale"

    told(tmp_path, story)


def test_undoing_what_somebody_has_changed_since_is_refused_by_name(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        number = await wetink.author.save(HERO, TEXT.replace("New in", "Sale").encode(), by="ida")
        await wetink.author.save(HERO, TEXT.replace("New in", "Sold out").encode(), by="bob")
        with pytest.raises(Conflict, match=r"bob has changed the same places of blocks/hero\.yaml since version"):
            await wetink.history.undo(number, by="ida")
        await wetink.author.delete([HERO], by="eve")
        with pytest.raises(Conflict, match="eve has changed"):
            await wetink.history.undo(number, by="ida")

    told(tmp_path, story)


def test_a_file_or_everything_is_restored_as_in_a_version(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        first = (await wetink.versions.newest()).number
        other = b"fallback: {link: 'https://shop.org/'}"
        await wetink.author.change({HERO: None, GOLD: None, "blocks/b.yaml": other}, {}, by="bob", message="")
        with pytest.raises(BadContent, match=r"there is no gold\.liquid"):
            await wetink.history.restore(first, HERO, by="ida")
        await wetink.history.restore(first, GOLD, by="ida")
        await wetink.history.restore(first, HERO, by="ida")
        assert {"hero", "b"} == wetink.content.blocks.keys()
        await wetink.history.restore(first, by="ida")
        assert {"hero"} == wetink.content.blocks.keys()
        with pytest.raises(BadContent, match="already"):
            await wetink.history.restore(first, by="ida")
        with pytest.raises(NotFound):
            await wetink.history.restore(first, "blocks/never.yaml", by="ida")
        with pytest.raises(NotFound):
            await wetink.history.restore(99, by="ida")

    told(tmp_path, story)


BODIES = st.dictionaries(st.sampled_from(["blocks/a.yaml", "blocks/b.yaml"]), st.binary(max_size=3))


@settings(max_examples=examples(25), deadline=None)
@given(BODIES, BODIES)
def test_undoing_the_last_version_gives_back_the_one_before(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], two: dict[str, bytes]
) -> None:
    async def nothing() -> None:
        """Follow."""

    async def story() -> None:
        place = tmp_path_factory.mktemp("undone")
        store = opened(place / "store", lambda: 1)
        versions = Versions(store.content, store.leases, place / "content", lambda tree: ())
        history = History(versions, Author(versions, nothing, lambda: 1), {})  # type: ignore[arg-type]
        await versions.push({**one, "blocks/x.yaml": b""}, None, by="", message="", now=1)
        done = await versions.push({**two, "blocks/x.yaml": b"new"}, None, by="", message="", now=1)
        await history.undo(done.version, by="ida")
        assert (await versions.current())[1] == {**one, "blocks/x.yaml": b""}
        await store.close()

    asyncio.run(story())
