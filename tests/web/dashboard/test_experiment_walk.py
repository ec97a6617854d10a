"""An experiment in a real browser: made by mouse, started by publishing it, and won with keys alone on a phone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import Server
from tests.web.dashboard.browsing import fits, signed_in

BLOCK = (
    "title: Hero\nfallback: {link: 'https://shop.example/'}\nvariants:\n"
    "- {name: warm, app: last-viewed}\n- {name: plain, app: wishlist}\n- {name: rest, app: trending}\n"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiment") / "data"
    (folder / "content" / "blocks").mkdir(parents=True)
    for name in ("own", "three"):
        (folder / "content" / "blocks" / f"{name}.yaml").write_text(BLOCK)
    return folder


def test_an_experiment_is_made_by_mouse_and_ended_by_keys(server: Server, chromium: Browser) -> None:
    page = signed_in(server, chromium, 1280)
    page.goto(f"{server.address}/dashboard/blocks/own")
    page.get_by_role("link", name="Experiment", exact=True).click()
    page.get_by_label("rest").select_option("All groups")
    time = page.locator("#time")
    expect(time).to_contain_text("Nobody has opened this block")
    page.get_by_label("plain").select_option("All groups")
    expect(time).to_contain_text("Choose at least two groups")
    page.get_by_role("button", name="Save and review").click()
    expect(page.locator("#wrong-groups")).to_contain_text("put variants into at least two groups")
    page.get_by_label("plain").select_option("Group 2")
    page.get_by_role("textbox", name="Name", exact=True).fill("Warm or plain")
    page.get_by_role("button", name="Save and review").click()
    page.get_by_role("button", name=re.compile("^Publish")).click()
    page.goto(f"{server.address}/dashboard/blocks/own/experiment")
    expect(page.locator("main")).to_contain_text("Running")
    page.context.close()
    phone = signed_in(server, chromium, 390)
    phone.goto(f"{server.address}/dashboard/blocks/own/experiment")
    phone.get_by_label("No winner").focus()
    phone.keyboard.press("ArrowDown")
    assert phone.evaluate("document.activeElement.value") == "warm"
    phone.keyboard.press("Tab")
    fits(phone)
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/dashboard/review*")
    expect(phone.locator("main")).to_contain_text("plain")
    phone.get_by_role("button", name=re.compile("^Publish")).press("Enter")
    phone.goto(f"{server.address}/dashboard/blocks/own/experiment")
    expect(phone.get_by_label("plain")).to_have_count(0)
    expect(phone.get_by_label("rest")).to_be_visible()
    phone.context.close()


def test_groups_of_several_variants_are_made_by_mouse_and_one_wins(server: Server, chromium: Browser) -> None:
    page = signed_in(server, chromium, 1280)
    address = f"{server.address}/dashboard/blocks/three/experiment"
    page.goto(address)
    second = page.get_by_role("textbox", name="Group 2")
    expect(second).to_be_visible()
    page.get_by_label("plain").select_option("Group 1")
    expect(second).to_be_hidden()
    expect(page.get_by_role("textbox", name="Group 1")).to_have_attribute("placeholder", "warm + plain")
    page.get_by_role("textbox", name="Group 3").fill("Trends")
    page.get_by_label("People for each").select_option("Shares of your own")
    page.get_by_label("Share of group 1").fill("70")
    page.get_by_role("button", name="Save and review").click()
    expect(page.locator("#wrong-share-3")).to_have_text("enter a share, such as 50%")
    page.get_by_label("Share of group 3").fill("30")
    page.get_by_role("button", name="Save and review").click()
    expect(page.locator("main")).to_contain_text("warm + plain")
    page.get_by_role("button", name=re.compile("^Publish")).click()
    page.goto(address)
    page.get_by_label("warm + plain").check()
    page.get_by_role("button", name="Stop the experiment").click()
    page.get_by_role("button", name=re.compile("^Publish")).click()
    page.goto(f"{server.address}/dashboard/blocks/three")
    expect(page.locator(".variants strong")).to_have_text(["warm", "plain", "Fallback"])
    page.context.close()
