"""First run: somebody without a terminal gets from nothing to a test open that arrives, by mouse and by keys."""

import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.feeds.outside import Outside, outside, sends
from tests.serving import Server
from tests.web.dashboard.browsing import fits, publish, signed_in, tab_to

FIVE_MINUTES = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def there() -> Iterator[Outside]:
    with outside() as made:
        yield made


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    port = free_port()
    with Server(data, workers=1, port=port, settings={"private_hosts": f"127.0.0.1:{port}"}) as running:
        yield running


def test_from_sample_data_to_an_open_that_arrives_on_a_phone_with_keys_alone(server: Server, chromium: Browser) -> None:
    began = time.monotonic()
    page = signed_in(server, chromium, 390)
    page.goto(f"{server.address}/dashboard")
    expect(page.locator("h1")).to_have_text("First steps")
    tab_to(page, "Bring sample data$")
    page.keyboard.press("Enter")
    expect(page.locator("#connect .panel")).to_contain_text("ada@sample.invalid")
    fits(page)
    tab_to(page, "public_url$")
    page.keyboard.press("Enter")
    expect(page.locator("#address")).to_contain_text("done")
    tab_to(page, "Choose from the gallery$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/apps")
    tab_to(page, "Trending")
    page.keyboard.press("Enter")
    page.wait_for_url("**/apps/trending")
    tab_to(page, "Create block$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit")
    page.fill("[name='fallback.link']", "https://shop.example/")
    expect(page.locator("#problems")).to_have_count(0)
    publish(page)
    page.wait_for_url("**/dashboard/blocks/trending")
    snippet = page.locator("#esp-snippet")
    expect(snippet).to_contain_text(f"{server.address}/o/")
    found = re.search(r'src="([^"?]+)\?(user|email)=', snippet.inner_text())
    assert found is not None
    url = f"{found[1]}?{found[2]}={ {'user': 'ada', 'email': 'ada%40sample.invalid'}[found[2]] }"
    page.goto(f"{server.address}/dashboard/start")
    expect(page.locator("#open")).to_contain_text("Waiting for your test open")
    agent = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=agent)) as answer:
        assert answer.headers["content-type"].startswith("image/")
    expect(page.locator("#opened")).to_contain_text("Got it", timeout=10_000)
    fits(page)
    assert time.monotonic() - began < FIVE_MINUTES
    page.goto(f"{server.address}/dashboard")
    expect(page.locator(".checklist")).to_have_count(0)
    page.goto(f"{server.address}/dashboard/start")
    page.click("text=Remove the sample data")
    expect(page.locator("#connect")).to_contain_text("Bring sample data")
    page.close()


def test_a_website_is_connected_by_mouse_and_its_first_event_seen(
    server: Server, chromium: Browser, there: Outside
) -> None:
    page = signed_in(server, chromium, 1280)
    page.goto(f"{server.address}/dashboard/start")
    page.click("button[value=snippet]")
    expect(page.locator("#waiting")).to_contain_text("Waiting for your first event")
    there.reply = sends(f"<title>Mugs</title>{page.locator('#code').inner_text()}".encode(), content_type="text/html")
    shop = chromium.new_page()
    shop.goto(f"http://{there.host}/")
    expect(page.locator("#waiting")).to_contain_text("Got it", timeout=15_000)
    shop.close()
    page.click("text=Next step")
    expect(page.locator("#connect")).to_contain_text("website")
    page.goto(f"{server.address}/dashboard")
    expect(page.locator(".checklist")).to_contain_text("1 of 4 done")
    page.click(".checklist >> text=Dismiss")
    expect(page.locator(".checklist")).to_have_count(0)
    page.close()
