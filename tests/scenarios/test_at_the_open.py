"""At the open: prices, stock and ends are those of that moment, and what was promised stays promised."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web import test_open
from tests.web.test_open import JANE, SHOP, House
from wetink.core.events.event import Product
from wetink.core.profile.person import Moment

HOUR = 3_600_000
FALLBACK = f'fallback: {{link: "{SHOP}/", title: Too late}}'
BLOCKS = {
    "seen": f"variants: [{{name: seen, app: last-viewed, settings: {{items: 1}}}}]\n{FALLBACK}",
    "few": f"variants: [{{name: few, app: low-stock}}]\n{FALLBACK}",
    "cart": f"variants: [{{name: c, app: countdown, settings: {{ends: cart, hours: 24}}}}]\n{FALLBACK}",
    "sale": f'variants: [{{name: c, app: countdown, settings: {{ends: at, at: "2026-11-20T00:00"}}}}]\n{FALLBACK}',
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(test_open, "BLOCKS", BLOCKS)
    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())


def learns(house: House, **facts: Any) -> None:
    house.now += 1000
    asyncio.run(house.wetink.store.catalog.learn([Product(sku="mug", **facts)], house.now))


def adds(house: House, sku: str, event: str = "Product Added", **more: Any) -> None:
    house.now += 1000
    house.count += 1
    properties = {"sku": sku, "name": f"The {sku}", "url": f"{SHOP}/{sku}", "price": 9, "quantity": 1, **more}
    house.take({"type": "track", "event": event, "userId": "jane", "messageId": f"a{house.count}",
                "timestamp": house.now, "properties": properties})  # fmt: skip


def end_of(house: House, block: str) -> int | None:
    decision = asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block(block), JANE, Moment(house.now))
    )
    return decision.facts.get("ends_at")


def test_a_price_that_changes_after_the_email_was_sent_is_in_the_next_open(house: House) -> None:
    house.saw("mug", price=20, currency="EUR")
    first = house.get(house.url("picture", "seen")).body
    learns(house, price=15.0)
    assert house.data("seen")["items"][0]["product"]["price"] == 15.0
    assert house.get(house.url("picture", "seen")).body != first
    house.saw("mug", who="somebody", price=12)
    assert house.data("seen")["items"][0]["product"]["price"] == 12.0


def test_what_is_sold_out_by_the_open_is_not_said_to_be_scarce(house: House) -> None:
    house.saw("mug")
    learns(house, stock=3)
    assert [item["key"] for item in house.data("few")["items"]] == ["mug"]
    learns(house, stock=0)
    assert house.data("few")["items"] == []
    learns(house, stock=2)
    assert [item["key"] for item in house.data("few")["items"]] == ["mug"]


def test_a_carts_end_stays_though_more_is_put_into_it_and_a_new_cart_has_a_new_one(house: House) -> None:
    adds(house, "mug")
    first = house.now + 24 * HOUR
    house.get(house.url("picture", "cart"))
    house.now += 3 * HOUR
    adds(house, "lamp")
    house.get(house.url("picture", "cart"))
    assert end_of(house, "cart") == first
    adds(house, "mug", "Product Removed")
    assert end_of(house, "cart") == first
    house.now = first + HOUR
    assert end_of(house, "cart") is None
    adds(house, "tent")
    assert end_of(house, "cart") == house.now + 24 * HOUR, "what was kept is over: a new one begins"
    house.get(house.url("picture", "cart"))
    order = {"order_id": "O", "total": 9, "products": [{"sku": "tent", "price": 9}, {"sku": "lamp", "price": 9}]}
    house.now += HOUR
    house.take({"type": "track", "event": "Order Completed", "userId": "jane", "messageId": "o", "timestamp": house.now,
                "properties": order})  # fmt: skip
    adds(house, "rug")
    assert end_of(house, "cart") == house.now + 24 * HOUR, "after an order it is another cart"


def test_a_fixed_end_that_somebody_was_shown_stays_theirs(house: House) -> None:
    shown = end_of(house, "sale")
    house.get(house.url("picture", "sale"))
    path = house.wetink.settings.content / "blocks" / "sale.yaml"
    path.write_text(path.read_text().replace("2026-11-20", "2026-11-29"))
    asyncio.run(house.wetink.look_again())
    assert end_of(house, "sale") == shown
    path.write_text(path.read_text().replace("ends: at", "promise: longer, ends: at"))
    asyncio.run(house.wetink.look_again())
    assert end_of(house, "sale") == (shown or 0) + 9 * 24 * HOUR, "another word gives another end"
