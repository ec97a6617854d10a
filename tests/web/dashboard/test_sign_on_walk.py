"""Single sign-on by mouse in a real Chromium: an owner adds a provider, and somebody of the company comes in."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from bench.program import free_port
from tests.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.serving import Server
from tests.web.people import PASSWORD, employ


def test_an_owner_adds_a_provider_and_somebody_comes_in_through_it(tmp_path: Path, chromium: Browser) -> None:
    data, port = tmp_path / "data", free_port()
    employ(data, "ida")
    with IdentityProvider(f"http://127.0.0.1:{port}/dashboard/login/back") as provider:
        allowed = {"private_hosts": f"127.0.0.1:{provider.port}"}
        with Server(data, workers=1, port=port, settings=allowed) as server:
            _add(chromium, server, provider)
            _come_in(chromium, server)


def _add(chromium: Browser, server: Server, provider: IdentityProvider) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.address}/dashboard/login")
    page.get_by_label("Email").fill("ida@shop.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard")
    page.goto(f"{server.address}/dashboard/settings/sign-on")
    page.get_by_role("button", name="Add a provider").click()
    page.get_by_role("link", name="Okta").click()
    expect(page.locator("#callback")).to_have_text(f"{server.address}/dashboard/login/back")
    page.get_by_label("Client ID").fill(CLIENT)
    page.get_by_label("Client secret").fill(SECRET)
    page.get_by_label("Domains").fill("shop.example")
    page.get_by_label("Groups and roles").fill("mail = editor")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Replace the word in capitals")).to_be_visible()
    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_label("Client secret").fill(SECRET)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("People can sign in with Okta.")).to_be_visible()
    context.close()


def _come_in(chromium: Browser, server: Server) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.address}/dashboard/blocks")
    page.get_by_role("link", name="Continue with Okta").click()
    page.locator("input[name=login]").fill("bob+mail@shop.example")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/dashboard/blocks")
    page.goto(f"{server.address}/dashboard/settings/security")
    expect(page.get_by_text("bob+mail@shop.example")).to_be_visible()
    expect(page.get_by_role("heading", name="Single sign-on")).to_be_visible()
    context.close()
