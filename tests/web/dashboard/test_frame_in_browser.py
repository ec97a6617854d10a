"""The frame in a real browser: the menu of a phone, themes, folded groups, menus and dialogs, by keys and by mouse."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.serving import Server


def enter(server: Server, browser: Browser, width: int, *, script: bool = True) -> BrowserContext:
    """A signed-in browser without a page."""
    context = browser.new_context(
        base_url=server.address,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.goto(server.sign_in)
    page.close()
    return context


@pytest.fixture
def phone(server: Server, chromium: Browser) -> Iterator[Page]:
    context = enter(server, chromium, 390)
    page = context.new_page()
    page.goto("/dashboard/live")
    yield page
    context.close()


@pytest.fixture
def desktop(server: Server, chromium: Browser) -> Iterator[Page]:
    context = enter(server, chromium, 1280)
    yield context.new_page()
    context.close()


def inside(page: Page, place: str) -> bool:
    """Whether the focus is in a part of the page."""
    return bool(page.evaluate("place => document.activeElement?.closest(place) !== null", place))


def test_the_menu_of_a_phone_holds_the_focus_until_escape(phone: Page) -> None:
    opener = phone.get_by_role("button", name="Menu")
    expect(phone.locator("#menu")).to_be_hidden()
    opener.focus()
    phone.keyboard.press("Enter")
    expect(phone.locator("#menu")).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(phone.get_by_role("link", name="Close the menu")).to_be_focused()
    for _ in range(60):
        phone.keyboard.press("Tab")
        assert inside(phone, "#menu") or phone.evaluate("document.activeElement === document.body")
    phone.keyboard.press("Escape")
    expect(phone.locator("#menu")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_tap_beside_the_menu_closes_it_and_one_on_a_page_leads_there(phone: Page) -> None:
    phone.get_by_role("button", name="Menu").click()
    phone.mouse.click(370, 400)
    expect(phone.locator("#menu")).to_be_hidden()
    phone.get_by_role("button", name="Menu").click()
    phone.get_by_role("link", name="People").click()
    phone.wait_for_url("**/dashboard/people")
    expect(phone.locator("#menu")).to_be_hidden()


def test_without_a_script_the_menu_the_search_and_the_theme_work_as_well(server: Server, chromium: Browser) -> None:
    context = enter(server, chromium, 390, script=False)
    page = context.new_page()
    page.goto("/dashboard/live")
    page.get_by_role("link", name="Menu", exact=True).click()
    expect(page.locator("#menu")).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/dashboard/live#menu")
    page.get_by_role("link", name="Close the menu").click()
    expect(page.locator("#menu")).to_be_hidden()
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_role("searchbox").fill("countdown")
    page.get_by_role("button", name="Search", exact=True).click()
    page.locator("main").get_by_role("link", name="Countdown").first.click()
    page.wait_for_url("**/countdown*")
    context.close()


def test_a_theme_changes_at_once_and_stays(desktop: Page) -> None:
    desktop.goto("/dashboard/live")
    light = desktop.evaluate("getComputedStyle(document.body).backgroundColor")
    desktop.get_by_role("button", name="Account").click()
    desktop.get_by_role("button", name="Dark").click()
    expect(desktop.locator("html")).to_have_attribute("data-theme", "dark")
    expect(desktop.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert desktop.evaluate("getComputedStyle(document.body).backgroundColor") != light
    answer = desktop.goto("/dashboard/people")
    assert answer is not None
    assert 'data-theme="dark"' in answer.text()


def test_a_folded_group_stays_folded_on_the_next_page(desktop: Page) -> None:
    desktop.goto("/dashboard/live")
    group = desktop.locator('details[data-fold="results"]')
    expect(desktop.get_by_role("link", name="Reports")).to_be_visible()
    group.locator("summary").focus()
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_role("link", name="Reports")).to_be_hidden()
    desktop.goto("/dashboard/people")
    expect(desktop.get_by_role("link", name="Reports")).to_be_hidden()
    desktop.goto("/dashboard/reports")
    expect(desktop.locator(".side").get_by_role("link", name="Reports")).to_be_visible()


def test_a_dialog_takes_the_focus_and_gives_it_back(desktop: Page) -> None:
    desktop.goto("/dashboard/components")
    opener = desktop.get_by_role("button", name="Open a dialog")
    for close in ("Escape", "Cancel", "Close", "beside"):
        opener.focus()
        desktop.keyboard.press("Enter")
        dialog = desktop.get_by_role("dialog", name="Rename the block")
        expect(dialog.get_by_label("Title")).to_be_focused()
        if close == "Escape":
            desktop.keyboard.press("Escape")
        elif close == "beside":
            desktop.mouse.click(20, 20)
        else:
            dialog.get_by_role("button", name=close).click()
        expect(dialog).to_be_hidden()
        if close != "beside":
            expect(opener).to_be_focused()


def test_arrows_walk_a_menu_and_escape_closes_it(desktop: Page) -> None:
    desktop.goto("/dashboard/components")
    opener = desktop.get_by_role("button", name="Menu", exact=True)
    opener.focus()
    desktop.keyboard.press("Enter")
    for key, name in (("ArrowDown", "Rename"), ("ArrowDown", "Duplicate"), ("End", "Delete"), ("ArrowDown", "Rename")):
        desktop.keyboard.press(key)
        expect(desktop.locator("#example-menu").get_by_role("button", name=name)).to_be_focused()
    box, around = desktop.locator("#example-menu").bounding_box(), opener.bounding_box()
    assert box is not None
    assert around is not None
    assert abs(box["y"] - around["y"] - around["height"]) < 20, "the menu is beside its button"
    desktop.keyboard.press("Escape")
    expect(desktop.locator("#example-menu")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_hint_says_its_sentence(desktop: Page) -> None:
    desktop.goto("/dashboard/components")
    desktop.locator('[popovertarget="example-hint"]').click()
    expect(desktop.locator("#example-hint")).to_contain_text("How far back an open counts")


def test_a_toast_can_be_dismissed_and_is_read_out(desktop: Page) -> None:
    desktop.goto("/dashboard/audiences/new")
    with desktop.expect_response("**/dashboard/audiences/tried*"):
        desktop.get_by_label("Title").first.fill("Big spenders")
    expect(desktop.locator("#yaml-side textarea")).to_have_value(re.compile("Big spenders"))
    desktop.get_by_role("button", name="Create audience").click()
    toast = desktop.locator('.toasts[role="status"] .toast')
    expect(toast).to_contain_text("Big spenders was created.")
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)
