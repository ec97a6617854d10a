"""The demo page in a real Chromium: look, open, click, log in, open again."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Frame, Page, Route, expect
from rich.console import Console

from wetink.demo.run import fill, prepare, serving
from wetink.demo.shop import BY_SKU
from wetink.settings import Settings

TENT, TEAPOT, LAMP = BY_SKU["TW-606"], BY_SKU["TW-104"], BY_SKU["TW-202"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The demo as `wetink demo` starts it, on a free port, with its two weeks of past."""
    console = Console(quiet=True)
    settings = prepare(tmp_path_factory.mktemp("demo") / "data", "127.0.0.1", 0)
    with serving(settings):
        assert fill(settings, console) > 6_000
        yield settings


@pytest.fixture
def page(demo: Settings, chromium: Browser) -> Iterator[Page]:
    """A new visitor's browser on the demo page; it fails the test for any error and any request that leaves."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    strays: list[str] = []

    def watch(route: Route) -> None:
        if route.request.url.startswith((demo.address, "data:", "blob:")):
            route.continue_()
        else:
            strays.append(route.request.url)
            route.abort()

    context.route("**/*", watch)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{demo.address}/demo")
    expect(page.locator("#opened")).to_contain_text("Opened at")
    yield page
    context.close()
    assert not strays
    assert not errors


def test_a_viewed_product_appears_in_the_email_and_a_click_leads_back_to_it(page: Page, tmp_path: Path) -> None:
    expect(page.locator("#reason")).to_contain_text("the default banner")
    before = _hero(page)
    page.screenshot(path=tmp_path / "1-first.png")

    _look_at(page, TENT.path)
    _open_again(page)
    expect(page.locator("#reason")).to_contain_text(TENT.name)
    after = _hero(page)
    assert before.size == after.size == (1200, 600)
    assert before.tobytes() != after.tobytes()
    page.screenshot(path=tmp_path / "2-looked-at-the-tent.png")

    _shop(page).goto(f"{_origin(page)}/demo/shop")
    _email(page).locator("a").nth(1).click()
    expect(page.frame_locator("#shop").locator(".detail h1")).to_have_text(TENT.name)
    assert _shop(page).url.endswith(TENT.path)


def test_logging_in_brings_anonymous_browsing_into_the_email(page: Page, tmp_path: Path) -> None:
    _look_at(page, TEAPOT.path)
    _log_in(page, "nora@newcomer.example", "Nora")
    expect(page.locator("#to")).to_have_text("nora@newcomer.example")
    expect(page.locator("#reason")).to_contain_text(TEAPOT.name)
    page.screenshot(path=tmp_path / "3-logged-in.png")

    _look_at(page, LAMP.path)
    _open_again(page)
    expect(page.locator("#reason")).to_contain_text(LAMP.name)
    page.screenshot(path=tmp_path / "4-looked-at-a-lamp.png")

    shop = page.frame_locator("#shop")
    shop.get_by_role("button", name="log out").click()
    expect(page.locator("#to")).to_contain_text("an anonymous visitor")
    expect(page.locator("#reason")).to_contain_text("the default banner")


def test_a_cart_is_in_the_email_until_it_is_ordered(page: Page) -> None:
    _look_at(page, LAMP.path)
    shop = page.frame_locator("#shop")
    with page.expect_response(lambda answer: "/v1/t" in answer.url and answer.ok):
        shop.get_by_role("button", name="Add to cart").click()
    expect(page.locator("#news")).to_be_visible()
    _look_at(page, TENT.path)
    _open_again(page)
    expect(page.locator("#reason")).to_contain_text(LAMP.name)

    shop.locator("#bag").click()
    shop.get_by_role("button", name="Complete order").click()
    expect(shop.locator("#many")).to_have_text("0")
    expect(page.locator("#news")).to_have_text("3")
    _open_again(page)
    expect(page.locator("#reason")).to_contain_text(TENT.name)
    expect(page.locator("#reason")).not_to_contain_text(LAMP.name)


def test_the_inboxes_of_the_cast_show_their_stories(page: Page) -> None:
    for name, shown in (
        ("Jane", "Tarn Bottle, Ridge Backpack"),
        ("Bob", "Dusk Table Lamp"),
        ("Carla", "Heron Armchair"),
    ):
        page.get_by_role("button", name=name).click()
        expect(page.locator("#reason")).to_contain_text(shown)
        expect(page.locator("#why")).to_have_attribute("href", f"/dashboard/people/email:{_address(page)}")


def test_the_whole_email_is_drawn_and_the_page_fits_a_phone(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("tab", name="Inbox").click()
    for image in _email(page).locator("img").all():
        assert image.evaluate("image => image.complete && image.naturalWidth") > 300
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert _email(page).evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=tmp_path / "5-phone.png")
    page.get_by_role("tab", name="Shop").press("Enter")
    assert _shop(page).evaluate("document.documentElement.scrollWidth") <= 390


def _look_at(page: Page, path: str) -> None:
    """Go to a product in the shop, wait for the server's answer to Product Viewed and for the inbox to hear of it."""
    heard = page.locator("[data-you]").get_attribute("data-heard") or "0"
    with page.expect_response(lambda answer: "/v1/t" in answer.url and answer.ok):
        _shop(page).goto(f"{_origin(page)}{path}")
    page.wait_for_function("n => Number(document.querySelector('[data-you]').dataset.heard) > n", arg=int(heard))


def _log_in(page: Page, address: str, first: str) -> None:
    shop = page.frame_locator("#shop")
    shop.get_by_role("button", name="Log in").first.click()
    shop.get_by_label("Email").fill(address)
    shop.get_by_label("First name").fill(first)
    shop.locator("#login-form").get_by_role("button", name="Log in").click()
    expect(shop.locator("#account")).to_contain_text(first)


def _open_again(page: Page) -> None:
    before = page.locator("#email").get_attribute("data-opened")
    page.get_by_role("button", name="Open again").click()
    expect(page.locator("#email")).not_to_have_attribute("data-opened", before or "")


def _hero(page: Page) -> Image.Image:
    """The hero's picture as the page loaded it: the pixels of the element, not another open."""
    source = (
        _email(page)
        .locator("img")
        .nth(1)
        .evaluate(
            """image => {
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            canvas.getContext('2d').drawImage(image, 0, 0);
            return canvas.toDataURL('image/png').split(',')[1];
        }"""
        )
    )
    return Image.open(io.BytesIO(base64.b64decode(source)))


def _frame(page: Page, name: str) -> Frame:
    frame = page.frame(name=name)
    assert frame is not None
    return frame


def _shop(page: Page) -> Frame:
    return _frame(page, "shop")


def _email(page: Page) -> Frame:
    return _frame(page, "email")


def _origin(page: Page) -> str:
    return page.url.removesuffix("/demo")


def _address(page: Page) -> str:
    to = page.locator(".box[aria-pressed=true]").get_attribute("data-to")
    assert to is not None
    return to.removeprefix("email:")
