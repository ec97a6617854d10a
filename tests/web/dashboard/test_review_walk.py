"""A walk in a real browser: a draft is reviewed, published and taken back, by mouse and by keys, and by two people."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits, signed_in, tab_to
from wetink.settings import read
from wetink.wiring import Wetink

WALK = "blocks/walk.yaml"
TEXT = "title: Walk\nalt: A walk\nfallback: {title: %s, link: 'https://shop.example/'}\n"


def with_store(data: Path, work: Callable[[Wetink], Awaitable[None]]) -> None:
    """Do something to the server's store, as another person does on another machine."""

    async def run() -> None:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            await work(wetink)

    with ThreadPoolExecutor(1) as thread:  # the browser's driver has the loop of this one
        thread.submit(asyncio.run, run()).result()


def drafted(data: Path, title: str) -> None:
    """Publish the block, and save a draft of it."""

    async def work(wetink: Wetink) -> None:
        await wetink.author.save(WALK, (TEXT % "Before").encode(), by="ida", message="as it was")
        version, _ = await wetink.versions.current()
        there = await wetink.store.drafts.get(WALK)
        revision = there.revision if there is not None else 0
        body = (TEXT % title).encode()
        await wetink.publishing.save(WALK, body, base=version.files[WALK], expected=revision, by="ida")

    with_store(data, work)


def published(data: Path) -> str:
    found: list[str] = []

    async def work(wetink: Wetink) -> None:
        found.append((await wetink.versions.current())[1][WALK].decode())

    with_store(data, work)
    return found[0]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_draft_is_published_and_taken_back_by_mouse(
    server: Server, chromium: Browser, data: Path, width: int
) -> None:
    drafted(data, "By mouse")
    page = signed_in(server, chromium, width)
    page.goto(f"{server.address}/dashboard/versions")
    fits(page)
    page.get_by_role("link", name="Block Walk").first.click()
    expect(page.get_by_text("“By mouse”")).to_be_visible()
    page.get_by_text("Line by line").click()
    expect(page.get_by_text("+fallback: {title: By mouse")).to_be_visible()
    expect(page.get_by_role("heading", name="Contrast")).to_be_visible(timeout=20_000)
    fits(page)
    page.get_by_label("Message").fill("A friendlier headline")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/dashboard/blocks/walk")
    expect(page.get_by_text("Published as version")).to_be_visible()
    assert "By mouse" in published(data)

    page.goto(f"{server.address}/dashboard/versions")
    page.get_by_role("link", name="A friendlier headline").first.click()
    expect(page.get_by_text("“By mouse”")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Undo this version").click()
    page.wait_for_url("**/dashboard/versions")
    expect(page.get_by_text("was undone")).to_be_visible()
    assert "Before" in published(data)
    page.locator(".toast").get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_url("**/dashboard/versions")
    assert "By mouse" in published(data)

    page.get_by_role("link", name="as it was").first.click()
    page.get_by_role("button", name="Restore everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore everything").click()
    page.wait_for_url("**/dashboard/versions")
    assert "Before" in published(data)
    page.context.close()


def test_a_draft_is_published_and_taken_back_by_keys_alone(server: Server, chromium: Browser, data: Path) -> None:
    drafted(data, "By keys")
    page = signed_in(server, chromium, 1280)
    page.goto(f"{server.address}/dashboard/review?path={WALK}")
    expect(page.get_by_role("heading", name="Contrast")).to_be_visible(timeout=20_000)
    tab_to(page, "message$")
    page.keyboard.type("With keys")
    tab_to(page, "Publish$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/blocks/walk")
    assert "By keys" in published(data)
    page.goto(f"{server.address}/dashboard/versions")
    tab_to(page, "With keys")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/versions/*")
    tab_to(page, "Undo this version$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/versions")
    assert "Before" in published(data)
    page.context.close()


def test_two_people_with_the_same_block_lose_nothing(server: Server, chromium: Browser, data: Path) -> None:
    drafted(data, "Mine")
    page = signed_in(server, chromium, 1280)
    page.goto(f"{server.address}/dashboard/review?path={WALK}")

    async def work(wetink: Wetink) -> None:
        body = (TEXT % "Before").replace("title: Walk", "title: Their walk").encode()
        await wetink.author.save(WALK, body, by="Bob", message="theirs")

    with_store(data, work)  # while the page is open
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("Bob changed block walk")
    expect(page.get_by_text("Bob published another change to this")).to_be_visible()
    page.get_by_role("button", name="Merge both").click()
    page.wait_for_url("**/dashboard/review?path=*")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/dashboard/blocks/walk")
    text = published(data)
    assert "Their walk" in text
    assert "Mine" in text
    page.context.close()
