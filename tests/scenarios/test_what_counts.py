"""What an open, a click and an order count for, and what a browser's key can bring into an email."""

import asyncio
from typing import Any, NamedTuple

import pytest

from tests.web.test_open import SHOP, House
from wetink.core.identity.identifier import Identifier

EMAIL = Identifier("email", "jane@shop.example")


class Figures(NamedTuple):
    """What a block did."""

    opens: int
    clicks: int
    orders: float
    revenue: dict[str, float]


def results(house: House) -> dict[str, Figures]:
    lines = asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
    return {str(each.key["block"]): Figures(each.opens, each.clicks, each.orders, each.revenue) for each in lines}


def order(house: House, order_id: str, source: str = "shop", **more: Any) -> None:
    house.now += 1000
    bought = {"sku": "mug", "name": "The mug", "price": 20}
    properties = {"order_id": order_id, "total": 20, "currency": "EUR", "products": [bought], **more}
    who = properties.pop("userId", "jane")
    house.take(
        {"type": "track", "event": "Order Completed", "userId": who, "messageId": order_id,
         "timestamp": house.now, "properties": properties},
        source,
    )  # fmt: skip


def test_orders_are_credited_to_the_last_click_before_them_else_to_the_last_open(house: House) -> None:
    house.saw("mug")
    order(house, "before anything")
    house.saw("lamp")
    house.get(house.url("picture", "hero"))
    order(house, "after an open")
    house.now += 1000
    house.get(house.url("picture", "cards"))
    house.get(house.url("click", "cards"))
    house.now += 1000
    house.get(house.url("picture", "hello"))
    order(house, "after a click", total=30)
    order(house, "after a click", total=30)  # sent again
    counted = results(house)
    assert counted["hero"] == (1, 0, 1, {"EUR": 20.0})
    assert counted["cards"] == (1, 1, 1, {"EUR": 30.0})
    assert counted["hello"] == (1, 0, 0, {})


def test_blocks_that_are_opened_together_share_an_order_and_a_fallback_gets_nothing(house: House) -> None:
    blocks = house.wetink.settings.data / "content" / "blocks"
    (blocks / "zzz-empty.yaml").write_text('fallback: {link: "https://shop.example/", title: Come in}')
    (blocks / "zoo.yaml").write_text((blocks / "hero.yaml").read_text())
    asyncio.run(house.wetink.look_again())
    house.saw("mug")
    house.saw("lamp")
    for block in ("hero", "hello", "zoo", "zzz-empty"):  # as a mail program fetches them
        house.get(house.url("picture", block))
        house.now += 40
    order(house, "O", total=10)
    assert {name: (each.orders, each.revenue) for name, each in results(house).items() if each.orders} == {
        "hello": (pytest.approx(1 / 3), {"EUR": pytest.approx(3.33, abs=0.011)}),
        "hero": (pytest.approx(1 / 3), {"EUR": pytest.approx(3.33, abs=0.011)}),
        "zoo": (pytest.approx(1 / 3), {"EUR": pytest.approx(3.33, abs=0.011)}),
    }
    assert sum(round(100 * each.revenue.get("EUR", 0)) for each in results(house).values()) == 1_000
    house.now += 1000
    house.get(house.url("click", "zzz-empty"))
    order(house, "clicked", total=4)
    assert results(house)["zzz-empty"].revenue == {"EUR": 4.0}


def test_an_order_is_credited_across_the_names_a_recipient_goes_by(house: House) -> None:
    house.saw("mug")
    house.take({"type": "identify", "userId": "jane", "messageId": "i", "timestamp": house.now,
                "traits": {"email": "Jane@Shop.Example"}})  # fmt: skip
    house.get(house.url("picture", "hero", who=EMAIL))
    house.get(house.url("click", "hero", who=EMAIL))
    order(house, "O")
    assert results(house)["hero"] == (1, 1, 1, {"EUR": 20.0})


def test_an_address_may_stand_in_the_url_where_the_block_allows_it(house: House) -> None:
    house.saw("mug")
    house.take({"type": "identify", "userId": "jane", "messageId": "i", "timestamp": house.now,
                "traits": {"email": "jane@shop.example"}})  # fmt: skip
    sealed = house.get(house.url("picture", "hero")).body
    assert house.get("/o/hero/1.jpg?email=Jane%40Shop.Example").body == sealed
    assert house.get("/c/hero/1?email=jane@shop.example").headers["location"] == f"{SHOP}/mug"
    assert house.get("/o/cards/1.jpg?email=jane@shop.example").body == house.get("/o/cards/1/forged.jpg").body


def test_a_late_event_lands_where_it_happened(house: House) -> None:
    house.saw("lamp")
    house.get(house.url("picture", "hero"))
    house.take({"type": "track", "event": "Product Viewed", "userId": "jane", "messageId": "late",
                "timestamp": house.now - 60_000,
                "properties": {"sku": "mug", "name": "The mug", "url": f"{SHOP}/mug"}})  # fmt: skip
    house.get(house.url("picture", "hero"))
    assert house.get(house.url("click", "hero")).headers["location"] == f"{SHOP}/lamp"
    assert [item["key"] for item in house.data()["items"]] == ["lamp", "mug"]


def test_strangers_and_forged_tokens_count_for_nobody(house: House) -> None:
    for path in ("/o/hero/1/forged.jpg", "/o/hero/1.jpg", "/c/hero/1/forged", "/o/absent/1/x.jpg", "/c/absent/1/x"):
        house.get(path)
    assert all(each[:2] == (0, 0) for each in results(house).values())
    assert "absent" not in results(house)


def test_asking_for_the_headers_alone_is_no_open(house: House) -> None:
    house.saw("mug")
    house.get(house.url("picture", "hero"), "HEAD")
    assert results(house)["hero"][0] == 0


def hello(house: House, who: str) -> bytes:
    return house.get(house.url("picture", "hello", who=Identifier("user", who))).body


def greets(house: House, template: str) -> None:
    """Have the custom block show this."""
    (house.wetink.settings.data / "content" / "templates" / "hello.liquid").write_text(template)
    asyncio.run(house.wetink.look_again())


def test_a_custom_template_shows_what_the_shops_server_says_was_bought(house: House) -> None:
    greets(house, "<b>{{ person.orders[0].products[0].name }}</b>")
    order(house, "O")
    assert hello(house, "jane") != hello(house, "stranger")


def test_a_custom_template_never_shows_what_a_browsers_key_says_was_bought(house: House) -> None:
    greets(house, "<b>{{ person.orders[0].products[0].name }}</b>")
    order(house, "O", "page", products=[{"sku": "invented", "name": "Call this number", "price": 1}])
    assert hello(house, "jane") == hello(house, "stranger")


def test_a_trait_is_in_the_very_next_picture_though_the_products_stay_the_same(house: House) -> None:
    pictures = []
    for count, name in enumerate(["Jane", "Janet", "Joan"]):
        house.now += 1000
        house.take({"type": "identify", "userId": "jane", "messageId": f"i{count}", "timestamp": house.now,
                    "traits": {"name": name}})  # fmt: skip
        pictures.append(hello(house, "jane"))
    assert len(set(pictures)) == 3


def test_a_trait_is_in_the_picture_once_the_kept_decision_has_passed(house: House) -> None:
    pictures = []
    for count, name in enumerate(["Jane", "Janet"]):
        house.now += 60_000
        house.take({"type": "identify", "userId": "jane", "messageId": f"i{count}", "timestamp": house.now,
                    "traits": {"name": name}})  # fmt: skip
        pictures.append(hello(house, "jane"))
    assert len(set(pictures)) == 2
