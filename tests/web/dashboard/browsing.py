"""What a person does with any page in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.serving import Server

KEYS = 120
"""How often somebody presses Tab at most to get from one thing to the next."""


def signed_in(server: Server, browser: Browser, width: int = 1280) -> Page:
    """A page of a browser of its own, which has used the server's token."""
    page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page.goto(server.sign_in)
    return page


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


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0, f"{page.url} is wider than the screen"


def publish(page: Page) -> None:
    """Review the draft of a page, and publish it, with the keyboard."""
    page.locator("#review").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/review?**")
    expect(page.get_by_role("button", name="Publish")).to_be_enabled()
    tab_to(page, "Publish$")
    page.keyboard.press("Enter")
