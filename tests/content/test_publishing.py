"""Publishing: nobody receives a draft; it is published whole, with a name, and never over somebody else's work."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.storage import opened
from tests.web.dashboard.shopper import past
from wetink.content.author import Author
from wetink.content.publishing import Publishing, Review, laid_over
from wetink.content.versions import Versions
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.ports.content import digest
from wetink.settings import read
from wetink.web.request import now_ms
from wetink.wiring import Wetink

HERO = "blocks/hero.yaml"
TEXT = """\
title: Hero
variants:
  - {name: Last viewed, app: last-viewed}
  - {name: Gold, app: custom, template: gold.liquid, when: [{trait: plan, equals: gold}]}
fallback: {title: New in, link: "https://shop.org/new"}
"""
GOLD = "templates/gold.liquid"
FILES = {HERO: TEXT.encode(), GOLD: b"<p>For gold members</p>"}
JANE = Identifier("user", "42")

Story = Callable[[Wetink], Awaitable[None]]


def told(folder: Path, story: Story, files: dict[str, bytes] = FILES) -> None:
    """Run a story over a store with some content and one shopper."""

    async def run() -> None:
        (folder / "content").mkdir()  # else it gets the starter's blocks
        async with Wetink(read({}, data=folder), draws=False) as wetink:
            await wetink.author.change(files, {}, by="ida", message="first")
            await wetink.store.log.append(past(now_ms()))
            await story(wetink)

    asyncio.run(run())


async def draft(wetink: Wetink, body: str | None, path: str = HERO, by: str = "ida") -> int:
    """Save a draft over what is published. Returns its revision."""
    published = (await wetink.versions.read())[0].files.get(path, "")
    there = await wetink.store.drafts.get(path)
    data = body.encode() if body is not None else None
    expected = there.revision if there is not None else 0
    base = there.base if there is not None else published
    return (await wetink.publishing.save(path, data, base=base, expected=expected, by=by)).revision


def test_nobody_receives_a_draft_and_a_preview_shows_it(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, TEXT.replace("New in", "Sale"))
        await draft(wetink, "fallback: {link: 'https://shop.org/'}", "blocks/new.yaml")
        await draft(wetink, None, "blocks/gone.yaml")
        await wetink.look_again()
        assert wetink.content.blocks["hero"].fallback.title == "New in"
        assert "new" not in wetink.content.blocks
        preview = await wetink.publishing.preview()
        assert preview.blocks["hero"].fallback.title == "Sale"
        assert "new" in preview.blocks
        assert await wetink.publishing.preview() is preview, "the same drafts are read once"
        assert (await wetink.publishing.preview(["blocks/new.yaml"])).blocks["hero"].fallback.title == "New in"
        extra = {HERO: TEXT.replace("New in", "Typed").encode()}
        assert (await wetink.publishing.preview(extra=extra)).blocks["hero"].fallback.title == "Typed"
        assert [each.path for each in await wetink.publishing.pending()] == [HERO, "blocks/new.yaml"]

    told(tmp_path, story)


def test_drafts_are_published_in_one_version_with_their_changes_as_its_message(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, TEXT.replace("New in", "Sale"))
        await draft(wetink, "<p>Gold!</p>", GOLD)
        before = (await wetink.versions.newest()).number
        assert await wetink.publishing.publish([HERO, GOLD], by="bob") == before + 1
        newest = await wetink.versions.newest()
        said = "Block Hero: Headline of the fallback: “New in” → “Sale”; Template gold.liquid: Lines: 1 new, 1 gone"
        assert (newest.by, newest.message) == ("bob", said)
        assert wetink.content.blocks["hero"].fallback.title == "Sale"
        assert await wetink.publishing.pending() == []
        with pytest.raises(NotFound, match=r"no draft of blocks/hero\.yaml"):
            await wetink.publishing.publish([HERO], by="bob")
        with pytest.raises(NotFound):
            await wetink.publishing.publish([], by="bob")

    told(tmp_path, story)


def test_a_draft_of_a_file_that_somebody_published_since_is_merged_or_decided(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        publishing = wetink.publishing
        await draft(wetink, TEXT.replace("New in", "Sale"))
        theirs = TEXT.replace("title: Hero\n", "title: Big hero\n")
        await wetink.author.save(HERO, theirs.encode(), by="bob", message="bigger")
        with pytest.raises(Conflict, match=r"bob changed blocks/hero\.yaml on .*: bigger"):
            await publishing.publish([HERO], by="ida")
        review = await publishing.review([HERO])
        [clash] = review.clashes
        assert (clash.path, clash.version.by, clash.mergeable, review.ready) == (HERO, "bob", True, False)
        merged = await publishing.merge(HERO, by="ida")
        assert merged.body == theirs.replace("New in", "Sale").encode()
        assert (await publishing.review([HERO])).clashes == ()

        await wetink.author.save(HERO, theirs.replace("New in", "Theirs").encode(), by="bob")
        assert not (await publishing.review([HERO])).clashes[0].mergeable
        with pytest.raises(Conflict, match="bob changed the same places"):
            await publishing.merge(HERO, by="ida")
        await publishing.take_over(HERO, by="ida")
        await publishing.publish([HERO], by="ida")
        assert wetink.content.blocks["hero"].fallback.title == "Sale"

    told(tmp_path, story)


def test_a_draft_of_a_file_that_is_gone_is_decided_by_a_person(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, TEXT.replace("New in", "Sale"))
        await wetink.author.delete([HERO], by="bob")
        [clash] = (await wetink.publishing.review([HERO])).clashes
        assert (clash.version.by, clash.mergeable) == ("bob", False)
        with pytest.raises(Conflict):
            await wetink.publishing.merge(HERO, by="ida")
        await wetink.publishing.take_over(HERO, by="ida")
        await wetink.publishing.publish([HERO], by="ida")
        assert "hero" in wetink.content.blocks

    told(tmp_path, story)


def test_what_was_not_reviewed_is_not_published(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        seen = await draft(wetink, TEXT.replace("New in", "Sale"))
        await draft(wetink, TEXT.replace("New in", "Sold"), by="bob")
        with pytest.raises(Conflict, match=r"bob has changed the draft of blocks/hero\.yaml since you looked"):
            await wetink.publishing.publish({HERO: seen}, by="ida")
        await wetink.publishing.publish({HERO: seen + 1}, by="ida")

    told(tmp_path, story)


def test_a_draft_that_cannot_be_used_is_kept_and_not_published(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, "variants: [{name: a, app: nonesuch}]\nfallback: {link: 'https://shop.org/'}")
        with pytest.raises(BadContent, match="no app called 'nonesuch'"):
            await wetink.publishing.publish([HERO], by="ida")
        review = await wetink.publishing.review([HERO])
        assert not review.ready
        assert "no app called 'nonesuch'" in words(review, "content")
        assert len(await wetink.publishing.pending()) == 1
        for path in ("../x", "blocks/a/b.yaml"):
            with pytest.raises(BadContent):
                await draft(wetink, "", path)

    told(tmp_path, story)


def words(review: Review, name: str) -> str:
    return "\n".join(next(each.words for each in review.checks if each.name == name))


def states(review: Review) -> dict[str, str]:
    return {each.name: each.state for each in review.checks}


def test_a_review_counts_who_will_see_something_else(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        lines = TEXT.splitlines()
        await draft(wetink, "\n".join([lines[0], lines[1], lines[3], lines[2], lines[4]]))
        review = await wetink.publishing.review([HERO])
        assert review.changes[0].words == ("Variant “Gold” moved above “Last viewed”",)
        [count] = review.counts
        assert (count.title, count.people, count.different) == ("Hero", 1, 1)
        assert count.words == ("1 of 1 will see “Gold” instead of “Last viewed”",)
        assert review.ready
        assert states(review) == dict.fromkeys(
            ("content", "drawing", "weight", "characters", "links", "contrast"), "good"
        ) | {"coverage": "doubt"}
        assert words(review, "coverage") == "Hero: nobody of 1 would see “Last viewed”"
        assert "KB of at most 200 KB" in words(review, "weight")

    told(tmp_path, story)


def test_a_review_of_a_template_counts_those_who_see_its_new_look(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, "<p style='color: #ccc; background: #fff'>Gold \U00012000</p>", GOLD)
        [count] = (await wetink.publishing.review([GOLD])).counts
        assert count.different == 0, "nobody reaches it"
        await wetink.author.save(HERO, TEXT.replace("  - {name: Last viewed, app: last-viewed}\n", "").encode(), by="x")
        review = await wetink.publishing.review([GOLD])
        assert review.counts[0].words == ("1 of 1 will see other content in “Gold”",)
        assert "-<p>For gold members</p>" in review.changes[0].lines
        assert states(review)["characters"] == "doubt"

    told(tmp_path, story)


BAD: dict[str, tuple[str, str, str, str]] = {
    "a loop": (GOLD, "{% for a in (1..999999999) %}x{% endfor %}", "drawing", "cannot be rendered"),
    "faint text": (GOLD, '<p style="color: #ccc; background: #fff">x</p>', "contrast", "#ccc on #fff is hard to read"),
    "nowhere": (HERO, TEXT.replace("shop.org", "example.com"), "links", "leads nowhere: https://example.com/new"),
    "a zone": (
        HERO, TEXT.replace("app: last-viewed", "app: countdown, settings: {at: 2030-01-01, zone: Europe/Berln}"),
        "content", "Europe/Berlin",
    ),
    "a faint accent": (
        HERO, TEXT.replace("app: last-viewed", "app: countdown, settings: {at: 2030-01-01, accent: '#ffffee'}"),
        "contrast", "hardly stands out from a light background",
    ),
    "no trait": (GOLD, "<p>{{ person.traits.nickname }}</p>", "coverage", "have no nickname"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "check", "said"), BAD.values(), ids=BAD)
def test_a_check_names_the_problem(tmp_path: Path, path: str, body: str, check: str, said: str) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, body, path)
        review = await wetink.publishing.review([path])
        assert said in words(review, check)
        assert states(review)[check] in ("doubt", "wrong")

    files = FILES
    if check == "coverage":
        files = {**FILES, HERO: TEXT.replace("  - {name: Last viewed, app: last-viewed}\n", "").encode()}
    told(tmp_path, story, files)


def test_a_scenario_that_no_longer_holds_keeps_a_draft_from_being_published(tmp_path: Path) -> None:
    scenario = b"name: New people\nexpect: {hero: {fallback: true}}\n"

    async def story(wetink: Wetink) -> None:
        await draft(wetink, TEXT.replace(", when: [{trait: plan, equals: gold}]", ""))
        review = await wetink.publishing.review([HERO])
        assert "New people (hero): expected the fallback, got Gold" in words(review, "scenarios")
        assert not review.ready
        with pytest.raises(BadContent, match="expected the fallback"):
            await wetink.publishing.publish([HERO], by="ida")

    told(tmp_path, story, {**FILES, "scenarios/new.yaml": scenario})


def test_a_schedule_that_begins_later_is_counted_for_its_beginning(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(
            wetink,
            f"{TEXT}schedule: {{from: 2090-01-01T09:00, zone: Europe/Berlin}}\n".replace(
                "last-viewed", "countdown, settings: {ends: dispatch}"
            ),
        )
        [count] = (await wetink.publishing.review([HERO])).counts
        assert count.words == ("1 of 1 will see “Last viewed” instead of “Gold”",)
        assert count.note == "Counted for its beginning: it is shown from 2090-01-01 09:00 (Europe/Berlin)."
        await draft(wetink, f"{TEXT}paused: true\n")
        [count] = (await wetink.publishing.review([HERO])).counts
        assert count.words == ("1 of 1 will see the fallback instead of “Last viewed”",)
        assert count.note == "The block is paused, so everyone gets the fallback."

    told(tmp_path, story)


def test_a_new_block_says_who_will_see_it_and_a_preview_decides_with_it(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        await draft(wetink, TEXT, "blocks/second.yaml")
        review = await wetink.publishing.review(["blocks/second.yaml"])
        assert review.counts[0].new
        assert review.counts[0].words == ("1 of 1 will see “Last viewed”",)
        content = await wetink.publishing.preview()
        decision = await wetink.opens.preview(content, content.blocks["second"], JANE, Moment(now_ms()))
        assert decision.variant == "Last viewed"
        assert await wetink.store.archive.newest(now_ms(), 5) == []

    told(tmp_path, story)


PATHS = [HERO, "blocks/b.yaml", GOLD, "images/a.png"]
BODIES = st.binary(max_size=6)
TREES = st.dictionaries(st.sampled_from(PATHS), BODIES, max_size=4)
CHANGES = st.dictionaries(st.sampled_from(PATHS), st.none() | BODIES, min_size=1, max_size=4)


@settings(max_examples=examples(25), deadline=None)
@given(TREES, CHANGES)
def test_publishing_the_drafts_of_a_tree_equals_writing_its_files(
    tree: dict[str, bytes], changes: dict[str, bytes | None]
) -> None:
    async def story(place: Path) -> None:
        store = opened(place / "store", now_ms)
        versions = Versions(store.content, store.leases, place / "content", lambda tree: ())
        await versions.push(tree, None, by="", message="", now=1)

        async def nothing(*given: Any) -> Any:
            return (), ()

        author = Author(versions, nothing, lambda: 2)  # type: ignore[arg-type]
        publishing = Publishing(store.drafts, versions, author, {}, nothing, lambda: 2)
        for path, body in changes.items():
            base = digest(tree[path]) if path in tree else ""
            await publishing.save(path, body, base=base, expected=0, by="ida")
        await publishing.publish(list(changes), by="ida", message="all")
        assert (await versions.current())[1] == laid_over(tree, changes)
        assert await publishing.pending() == [] == await store.drafts.all()
        await store.close()

    with TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))
