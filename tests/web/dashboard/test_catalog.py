"""The catalog's pages: search, one product with its history, and what feeds hold."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.web.dashboard.conftest import client_of
from wetink.core.events.event import Product
from wetink.web.request import now_ms
from wetink.wiring import Wetink

HOUR = 3_600_000
LAMP = Product(sku="L/1", name="Moth <Lamp>", price=129.0, currency="EUR", category="Light", stock=4, brand="Tidewick")


@pytest.fixture
def browser(empty: Wetink) -> Iterator[TestClient]:
    async def fill() -> None:
        await empty.store.catalog.learn([LAMP], now_ms() - 2 * HOUR)
        await empty.store.catalog.learn([Product(sku="L/1", price=99.0, stock=0)], now_ms() - HOUR)
        await empty.store.catalog.learn([Product(sku=f"M{n:02}", name=f"Mug {n}") for n in range(60)], now_ms() - HOUR)
        (empty.settings.content / "feeds").mkdir(exist_ok=True)
        (empty.settings.content / "feeds" / "news.yaml").write_text("file: news.json\nformat: json\npurpose: catalog")
        await empty.look_again()

    asyncio.run(fill())
    with client_of(empty) as client:
        yield client


def test_products_are_found_by_their_words(browser: TestClient) -> None:
    page = browser.get("/dashboard/catalog?q=moth").text
    assert "Moth &lt;Lamp&gt;" in page
    assert "/dashboard/catalog/product?key=L%2F1" in page
    assert "Mug 1" not in page
    assert "No products match" in browser.get("/dashboard/catalog?q=zebra").text


def test_all_products_are_listed_page_by_page(browser: TestClient) -> None:
    first = browser.get("/dashboard/catalog").text
    assert "Mug 48" in first
    assert "Mug 49" not in first
    assert 'href="/dashboard/catalog?after=M48"' in first
    rest = browser.get("/dashboard/catalog?after=M48").text
    assert "Mug 59" in rest
    assert "More products" not in rest


def test_a_products_page_shows_how_its_price_and_stock_went(browser: TestClient) -> None:
    page = browser.get("/dashboard/catalog/product", params={"key": "L/1"}).text
    assert "€99" in page
    assert "€129" in page
    assert "out of stock" in page
    assert page.count("<polyline") == 2
    assert 'class="chip parked">unavailable' in page


def test_feeds_say_how_good_they_are(browser: TestClient) -> None:
    page = browser.get("/dashboard/catalog").text
    assert "news.json" in page
    assert "it has not been fetched yet" in page


def test_an_unknown_product_is_reported(browser: TestClient, nobody_yet: TestClient) -> None:
    assert browser.get("/dashboard/catalog/product?key=zebra").status_code == 404
    assert browser.get("/dashboard/catalog/photo?key=L/1").status_code == 404


def test_an_empty_catalog_says_how_to_fill_it(nobody_yet: TestClient) -> None:
    assert "Add a product feed" in nobody_yet.get("/dashboard/catalog").text
