"""A walk: somebody new gets from nothing to a snippet in the clipboard, with keys alone, on a phone as on a desktop."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import Server

KEYS = 60
"""How often somebody presses Tab at most to get from one thing to the next."""
PATIENCE_MS = 600
"""Longer than the page waits after a key before it draws what the form says."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with Server(data, workers=1) as running:
        yield running


def focused(page: Page) -> str:
    """What has the focus: its words, else its name."""
    return str(page.evaluate("(at => at.name || at.innerText || at.ariaLabel || '')(document.activeElement)")).strip()


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until something has the focus, which must be seen to have it."""
    for _ in range(KEYS):
        page.keyboard.press("Tab")
        if re.match(wanted, focused(page)):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that {wanted} has the focus"
            return
    raise AssertionError(f"no way to {wanted} with the Tab key")


@pytest.mark.parametrize("width", [390, 1280])
def test_from_nothing_to_a_copied_snippet_with_keys_alone(
    server: Server, chromium: Browser, data: Path, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.address)
    page = context.new_page()
    token = (data / "dashboard.token").read_text().strip()
    page.goto(f"{server.address}/dashboard/login?token={token}")
    if width < 981:
        tab_to(page, "Menu$")
        page.keyboard.press("Enter")
    tab_to(page, "Gallery$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/apps")
    tab_to(page, "Countdown\n")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/apps/countdown")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, "the page is wider than the screen"
    picture = page.locator("#tried img")
    before = picture.get_attribute("src") or ""
    tab_to(page, "title$")
    page.keyboard.type("Hurry up")
    expect(picture).not_to_have_attribute("src", before)
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    tab_to(page, "fallback-link$")
    page.keyboard.press("Control+A")
    page.keyboard.type("https://shop.example/sale")
    tab_to(page, "Create block$")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.keyboard.press("Shift")
    page.wait_for_timeout(PATIENCE_MS)
    assert not posted, "a key on the button is no press of it"
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.keyboard.press("Enter")
    answered.value.finished()
    page.wait_for_load_state()
    said = page.locator("main").inner_text()
    assert answered.value.status == 200, said
    made = page.locator("main").get_by_role("status").inner_text().partition(" is live")[0].split()[-1]
    assert made.startswith("countdown"), said
    tab_to(page, "esp$")
    page.keyboard.type("Braze")
    expect(page.locator("#esp-snippet")).to_contain_text("${user_id}")
    tab_to(page, "Copy$")
    page.keyboard.press("Enter")
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith('<a href="')
    assert f"/o/{made}/1.gif?user={{{{${{user_id}}" in copied
    assert len(posted) == 1
    context.close()


def test_what_is_pasted_into_the_gallery_refreshes_the_preview(server: Server, chromium: Browser, data: Path) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    token = (data / "dashboard.token").read_text().strip()
    page.goto(f"{server.address}/dashboard/login?token={token}")
    page.goto(f"{server.address}/dashboard/apps/countdown")
    shown = page.locator("#tried")

    def paste(name: str, text: str) -> None:
        field = page.locator(f'[name="{name}"]')
        field.focus()
        page.keyboard.press("Control+A")
        with page.expect_response(lambda response: "/tried?" in response.url):
            # As a paste by mouse: an input event, no key in the field, and the focus stays.
            field.evaluate("(field, text) => document.execCommand('insertText', false, text)", text)

    paste("title", "Ends tonight")
    expect(shown.locator("img")).to_have_attribute("src", re.compile("title=Ends\\+tonight"))
    paste("who", "user:nobody-yet")
    expect(shown).to_contain_text("user:nobody-yet")
    paste("zone", "Europe/Berln")
    error, zone = page.locator("#wrong-zone"), page.locator('[name="zone"]')
    expect(error).to_contain_text("did you mean Europe/Berlin?")
    expect(zone).to_have_attribute("aria-invalid", "true")
    expect(shown).to_contain_text("Correct Zone to see the picture.")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    paste("zone", "Europe/Berlin")
    expect(error).to_be_empty()
    expect(zone).not_to_have_attribute("aria-invalid", "true")
    context.close()


def test_a_file_is_uploaded_and_what_is_wrong_with_another_is_said(
    server: Server, chromium: Browser, data: Path, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    token = (data / "dashboard.token").read_text().strip()
    page.goto(f"{server.address}/dashboard/login?token={token}")
    page.goto(f"{server.address}/dashboard/feeds")
    good, bad = tmp_path / "stores.csv", tmp_path / "bad.csv"
    good.write_text("name,city\nHarbor,Oslo\n")
    bad.write_text("name,city\nalone\n")
    page.get_by_label("Name").fill("stores")
    page.get_by_label("File").set_input_files(good)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/dashboard/feeds/stores")
    page.get_by_role("cell", name="Oslo").wait_for()
    page.locator("#file").set_input_files(bad)
    page.get_by_role("button", name="Upload").click()
    page.locator("output.error").wait_for()
    assert "line 2" in page.locator("output").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    context.close()
