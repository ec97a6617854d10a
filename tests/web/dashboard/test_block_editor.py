"""The block editor in a browser: made, ordered by mouse and by keys, ruled, seen, and nothing lost when two edit."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits
from tests.web.keys import key_in


@pytest.fixture(scope="module")
def key(data: Path) -> str:
    with ThreadPoolExecutor(1) as thread:  # the browser's driver has the loop of this one
        return thread.submit(key_in, data).result()


def signed_in(server: Server, chromium: Browser, width: int = 1280) -> BrowserContext:
    context = chromium.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    context.new_page().goto(server.sign_in)
    return context


def begun(page: Page, server: Server, title: str, app: str = "Countdown") -> str:
    """Make a draft from an app, and return its address."""
    page.goto(f"{server.address}/dashboard/blocks/new")
    page.get_by_label("Title").fill(title)
    page.locator(".pick").filter(has_text=app).first.click()
    page.wait_for_url("**/edit")
    return page.url


def names(page: Page) -> list[str]:
    return page.locator("#variants [data-name]").all_inner_texts()


def add(page: Page, app: str) -> None:
    there = len(names(page))
    if page.locator("#adder[open]").count() == 0:
        page.get_by_text("Add a variant", exact=True).click()
    page.locator("#adder .pick").filter(has_text=app).first.click()
    expect(page.locator("#variants > .variant")).to_have_count(there + 1)


def dragged(page: Page, start: int, end: int) -> None:
    """Drag a variant by its handle to the place of one above it."""
    handle, other = page.locator(".handle").nth(start).bounding_box(), page.locator(".handle").nth(end).bounding_box()
    assert handle is not None
    assert other is not None
    page.mouse.move(handle["x"] + 5, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(handle["x"] + 5, handle["y"] - 30, steps=6)
    page.mouse.move(other["x"] + 5, other["y"] - 12, steps=12)
    page.mouse.up()


def saved(page: Page) -> Locator:
    return page.locator("#saved")


def test_a_block_is_made_ordered_ruled_and_seen_by_mouse(server: Server, chromium: Browser) -> None:
    context = signed_in(server, chromium)
    page = context.pages[0]
    begun(page, server, "Summer Hero")
    assert page.url.endswith("/dashboard/blocks/summer-hero/edit")
    picture = page.locator("#frames .light img")
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    before = picture.get_attribute("src") or ""
    page.locator('[name="v.0.settings.title"]').fill("Ends tonight")
    expect(picture).not_to_have_attribute("src", before)
    expect(saved(page)).to_contain_text("Draft")
    add(page, "Trending")
    add(page, "Last Viewed")
    assert names(page) == ["Countdown", "Trending", "Last Viewed"]
    page.reload()
    page.locator("#variants summary").first.click()
    with page.expect_response(lambda response: response.request.method == "POST"):
        dragged(page, 2, 0)
    expect(page.locator("#said")).to_have_text("Last Viewed is now variant 1 of 3.")
    page.reload()
    assert names(page) == ["Last Viewed", "Countdown", "Trending"]
    page.get_by_role("button", name="+ condition").first.click()
    event = page.locator('[name="v.0.rule.of.0.event"]')
    event.fill("Order Completed")
    expect(page.locator("#why .trace li").first).to_contain_text("Order Completed")
    page.locator("summary").filter(has_text="Picture").click()
    page.get_by_label("Width").fill("wide")
    expect(page.locator("#wrong-width")).to_have_text("enter a whole number from 40 to 1200")
    page.get_by_label("Width").fill("640")
    expect(page.locator("#wrong-width")).to_be_empty()
    expect(picture).to_have_js_property("naturalWidth", 1280)
    context.close()


def tab_to(page: Page, identifier: str) -> None:
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == identifier:
            return
    raise AssertionError(f"no way to {identifier} with the Tab key")


@pytest.mark.parametrize("width", [390, 1280])
def test_variants_change_places_with_keys_alone(server: Server, chromium: Browser, width: int) -> None:
    context = signed_in(server, chromium, width)
    page = context.pages[0]
    begun(page, server, f"Keys {width}")
    add(page, "Trending")
    page.reload()
    fits(page)
    tab_to(page, "down-0")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Countdown is now variant 2 of 2.")
    assert page.evaluate("document.activeElement.id") == "down-0", "the focus stays on the button"
    tab_to(page, "remove-0")
    page.keyboard.press("Enter")
    expect(page.locator("#variants > .variant")).to_have_count(1)
    assert names(page) == ["Trending"]
    tab_to(page, "restore")
    page.keyboard.press("Enter")
    expect(page.locator("#variants > .variant")).to_have_count(2)
    assert names(page) == ["Trending", "Countdown"]
    context.close()


def test_presses_in_a_row_are_all_done_while_the_server_is_slow(server: Server, chromium: Browser) -> None:
    context = signed_in(server, chromium)
    page = context.pages[0]
    begun(page, server, "Hurry")
    add(page, "Trending")
    page.get_by_text("Add a variant", exact=True).click()

    def slow(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/edit*", slow)
    page.evaluate("""() => {
        document.querySelector('#adder [value="new last-viewed"]').click();
        document.querySelector('#down-0').click();
        document.querySelector('#down-0').click();
    }""")
    expect(page.locator("#variants [data-name]")).to_have_text(["Trending", "Last Viewed", "Countdown"])
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_people_are_found_by_name_and_stay_at_hand(server: Server, chromium: Browser, key: str, width: int) -> None:
    context = signed_in(server, chromium, width)
    page = context.pages[0]
    known = {"userId": "4711", "traits": {"firstName": "Ada", "lastName": "Byron", "email": "ada@byron.example"}}
    told = page.request.post(f"{server.address}/v1/identify", data={**known, "writeKey": key})
    assert told.ok
    begun(page, server, f"People {width}", "From scratch")
    page.locator(".look-fold").evaluate("each => each.open = true")
    who = page.get_by_label("As", exact=True)
    who.press_sequentially("byr")
    option = page.locator("#people option")
    expect(option).to_have_attribute("label", "Ada Byron · ada@byron.example")
    who.fill(option.get_attribute("value") or "")
    who.press("Tab")
    expect(page.locator("#why h3").first).to_have_text("Why user:4711 sees this")
    at_hand = page.get_by_role("group", name="People at hand")
    expect(at_hand.get_by_role("button", pressed=True)).to_have_text("Ada Byron")
    at_hand.get_by_role("button", name="A stranger").press("Enter")
    expect(page.locator("#why h3").first).to_have_text("Why a stranger sees this")
    page.reload()
    page.locator(".look-fold").evaluate("each => each.open = true")
    at_hand.get_by_role("button", name="Ada Byron").click()
    expect(page.locator("#why h3").first).to_have_text("Why user:4711 sees this")
    fits(page)
    context.close()


def test_a_second_tab_is_told_and_both_versions_are_kept(server: Server, chromium: Browser) -> None:
    context = signed_in(server, chromium)
    one, other = context.pages[0], context.new_page()
    address = begun(one, server, "Shared")
    other.goto(address)
    one.locator("#title").fill("Mine")
    expect(saved(one)).to_contain_text("Draft")
    with other.expect_response(lambda response: response.request.method == "POST"):
        other.locator("#title").fill("Theirs")
    expect(other.get_by_role("alert")).to_contain_text("Somebody else changed this block")
    other.get_by_role("button", name="Keep mine as a copy").click()
    other.wait_for_url(re.compile(r"/theirs-copy/edit$"))
    one.reload()
    expect(one.locator("#title")).to_have_value("Mine")
    expect(other.locator("#title")).to_have_value("Theirs copy")
    context.close()


def test_a_lost_connection_is_said_and_made_good(server: Server, chromium: Browser) -> None:
    context = signed_in(server, chromium)
    page = context.pages[0]
    begun(page, server, "Train")
    add(page, "Trending")
    page.reload()
    page.locator("#variants summary").first.click()
    trouble = page.locator("#trouble")
    context.set_offline(True)
    page.locator("#title").fill("Through the tunnel")
    expect(trouble).to_contain_text("No connection")
    dragged(page, 1, 0)
    context.set_offline(False)
    expect(trouble).to_be_hidden()
    context.set_offline(True)
    page.locator("#copy-0").click()
    expect(trouble).to_contain_text("No connection")
    context.set_offline(False)
    expect(trouble).to_be_hidden()
    expect(page.locator("#variants > .variant")).to_have_count(3)
    page.reload()
    expect(page.locator("#title")).to_have_value("Through the tunnel")
    assert names(page) == ["Trending", "Countdown", "Countdown 2"]
    context.close()


def test_a_session_that_ends_while_editing_loses_nothing(server: Server, chromium: Browser) -> None:
    context = signed_in(server, chromium)
    page = context.pages[0]
    address = begun(page, server, "Late")
    context.clear_cookies()
    page.locator("#title").fill("Written at night")
    expect(page.locator("#trouble")).to_contain_text("Your session has ended")
    page.goto(server.sign_in)
    page.goto(address)
    page.get_by_role("button", name="Restore them").click()
    expect(page.locator("#title")).to_have_value("Written at night")
    context.close()


def publish(page: Page) -> None:
    """Publish the draft of the open editor by mouse."""
    expect(saved(page)).to_contain_text("saved")
    page.get_by_role("link", name="Review and publish").click()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile(r"/dashboard/blocks/[a-z0-9-]+$"))


def test_an_open_changes_when_a_draft_is_published_and_not_before(server: Server, chromium: Browser) -> None:
    context = signed_in(server, chromium)
    page = context.pages[0]
    address = begun(page, server, "Openly", "From scratch")

    def opened(who: str) -> bytes:
        return page.request.get(f"{server.address}/o/openly/1.jpg?user={who}").body()

    page.locator('[name="fallback.link"]').fill("https://shop.example/")
    publish(page)
    before = opened("a")
    page.get_by_role("link", name="Edit").click()
    page.wait_for_url(address)
    page.locator('[name="fallback.title"]').fill("The winter sale begins")
    expect(saved(page)).to_contain_text("saved")
    assert opened("b") == before
    publish(page)
    assert opened("c") != before
    context.close()
