"""A walk: somebody new gets from nothing to a snippet in the clipboard, with keys alone, on a phone as on a desktop."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits, publish, tab_to


@pytest.mark.parametrize("width", [390, 1280])
def test_from_nothing_to_a_copied_snippet_with_keys_alone(server: Server, chromium: Browser, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.address)
    page = context.new_page()
    page.goto(server.sign_in)
    if width < 981:
        tab_to(page, "Menu$")
        page.keyboard.press("Enter")
    tab_to(page, "Gallery$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/apps")
    tab_to(page, "Countdown\n")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/apps/countdown")
    fits(page)
    tab_to(page, "title$")
    page.keyboard.press("Control+A")
    page.keyboard.type(f"Hurry {width}")
    tab_to(page, "Create block$")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/dashboard/blocks/hurry-{width}/edit")
    picture = page.locator("#frames .light img")
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    before = picture.get_attribute("src") or ""
    tab_to(page, "v.0.settings.title$")
    page.keyboard.press("Control+A")
    page.keyboard.type("Only today")
    expect(picture).not_to_have_attribute("src", before)
    tab_to(page, "fallback.link$")
    page.keyboard.press("Control+A")
    page.keyboard.type("https://shop.example/sale")
    expect(page.locator("#saved")).to_contain_text("saved")
    expect(page.locator("#problems")).to_have_count(0)
    publish(page)
    page.wait_for_url(f"**/dashboard/blocks/hurry-{width}")
    opened = page.request.get(f"{server.address}/o/hurry-{width}/1.jpg?user=42")
    assert (opened.status, opened.headers["content-type"]) == (200, "image/jpeg")
    tab_to(page, "esp$")
    page.keyboard.type("Braze")
    expect(page.locator("#esp-snippet")).to_contain_text("${user_id}")
    tab_to(page, "Copy$")
    page.keyboard.press("Enter")
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith('<a href="')
    assert f"/o/hurry-{width}/1.gif?user={{{{${{user_id}}" in copied
    context.close()


def test_what_is_wrong_with_a_newer_file_of_a_feed_is_said(server: Server, chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(server.sign_in)
    made = page.request.put(
        f"{server.address}/api/feeds/stores?format=csv",
        data=b"name,city\nHarbor,Oslo\n",
        headers={"authorization": f"Bearer {server.token}"},
    )
    assert made.status == 200, made.text()
    bad = tmp_path / "bad.csv"
    bad.write_text("name,city\nalone\n")
    page.goto(f"{server.address}/dashboard/feeds/stores")
    page.locator('[name="file"]').set_input_files(bad)
    page.get_by_role("button", name="Upload").click()
    page.locator("output.error").wait_for()
    assert "line 2" in page.locator("output").inner_text()
    fits(page)
    context.close()
