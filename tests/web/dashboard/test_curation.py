"""The catalog by mouse: products are corrected, pinned, hidden and filtered, and files imported with their problems."""

import asyncio
import re
import time

import pytest
from starlette.testclient import TestClient

from wetink.core.events.event import Product
from wetink.web.request import now_ms
from wetink.wiring import Wetink

GOODS = [
    Product(
        sku="M-1", name="Mug", price=9.0, category="Table > Mugs", brand="Tide", image_url="https://a.example/1.jpg"
    ),
    Product(sku="M-2", name="Jug", price=20.0, category="Table", brand="Tide"),
    Product(sku="L-1", name="Lamp", price=90.0, category="Light", brand="Moth", availability="out_of_stock"),
]


@pytest.fixture
def shop(nobody_yet: TestClient, empty: Wetink) -> TestClient:
    asyncio.run(empty.store.catalog.learn(GOODS, now_ms()))
    return nobody_yet


def act(shop: TestClient, do: str, status: int = 303, **fields: str) -> str:
    csrf = re.search(r'name="csrf" value="([^"]*)"', shop.get("/dashboard/catalog/product?key=M-1").text)
    assert csrf is not None
    form = {"csrf": csrf[1], "key": "M-1", "do": do, **fields}
    answer = shop.post("/dashboard/catalog/product", data=form, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return answer.text


def mug(wetink: Wetink) -> Product:
    return asyncio.run(wetink.store.catalog.products(["M-1"]))["M-1"]


def test_a_correction_stands_above_later_data_until_it_is_removed(shop: TestClient, empty: Wetink) -> None:
    act(shop, "save", name="Stoneware mug", price="12.5")
    assert (mug(empty).name, mug(empty).price) == ("Stoneware mug", 12.5)
    asyncio.run(empty.store.catalog.learn([Product(sku="M-1", name="MUG!!", price=8.0)], now_ms() + 1))
    assert (mug(empty).name, mug(empty).price) == ("Stoneware mug", 12.5)
    page = shop.get("/dashboard/catalog/product?key=M-1").text
    assert "Events and feeds say: MUG!!" in page
    assert "2 fields override events and feeds" in page
    assert "By " in page
    [version, *_] = asyncio.run(empty.versions.listed())
    assert version.message == "corrected M-1"
    act(shop, "reset")
    assert (mug(empty).name, mug(empty).price) == ("MUG!!", 8.0)


def test_what_cannot_be_stands_at_its_field_and_changes_nothing(shop: TestClient, empty: Wetink) -> None:
    assert 'id="wrong-price"' in act(shop, "save", 400, price="free")
    assert "Enter a reason" in act(shop, "hide", 400, why=" ")
    assert "unknown change" in act(shop, "explode", 400)
    assert empty.content.curation.products == {}


def test_products_are_pinned_and_hidden_with_their_reason(shop: TestClient, empty: Wetink) -> None:
    act(shop, "pin")
    assert empty.content.curation.pinned == {"M-1"}
    act(shop, "hide", why="recalled")
    assert empty.content.curation.why_hidden("M-1") == "recalled"
    assert [each.key for each in asyncio.run(empty.store.catalog.search("mug"))] == []
    assert "M-1" in shop.get("/dashboard/catalog?word=hidden").text
    act(shop, "show")
    act(shop, "unpin")
    assert empty.content.curation.products == {}


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("category=table", ["M-1", "M-2"]),
        ("brand=moth", ["L-1"]),
        ("availability=out_of_stock", ["L-1"]),
        ("from=10&to=50", ["M-2"]),
        ("photo=without", ["L-1", "M-2"]),
        ("photo=with", ["M-1"]),
        ("sort=price", ["M-1", "M-2", "L-1"]),
        ("sort=-price&category=table", ["M-2", "M-1"]),
        ("sort=name", ["M-2", "L-1", "M-1"]),
        ("q=tide&from=10", ["M-2"]),
        ("word=pinned", []),
        ("from=cheap&sort=odd&photo=maybe", ["L-1", "M-1", "M-2"]),
    ],
)
def test_the_list_is_filtered_and_sorted(shop: TestClient, query: str, keys: list[str]) -> None:
    text = shop.get(f"/dashboard/catalog?{query}").text
    assert re.findall(r'catalog/product\?key=([A-Z]-\d)"', text) == keys


def test_a_file_is_imported_with_its_problems_at_their_lines(shop: TestClient, empty: Wetink) -> None:
    body = b"id,title,price,link\nN-1,Mug,12 EUR,https://shop.example/1\nN-2,Jug,free,https://shop.example/2\n"
    made = shop.put("/dashboard/catalog/file?name=goods.csv", content=body).json()["id"]
    until = time.monotonic() + 10
    while 'hx-trigger="every 1s"' in (text := shop.get(f"/dashboard/catalog/imports/{made}").text):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert "1 product imported" in text
    assert "line 3" in text
    assert shop.put("/dashboard/catalog/file", content=b"hello").status_code == 400
    assert shop.get("/dashboard/catalog/imports/absent").status_code == 404


def test_the_page_shows_an_import_that_runs_in_any_process(shop: TestClient, empty: Wetink) -> None:
    def tell(state: bytes) -> None:
        asyncio.run(empty.store.catalog.keep_progress("elsewhere", state, time.time_ns() // 1_000_000))

    tell(b'{"name":"goods.csv","read":5,"size":9}')
    assert "Reading goods.csv" in shop.get("/dashboard/catalog").text
    tell(b'{"name":"goods.csv","read":9,"size":9,"done":true,"products":3}')
    assert "goods.csv" not in shop.get("/dashboard/catalog").text
