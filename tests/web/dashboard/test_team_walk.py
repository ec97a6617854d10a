"""A walk of the team in a real browser: an owner invites, somebody joins on a phone, and roles have their limits."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits, tab_to
from tests.web.dashboard.test_every_page import AXE, RUN, TAGS
from wetink.settings import read
from wetink.wiring import Wetink

PASSWORD = "copper lantern walks north"


@pytest.fixture
def ida(server: Server, data: Path) -> None:
    """An owner, if there is none yet."""

    async def make() -> None:
        async with Wetink(read({}, data=data), draws=False) as wetink:
            if not await wetink.team.has_owner():
                await wetink.team.found("ida@shop.example", "Ida Wells", PASSWORD)

    with ThreadPoolExecutor(1) as thread:  # the browser has a loop in this one
        thread.submit(asyncio.run, make()).result()


def of_width(chromium: Browser, width: int) -> BrowserContext:
    return chromium.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce")


def test_a_team_from_the_first_owner_to_a_viewer_on_a_phone(server: Server, chromium: Browser) -> None:
    office, phone = of_width(chromium, 1280), of_width(chromium, 390)
    page = office.new_page()
    page.goto(server.sign_in)
    page.goto(f"{server.address}/dashboard/settings/team")
    page.get_by_label("Your email").fill("ida@shop.example")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("Ida Wells")
    page.get_by_label("Password").fill("password1")
    page.get_by_role("button", name="Make account").click()
    expect(page.locator("#wrong-password")).to_contain_text("easy to guess")
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make account").click()
    expect(page.get_by_role("button", name="Ida Wells")).to_be_visible()

    page.goto(f"{server.address}/dashboard/settings/team")
    page.get_by_role("button", name="Invite somebody").click()
    invite = page.get_by_role("dialog")
    invite.get_by_label("Email").fill("ida@shop.example")
    invite.get_by_role("button", name="Make invitation").click()
    expect(page.get_by_role("dialog")).to_contain_text("is in the team already")
    page.get_by_role("dialog").get_by_label("Email").fill("bob@shop.example")
    page.get_by_role("dialog").get_by_label("Role").select_option("viewer")
    page.get_by_role("dialog").get_by_role("button", name="Make invitation").click()
    link = page.locator("#link").inner_text()

    bob = phone.new_page()
    bob.goto(link)
    fits(bob)
    bob.get_by_label("Name").fill("Bob")
    bob.get_by_label("Password").fill(PASSWORD)
    bob.get_by_role("button", name="Join and sign in").click()
    bob.wait_for_url("**/dashboard")
    bob.goto(link)
    expect(bob.get_by_role("heading")).to_contain_text("This invitation was already used")
    for name in ("team", "tokens", "audit"):
        bob.goto(f"{server.address}/dashboard/settings/{name}")
        expect(bob.get_by_role("heading", name="Not allowed")).to_be_visible()
    bob.goto(f"{server.address}/dashboard/settings/security")
    fits(bob)
    expect(bob.get_by_text("this browser")).to_be_visible()
    for name in ("team", "security", "tokens", "audit"):
        page.goto(f"{server.address}/dashboard/settings/{name}")
        for width in (1280, 820, 360):
            page.set_viewport_size({"width": width, "height": 844})
            fits(page)
    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(f"{server.address}/dashboard/settings/audit")
    expect(page.get_by_role("table")).to_contain_text("invited as viewer bob@shop.example")

    page.goto(f"{server.address}/dashboard/settings/team")
    page.get_by_label("Role of Bob").select_option("developer")
    page.locator("li", has_text="Bob").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Bob: changed the role to developer.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Bob: changed the role to viewer.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Bob: changed the role to developer.")).to_be_visible()
    bob.goto(f"{server.address}/dashboard/settings/tokens")
    expect(bob.get_by_role("heading", name="API tokens")).to_be_visible()
    office.close()
    phone.close()


def test_a_session_that_ends_in_the_middle_loses_nothing(server: Server, ida: None, chromium: Browser) -> None:
    context, elsewhere = of_width(chromium, 1280), of_width(chromium, 1280)
    page = signed_in(server, context)
    page.goto(f"{server.address}/dashboard/settings/security")
    page.get_by_label("Your name").fill("Ida B. Wells")
    other = signed_in(server, elsewhere)
    other.goto(f"{server.address}/dashboard/settings/security")
    other.get_by_role("button", name="Sign out everywhere else").click()
    expect(other.get_by_text("All other browsers were signed out.")).to_be_visible()
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="Your session ended")).to_be_visible()
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    enter(opened.value)
    expect(opened.value.get_by_role("heading", name="You are signed in again")).to_be_visible()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.get_by_role("button", name="Save my changes").click()
    expect(page.get_by_role("button", name="Ida B. Wells")).to_be_visible()

    other.goto(f"{server.address}/dashboard/settings/security")
    other.get_by_role("button", name="Sign out everywhere else").click()
    page.get_by_label("Your name").fill("Ida Wells")
    page.evaluate("fetch('/dashboard/settings/security/name', {method: 'POST'})")  # as an editor's script does
    asked = page.get_by_role("dialog", name="Your session ended")
    expect(asked).to_be_visible()
    with context.expect_page() as opened:
        asked.get_by_role("link", name="Sign in").click()
    enter(opened.value)
    expect(opened.value.get_by_role("heading", name="You are signed in again")).to_be_visible()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(asked).to_be_hidden()
    expect(page.get_by_label("Your name")).to_have_value("Ida Wells")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("button", name="Ida Wells")).to_be_visible()
    context.close()
    elsewhere.close()


def test_a_token_is_made_and_revoked_with_keys_alone(server: Server, ida: None, chromium: Browser) -> None:
    context = of_width(chromium, 1280)
    page = signed_in(server, context)
    page.goto(f"{server.address}/dashboard/settings/tokens")
    tab_to(page, "New token$")
    page.keyboard.press("Enter")
    tab_to(page, "name$")
    page.keyboard.type("deploy")
    tab_to(page, "scopes$")
    page.keyboard.press("Space")
    tab_to(page, "Make token$")
    page.keyboard.press("Enter")
    expect(page.locator("#token-made")).to_contain_text("wetink_")
    tab_to(page, "Revoke$")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    tab_to(page, "Revoke$")
    page.keyboard.press("Enter")
    expect(page.get_by_text("deploy no longer works.")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_a_team_with_members_are_open_to_everybody(
    server: Server, ida: None, chromium: Browser, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    context.add_init_script(AXE)
    page = signed_in(server, context)
    for path in (
        "settings/team",
        "settings/security",
        "settings/tokens",
        "settings/audit",
        "settings/security/confirm",
    ):
        page.goto(f"{server.address}/dashboard/{path}")
        assert page.evaluate(RUN, [[], {"runOnly": TAGS}]) == [], path
    for opens in ("Invite somebody", "More for Ida"):
        page.goto(f"{server.address}/dashboard/settings/team")
        page.get_by_role("button", name=opens).click()
        assert page.evaluate(RUN, [[], {"runOnly": TAGS}]) == [], opens
    context.close()


def signed_in(server: Server, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(f"{server.address}/dashboard/login")
    enter(page)
    page.wait_for_url("**/dashboard")
    return page


def enter(page: Page) -> None:
    page.get_by_label("Email").fill("ida@shop.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
