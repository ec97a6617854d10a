"""Blocks of one email share their decisions: no product stands twice, in whatever order pictures are fetched."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web import test_open
from tests.web.test_open import JANE, House
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment

TOP = """
email: weekly
variants: [{name: seen, app: last-viewed, settings: {items: 1}}]
fallback: {link: "https://shop.example/"}
"""
BELOW = TOP.replace("items: 1", "items: 2") + "place: 1\n"
OTHER = TOP.replace("weekly", "another")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(test_open, "BLOCKS", {"top": TOP, "below": BELOW, "other": OTHER})
    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())


def shown(house: House, block: str, who: Identifier = JANE) -> list[str]:
    decision = asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block(block), who, Moment(house.now))
    )
    return [item.sku for item in decision.items]


def kept(house: House, block: str) -> list[str]:
    """Return what was last served in a block."""
    decision = asyncio.run(house.wetink.store.ledger.current(block, str(JANE), ""))
    assert decision is not None
    return [item.sku for item in decision.items]


def test_the_first_block_has_the_first_choice_and_another_email_its_own(house: House) -> None:
    for sku in ("mug", "lamp", "tent"):
        house.saw(sku)
    assert shown(house, "top") == ["tent"]
    assert shown(house, "below") == ["lamp", "mug"]
    assert shown(house, "other") == ["tent"]


def test_a_block_that_has_nothing_left_to_show_says_so(house: House) -> None:
    house.saw("mug")
    decision = asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block("below"), JANE, Moment(house.now))
    )
    assert decision.variant == ""
    assert not decision.trace[0].taken


@pytest.mark.parametrize(
    ("order", "below"), [(("top", "below"), ["boat", "lamp"]), (("below", "top"), ["lamp", "mug"])]
)
def test_no_product_stands_twice_though_something_happens_between_two_pictures(
    house: House, order: tuple[str, str], below: list[str]
) -> None:
    for sku in ("mug", "lamp", "tent"):
        house.saw(sku)
    house.get(house.url("picture", order[0]))
    house.saw("boat")
    house.get(house.url("picture", order[1]))
    assert kept(house, "top") == ["tent"]
    assert kept(house, "below") == below
