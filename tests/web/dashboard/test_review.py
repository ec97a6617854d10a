"""The pages of drafts and versions: reviewed, published, undone, and never over somebody else's work."""

import asyncio
import re
from collections.abc import Awaitable
from html import unescape
from typing import Any

from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from wetink.ports.content import Draft
from wetink.wiring import Wetink

HERO = "blocks/hero.yaml"
EVIL = "<script>alert(1)</script>"


def run(work: Awaitable[Any]) -> Any:
    async def awaited() -> Any:
        return await work

    return asyncio.run(awaited())


def change(wetink: Wetink, old: str, new: str, path: str = HERO, by: str = "ida") -> Draft:
    """Save a draft with a text in place of another."""

    async def work() -> Draft:
        version, tree = await wetink.versions.current()
        there = await wetink.store.drafts.get(path)
        body = (there.body or b"") if there is not None else tree[path]
        return await wetink.publishing.save(
            path,
            body.replace(old.encode(), new.encode()),
            base=there.base if there is not None else version.files[path],
            expected=there.revision if there is not None else 0,
            by=by,
        )

    draft: Draft = run(work())
    return draft


def said(page: Any) -> str:
    """Return a page with its arrows as text."""
    return re.sub(r' <svg[^>]*><use[^>]*arrow-right"/></svg><span class="hidden">becomes</span> ', " → ", page.text)


def post(browser: TestClient, address: str, **fields: str) -> Any:
    fields["csrf"] = browser.headers["x-csrf"]
    return browser.post(address, data=fields, follow_redirects=False)


def test_a_draft_is_reviewed_published_seen_among_the_versions_and_undone(wetink: Wetink) -> None:
    draft = change(wetink, "New in", "Sale & more")
    with client_of(wetink) as browser:
        listed = browser.get("/dashboard/versions").text
        assert "Unpublished drafts" in listed
        assert "Block Left behind" in listed
        reviewed = said(browser.get(f"/dashboard/review?path={HERO}"))
        assert "Headline of the fallback: “New in” → “Sale &amp; more”" in reviewed
        assert "ida" in reviewed
        assert f'name="draft:{HERO}" value="{draft.revision}"' in reviewed
        tried = browser.get(f"/dashboard/review/tried?path={HERO}").text
        assert "3 of 3" in tried or "will see the same as today" in tried
        assert "KB of at most 200 KB" in tried or "Nothing was drawn" in tried, "a busy machine may draw too late"
        pictures = [unescape(each) for each in re.findall(r'<img src="([^"]+)"', tried)]
        assert len(pictures) % 2 == 0
        for before, after in zip(pictures[::2], pictures[1::2], strict=True):
            bodies = [browser.get(each) for each in (before, after)]
            assert {each.status_code for each in bodies} == {200}
            assert bodies[0].content != bodies[1].content

        done = post(browser, "/dashboard/review/publish", **{f"draft:{HERO}": str(draft.revision), "message": "Why"})
        assert (done.status_code, done.headers["location"]) == (303, "/dashboard/blocks/hero")
        assert wetink.content.blocks["hero"].fallback.title == "Sale & more"
        number = run(wetink.versions.newest()).number
        assert f"Published as version {number}." in browser.get("/dashboard/versions").text
        page = said(browser.get(f"/dashboard/versions/{number}"))
        assert "Why" in page
        assert "“New in” → “Sale &amp; more”" in page
        assert "-fallback: {title: New in" in page
        undone = post(browser, f"/dashboard/versions/{number}/undo", next="/dashboard/blocks/hero")
        assert (undone.status_code, undone.headers["location"]) == (303, "/dashboard/blocks/hero")
        assert wetink.content.blocks["hero"].fallback.title == "New in"
        assert "Nothing to publish" in browser.get("/dashboard/review").text


def test_a_stale_form_publishes_nothing_and_shows_what_changed(wetink: Wetink) -> None:
    seen = change(wetink, "New in", "Sale")
    change(wetink, "Sale", "Sold out", by="bob")
    with client_of(wetink) as browser:
        answer = post(
            browser, "/dashboard/review/publish", **{f"draft:{HERO}": str(seen.revision), "message": "my words"}
        )
        assert answer.status_code == 409
        assert "Bob has changed the draft" in answer.text
        assert "“New in” → “Sold out”" in said(answer)
        assert 'value="my words"' in answer.text
        assert wetink.content.blocks["hero"].fallback.title == "New in"


def test_a_second_click_on_publish_says_that_it_is_done(wetink: Wetink) -> None:
    draft = change(wetink, "New in", "Sale")
    with client_of(wetink) as browser:
        fields = {f"draft:{HERO}": str(draft.revision)}
        assert post(browser, "/dashboard/review/publish", **fields).status_code == 303
        again = post(browser, "/dashboard/review/publish", **fields)
        assert again.status_code == 404
        assert "There is no draft of block hero." in again.text
        assert "Nothing to publish" in again.text
        assert post(browser, "/dashboard/review/publish").status_code == 404


def test_somebody_elses_version_is_shown_and_merged(wetink: Wetink) -> None:
    change(wetink, "New in", "Sale")
    theirs = run(wetink.versions.current())[1][HERO].replace(b"Left behind", b"Left there")
    run(wetink.author.save(HERO, theirs, by="bob", message=EVIL))
    with client_of(wetink) as browser:
        page = browser.get(f"/dashboard/review?path={HERO}").text
        assert "<strong>bob published another change to this</strong>" in page
        assert EVIL not in page
        assert "Merge both" in page
        assert post(browser, "/dashboard/review/resolve", path=HERO, how="merge").status_code == 303
        page = browser.get(f"/dashboard/review?path={HERO}").text
        assert "another change" not in page
        draft = run(wetink.store.drafts.get(HERO))
        post(browser, "/dashboard/review/publish", **{f"draft:{HERO}": str(draft.revision)})
        block = wetink.content.blocks["hero"]
        assert (block.title, block.fallback.title) == ("Left there", "Sale")


