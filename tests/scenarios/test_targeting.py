"""Targeting: blocks whose variants ask for more than what was done, opened through the door."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.test_open import House

BLOCK = """
fallback: {link: "https://shop.example/", title: Hello}
variants:
  - {name: shown, app: custom, template: hello.liquid, when: RULES}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    yield made
    asyncio.run(made.wetink.close())


def place(house: House, rules: str, **audiences: str) -> None:
    content = house.wetink.settings.content
    (content / "audiences").mkdir(exist_ok=True)
    for name, text in audiences.items():
        (content / "audiences" / f"{name}.yaml").write_text(text)
    (content / "blocks" / "aimed.yaml").write_text(BLOCK.replace("RULES", rules))
    asyncio.run(house.wetink.look_again())
    assert not [each for each in house.wetink.content.problems if "aimed" in each or "audiences" in each]


def shown(house: House, query: str = "") -> str:
    house.now += 1
    variant: str = house.get(house.url("data", "aimed") + query).json["variant"]
    return variant


def test_a_viewed_product_decides_the_variant(house: House) -> None:
    place(house, "[{done: Product Viewed, where: {price: {below: 10}, category: tents}, at_least: 2}]")
    house.saw("a", category="Tents")
    house.saw("b", category="Mugs")
    assert shown(house) == ""
    house.saw("c", category="Tents")
    assert shown(house) == "shown"


def test_an_audience_is_worked_out_at_the_open(house: House) -> None:
    place(
        house,
        "[{audience: keen}]",
        keen="title: Keen\nrule: [{audience: lookers}, {not: {audience: buyers}}]",
        lookers="done: Product Viewed",
        buyers="{sum: total, of: Order Completed, within: 90d, above: 100}",
    )
    assert shown(house) == ""
    house.saw("a")
    assert shown(house) == "shown"
    order = {"order_id": "1", "total": 101, "products": [{"sku": "a", "price": 101}]}
    house.take({"type": "track", "event": "Order Completed", "userId": "jane", "messageId": "o", "timestamp": house.now,
                "properties": order})  # fmt: skip
    assert shown(house) == ""
    assert "Keen" in [each.title for each in house.wetink.content.audiences.values()]


def test_the_address_the_reader_and_chance_decide(house: House) -> None:
    house.saw("a")
    place(house, "[{moment: {parameter: {utm_source: news}, campaign: spring}}]")
    assert shown(house, "?utm_source=News&c=spring") == "shown"
    assert shown(house, "?utm_source=news") == ""
    place(house, "[{share: 100%, seed: x}, {moment: {scheme: light}}]")
    assert shown(house) == "shown"
    halves = [f"[{{share: 50%, seed: y{start}}}]" for start in ("", ", from: 50%")]
    seen = []
    for half in halves:
        place(house, half)
        seen.append(shown(house))
    assert sorted(seen) == ["", "shown"]


def test_a_price_that_fell_in_the_catalog_decides(house: House) -> None:
    place(house, "[{product: viewed, price_fell: 20%}]")
    house.saw("a", price=100)
    assert shown(house) == ""
    house.saw("a", who="joe", price=80)
    assert shown(house) == "shown"


def test_an_audience_that_is_wrong_spoils_only_what_names_it(house: House) -> None:
    content = house.wetink.settings.content
    (content / "audiences").mkdir()
    (content / "audiences" / "a.yaml").write_text("audience: b")
    (content / "audiences" / "b.yaml").write_text("audience: a")
    (content / "blocks" / "aimed.yaml").write_text(BLOCK.replace("RULES", "[{audience: a}]"))
    asyncio.run(house.wetink.look_again())
    told = "\n".join(house.wetink.content.problems)
    assert "audiences/a.yaml: rule.audience: audiences refer to each other in a circle: a → b → a" in told
    assert "blocks/aimed.yaml: variants[0].when[0].audience: there is no audience 'a'" in told
    assert "hero" in house.wetink.content.blocks
