"""T6: a click leads where the decision says, to the shop, for a parser as for a browser: no address can bend it.

Each attack is made with the defence taken out, too: then most of these targets must lead a browser away.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Route

from tests.asgi import ask
from tests.browser import chromium
from tests.web.test_open import JANE, SHOP, House
from wetink.core.events import ecommerce
from wetink.core.identity.identifier import Identifier
from wetink.core.units.quantity import text

TARGETS = (
    # Whole addresses of others
    "https://evil.example/",
    "http://evil.example",
    "HTTPS://EVIL.EXAMPLE/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "https:\\\\evil.example",
    # Such as look like the shop's
    "https://shop.example.evil.example/",
    "https://shop.example@evil.example/",
    "https://shop.example:443@evil.example/",
    "https://shop.example%40evil.example/",
    "https://evil.example#@shop.example/",
    "https://evil.example?shop.example/",
    "https://evil.example\\@shop.example/",
    "https://evil.example\\.shop.example/",
    "https://evil.example;.shop.example/",
    "https://evil.example/.shop.example",
    "https://evilshop.example/",
    "https://shop.example.",
    "https://evil\u3002example/",
    "https://evil.example\uff0f.shop.example/",
    "https://evil.example\uff03.shop.example/",
    "https://\u24d4vil.example/",
    "https://xn--evil-.example/",
    # White space and control characters
    " https://evil.example/",
    "\thttps://evil.example/",
    "https://evil.example/\r\nSet-Cookie: a=b",
    "https://shop.example/\r\nLocation: https://evil.example/",
    "https://shop.example/\nLocation: https://evil.example/",
    "ht\ttps://evil.example/",
    "https://ev\til.example/",
    "https://shop.example\x00.evil.example/",
    "https://shop.example/\x7f",
    # What is no address of a page
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://evil.example/x",
    "intent://evil.example#Intent;scheme=https;end",
    "mailto:evil@evil.example",
    # Addresses as numbers, and ports
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "https://shop.example:0/",
    "https://shop.example:99999/",
    "https://shop.example:80:443/",
    "https://user:pass@shop.example/",
)


def clicks(house: House) -> list[str]:
    """Where a click leads for people of whom each has last viewed a product with one of the targets."""

    async def run() -> list[str]:
        found = []
        for number in range(len(TARGETS)):
            token = house.wetink.seals.seal(Identifier("user", f"v{number}"), "hero", "click")
            answer = await ask(house.door, "GET", f"/c/hero/1/{token}")
            assert answer.status == 302
            found.append(answer.headers["location"])
        return found

    for number, target in enumerate(TARGETS):
        house.saw(f"bait-{number}", who=f"v{number}", url=target)
    return asyncio.run(run())


def of_the_shop(location: str) -> bool:
    parts = urlsplit(location)
    return parts.scheme == "https" and parts.netloc == "shop.example"


ORIGIN = """all => all.map(each => {
    try { const url = new URL(each, "https://open.shop.example/c/hero/1/x"); return url.protocol + url.host; }
    catch { return "nowhere"; }
})"""


def aside(work: Callable[[Browser], list[str]]) -> list[str]:
    """Do something with a real browser, in a thread: its driver holds an event loop, and the house starts others."""

    def run() -> list[str]:
        with chromium() as browser:
            return work(browser)

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run).result()


def in_a_browser(locations: list[str]) -> list[str]:
    """The origins that a browser on our click's address would go to."""
    return aside(lambda browser: list(browser.new_page().evaluate(ORIGIN, locations)))


def test_no_target_of_an_event_leads_away_from_the_shop(house: House) -> None:
    locations = clicks(house)
    assert len(locations) == len(TARGETS) >= 38
    for target, location in zip(TARGETS, locations, strict=True):
        assert of_the_shop(location), (target, location)
        assert location.isascii()
        assert "\r" not in location
        assert "\n" not in location
    assert set(in_a_browser(locations)) == {"https:shop.example"}


def test_without_the_host_check_most_targets_lead_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.wetink.opens, "_allowed", lambda url: True)
    for field in ("url", "image_url"):  # reading an address is a defence, too: only what can be one is kept
        monkeypatch.setitem(ecommerce._PRODUCT, field, (field, text, True))
    origins = in_a_browser(clicks(house))
    astray = [origin for origin in origins if origin not in ("https:shop.example", "https:open.shop.example")]
    assert len(astray) > len(TARGETS) // 2
    assert "https:evil.example" in astray
    assert "javascript:" in astray


@pytest.mark.parametrize("name", ["to", "url", "u", "next", "redirect", "link", "target", "r", "c", "lang"])
def test_nothing_in_a_clicks_own_address_says_where_it_leads(house: House, name: str) -> None:
    house.saw("mug")
    usual = f"{SHOP}/mug"
    for target in TARGETS[:12]:
        path = house.url("click", "hero")
        for asked in (f"{path}?{name}={quote(target)}", f"{path}/{quote(target, safe='')}", f"{path}#{target}"):
            location = house.get(asked).headers["location"]
            assert location in (usual, f"{SHOP}/"), asked


def test_a_real_browser_that_follows_clicks_never_leaves_the_shop(house: House) -> None:
    locations = clicks(house)

    def followed(browser: Browser) -> list[str]:
        context, asked = browser.new_context(), list[str]()

        def answer(route: Route) -> None:
            asked.append(route.request.url)
            route.fulfill(body="here")

        context.route("**/*", answer)
        page = context.new_page()
        for location in dict.fromkeys(locations):
            page.goto(location)
        return asked

    asked = aside(followed)
    assert asked
    assert {urlsplit(url).netloc for url in asked} == {"shop.example"}


def test_tags_and_campaigns_cannot_change_where_a_click_leads(house: House) -> None:
    path = house.wetink.settings.data / "content" / "blocks" / "hero.yaml"
    path.write_text(path.read_text() + 'utm: {utm_campaign: "{campaign}"}\n')
    asyncio.run(house.wetink.look_again())
    house.saw("mug", who=JANE.value)
    for campaign in ("@evil.example", "//evil.example", "a\r\nLocation: x", "#@evil.example", "&to=//evil.example"):
        location = house.get(f"{house.url('click', 'hero')}?c={quote(campaign)}").headers["location"]
        assert location.startswith(f"{SHOP}/mug?utm_campaign=")
        assert of_the_shop(location)