def test_changes_of_the_same_place_are_decided_by_a_person(wetink: Wetink) -> None:
    for how, title in (("mine", "Mine"), ("theirs", "Theirs")):
        before = wetink.content.blocks["hero"].fallback.title
        draft = change(wetink, before, "Mine" if how == "mine" else "Mine again")
        theirs = run(wetink.versions.current())[1][HERO].replace(before.encode(), b"Theirs")
        run(wetink.author.save(HERO, theirs, by="bob"))
        with client_of(wetink) as browser:
            page = browser.get(f"/dashboard/review?path={HERO}").text
            assert "Merge both" not in page
            assert "you must decide" in page
            refused = post(browser, "/dashboard/review/publish", **{f"draft:{HERO}": str(draft.revision)})
            assert refused.status_code == 409
            merged = post(browser, "/dashboard/review/resolve", path=HERO, how="merge")
            assert (merged.status_code, "changed the same places" in merged.text) == (409, True)
            decided = post(browser, "/dashboard/review/resolve", path=HERO, how=how, revision=str(draft.revision))
            assert decided.status_code == 303
            if how == "mine":
                post(browser, "/dashboard/review/publish", **{f"draft:{HERO}": "0"})
            assert wetink.content.blocks["hero"].fallback.title == title
            assert run(wetink.publishing.pending()) == []


def test_a_draft_that_somebody_else_saved_since_is_not_discarded(wetink: Wetink) -> None:
    seen = change(wetink, "New in", "Sale")
    change(wetink, "Sale", "Sold out", by="bob")
    with client_of(wetink) as browser:
        fields = {"path": HERO, "how": "discard", "revision": str(seen.revision)}
        answer = post(browser, "/dashboard/review/resolve", **fields)
        assert answer.status_code == 409
        assert "Bob saved block hero on" in answer.text
        assert len(run(wetink.publishing.pending())) == 1
        assert post(browser, "/dashboard/review/resolve", **{**fields, "revision": "2"}).status_code == 303
        assert run(wetink.publishing.pending()) == []
        assert post(browser, "/dashboard/review/resolve", path=HERO, how="guess").status_code == 400


def test_a_file_and_everything_are_restored_from_a_version(wetink: Wetink) -> None:
    first = run(wetink.versions.newest()).number
    run(wetink.author.delete(["blocks/picks.yaml"], by="bob"))
    run(wetink.author.save(HERO, b"fallback: {link: 'https://shop.example/'}", by="bob"))
    with client_of(wetink) as browser:
        page = browser.get(f"/dashboard/versions/{first}").text
        assert "Restore this file" in page
        assert post(browser, f"/dashboard/versions/{first}/restore", path="blocks/picks.yaml").status_code == 303
        assert "picks" in wetink.content.blocks
        assert wetink.content.blocks["hero"].title == ""
        assert post(browser, f"/dashboard/versions/{first}/restore").status_code == 303
        assert wetink.content.blocks["hero"].title == "Left behind"
        again = post(browser, f"/dashboard/versions/{first}/restore")
        assert (again.status_code, "The content is like this already." in again.text) == (400, True)


def test_undoing_what_made_a_block_says_first_that_it_deletes_it(wetink: Wetink) -> None:
    number = run(wetink.author.save("blocks/made.yaml", b"fallback: {link: 'https://shop.example/'}", by="ida"))
    with client_of(wetink) as browser:
        page = browser.get(f"/dashboard/versions/{number}").text
        assert "This deletes what it added." in page
        assert "<li>Block made</li>" in page
        assert post(browser, f"/dashboard/versions/{number}/undo").status_code == 303
        assert "made" not in wetink.content.blocks
        first = browser.get("/dashboard/versions/1").text
        assert "Undo this version" not in first
        assert post(browser, "/dashboard/versions/1/undo").status_code == 400


def test_odd_addresses_are_no_version(dashboard: TestClient) -> None:
    for number in ("0", "99", "x", "9" * 30, "1e3", "-1"):
        assert dashboard.get(f"/dashboard/versions/{number}").status_code == 404, number
    for before in ("0", "x", "-1", "1", "9" * 17):
        assert dashboard.get(f"/dashboard/versions?before={before}").status_code == 200, before
    for path in ("nonesuch", "../x", "%00", "blocks/x.yaml&path=blocks/x.yaml"):
        assert dashboard.get(f"/dashboard/review?path={path}").status_code == 200
        assert "published or discarded" in dashboard.get(f"/dashboard/review/tried?path={path}").text


def test_versions_are_listed_in_pages(wetink: Wetink) -> None:
    for number in range(30):
        body = f"fallback: {{title: T{number}, link: 'https://shop.example/'}}".encode()
        run(wetink.author.save("blocks/many.yaml", body, by="ida", message=f"number {number}"))
    with client_of(wetink) as browser:
        page = browser.get("/dashboard/versions").text
        assert page.count("Number ") >= 25
        assert "Number 29" in page
        older = page.partition("/dashboard/versions?before=")[2].partition('"')[0]
        assert "Number 0" in browser.get(f"/dashboard/versions?before={older}").text
