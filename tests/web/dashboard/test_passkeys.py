"""Passkeys in a real Chromium with its virtual authenticator, by mouse and with keys alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pyotp import TOTP

from tests.serving import Server
from tests.web.dashboard.browsing import fits, tab_to
from tests.web.dashboard.test_every_page import AXE, look
from tests.web.people import PASSWORD, employ
from wetink.web.request import now_ms

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("passkeys") / "data"
    employ(data, "ida", "bob", "cat")
    with Server(data, workers=1) as running:
        yield running


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(reduced_motion="reduce")
    yield context
    context.close()


class Device:
    """A browser with an authenticator of its own."""

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self.address = server.address.replace("127.0.0.1", "localhost")
        self.page: Page = context.new_page()
        self.protocol = context.new_cdp_session(self.page)
        self.protocol.send("WebAuthn.enable")
        self.id = self.protocol.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found = self.protocol.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        return list(found)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def sign_in(self, name: str) -> None:
        self.go("/dashboard/login")
        self.page.get_by_label("Email").fill(f"{name}@shop.example")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def sign_out(self) -> None:
        self.page.goto("about:blank")  # else a request of the page that is left leads to the login page as well
        self.page.context.clear_cookies()

    def add(self, name: str) -> None:
        self.go("/dashboard/settings/security")
        self.page.get_by_label("Name of the new passkey").fill(name)
        self.page.get_by_role("button", name="Add a passkey").click()


def test_a_passkey_signs_in_alone_and_after_the_password(server: Server, context: BrowserContext) -> None:
    device = Device(context, server)
    page = device.page
    device.sign_in("ida")
    page.wait_for_url("**/dashboard")
    device.add("Ida's laptop")
    expect(page.locator("#codes")).to_be_visible()  # recovery codes come with the first factor
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Ida's laptop", exact=True)).to_be_visible()
    assert len(device.credentials()) == 1
    device.add("again")
    expect(page.get_by_text("has a passkey for your account already")).to_be_visible()

    device.sign_out()
    device.go("/dashboard/login?next=/dashboard/blocks")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/dashboard/blocks")

    device.sign_out()
    device.sign_in("ida")
    page.wait_for_url("**/dashboard/login/second")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/dashboard")

    # A copy of the authenticator has an older counter.
    (kept,) = device.credentials()
    device.protocol.send("WebAuthn.clearCredentials", {"authenticatorId": device.id})
    copied = {**kept, "signCount": 0}
    device.protocol.send("WebAuthn.addCredential", {"authenticatorId": device.id, "credential": copied})
    device.sign_out()
    device.go("/dashboard/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("may have been copied")

    # And one that is removed here is no longer known.
    device.protocol.send("WebAuthn.clearCredentials", {"authenticatorId": device.id})
    device.protocol.send(
        "WebAuthn.addCredential", {"authenticatorId": device.id, "credential": {**kept, "signCount": 99}}
    )
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/dashboard")
    device.go("/dashboard/settings/security")
    page.get_by_role("button", name="Remove Ida's laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The passkey was removed")).to_be_visible()
    device.sign_out()
    device.go("/dashboard/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("not known here")


def test_a_passkey_is_added_and_used_with_keys_alone(server: Server, context: BrowserContext) -> None:
    device = Device(context, server)
    page = device.page
    page.set_viewport_size({"width": 390, "height": 844})
    device.go("/dashboard/login")
    tab_to(page, "email$") if not page.get_by_label("Email").evaluate("e => e === document.activeElement") else None
    page.keyboard.type("bob@shop.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard")
    device.go("/dashboard/settings/security")
    tab_to(page, "passkey-name$")
    page.keyboard.type("Bob's phone")
    page.keyboard.press("Enter")
    expect(page.locator("#codes")).to_be_visible()
    tab_to(page, "I have kept them$")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Bob's phone", exact=True)).to_be_visible()
    fits(page)
    device.sign_out()
    device.go("/dashboard/login")
    tab_to(page, "Sign in with a passkey$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard")


def test_without_a_passkey_or_at_another_address_a_page_says_so(server: Server, context: BrowserContext) -> None:
    device = Device(context, server)
    page = device.page
    device.go("/dashboard/login")
    device.protocol.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device.id})
    page.goto(f"{server.address}/dashboard/login")  # by its number, a browser has no passkeys for it
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def found_by_axe(page: Page) -> list[str]:
    """Return what axe finds on a page, in both schemes, narrow and wide."""
    return [f"{page.url} {each}" for width in (360, 1280) for each in look(page, width, whole=True)]


def test_the_steps_of_a_sign_in_are_open_to_everybody(server: Server, chromium: Browser) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    context.add_init_script(AXE)
    device = Device(context, server)
    page = device.page
    device.sign_in("cat")
    page.wait_for_url("**/dashboard")
    device.go("/dashboard/settings/security")
    page.get_by_role("button", name="Set up an app").click()
    page.wait_for_url("**/app?setup=*")
    page.get_by_text("Enter it by hand").click()
    found = found_by_axe(page)
    secret = (page.locator("#secret").text_content() or "").replace(" ", "")
    code = page.get_by_label("Code that the app shows")
    code.fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    found += found_by_axe(page)
    code.fill(TOTP(secret).at(now_ms() // 1_000))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("#codes")).to_be_visible()
    found += found_by_axe(page)
    device.add("Cat's phone")
    expect(page.get_by_text("Cat's phone is added")).to_be_visible()
    found += found_by_axe(page)
    page.get_by_role("button", name="Remove Cat's phone").click()
    found += found_by_axe(page)
    device.sign_out()
    device.sign_in("cat")
    page.wait_for_url("**/dashboard/login/second")
    page.locator("#code").fill("000000")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    found += found_by_axe(page)
    page.locator("#code").fill(TOTP(secret).at(now_ms() // 1_000 + 30))
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard")
    device.go("/dashboard/settings/sign-on/new?kind=okta")
    found += found_by_axe(page)
    device.go("/dashboard/settings/sign-on")
    found += found_by_axe(page)
    context.close()
    assert not found, "\n".join(found)
