"""Pages in a real browser on bad days: two clicks, no network, a click elsewhere, a long paste, a missing picture."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Dialog, Page, Route, expect

from tests.serving import Server
from tests.web.dashboard.browsing import signed_in


@pytest.fixture
def page(server: Server, chromium: Browser) -> Iterator[Page]:
    made = signed_in(server, chromium)
    yield made
    made.close()


@pytest.fixture
def wire(page: Page) -> CDPSession:
    made = page.context.new_cdp_session(page)
    made.send("Network.enable")
    return made


def network(session: CDPSession, latency: int, *, offline: bool = False) -> None:
    """Make the network of a page slow or lost."""
    rates = {"downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {"offline": offline, "latency": latency, **rates})


def test_a_second_click_on_a_slow_network_does_not_lose_the_key_shown_once(
    server: Server, page: Page, wire: CDPSession
) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(f"{server.address}/dashboard/sources")
    page.fill("#name", "shop-backend")
    network(wire, 1_500)
    button = page.get_by_role("button", name="Create source")
    busy = button.evaluate("""async at => {
        const pause = () => new Promise(done => setTimeout(done, 100));
        at.click();
        await pause();
        at.click();
        await pause();
        return at.ariaBusy;
    }""")
    assert busy == "true"
    expect(page.locator("h1")).to_contain_text("shop-backend", timeout=15_000)
    expect(page.get_by_text("Copy it now")).to_be_visible()
    assert len(sent) == 1


def test_without_a_connection_a_form_stays_as_it_is(server: Server, page: Page, wire: CDPSession) -> None:
    page.goto(f"{server.address}/dashboard/sources")
    page.fill("#name", "shop-app")
    network(wire, 0, offline=True)
    page.get_by_role("button", name="Create source").click()
    expect(page.locator(".toast")).to_contain_text("You are offline")
    expect(page.locator("#name")).to_have_value("shop-app")
    network(wire, 0)
    page.get_by_role("button", name="Create source").click()
    expect(page.locator("h1")).to_contain_text("shop-app")


def test_a_click_elsewhere_asks_before_it_drops_unsaved_changes(server: Server, page: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(f"{server.address}/dashboard/settings")
    field = page.get_by_label("Currency of reports")
    field.click()
    page.keyboard.type("EUR")
    page.get_by_role("link", name="People", exact=True).click(no_wait_after=True)
    expect(field).to_have_value("EUR")
    assert asked == ["beforeunload"]
    page.locator(".savebar button, form[action$='/signals'] button").last.click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    page.get_by_role("link", name="People", exact=True).click()
    page.wait_for_url("**/dashboard/people")
    assert asked == ["beforeunload"]


def test_a_paste_that_is_cut_is_said(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/dashboard/blocks/new")
    page.evaluate("""() => {
        const data = new DataTransfer();
        data.setData("text", "x".repeat(10000));
        const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
        document.querySelector("#title").dispatchEvent(event);
    }""")
    expect(page.locator(".toast")).to_contain_text("of 10,000 characters fit")


def test_a_picture_that_does_not_come_is_asked_for_again_and_then_shown_as_missing(server: Server, page: Page) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503)

    page.route("**/dashboard/apps/countdown.img", refuse)
    page.goto(f"{server.address}/dashboard/apps")
    picture = page.get_by_alt_text("Preview of Countdown", exact=True)
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_class("missing", timeout=20_000)
    assert len(asked) == 2
    page.unroute("**/dashboard/apps/countdown.img")
