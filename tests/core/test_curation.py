"""Curation: an operator's word stands above events and feeds; hidden products never show, pinned ones come first."""

from typing import Any

import pytest

from wetink.core.app.app import Shop
from wetink.core.app.product_grid import Filter, pick
from wetink.core.catalog.curation import Curation, Word, checked, curation_of, file_of
from wetink.core.errors import BadContent
from wetink.core.events.event import Product
from wetink.core.profile.person import Person, Seen

GOODS = {sku: Product(sku=sku, name=f"Mug {sku}", url=f"https://shop.example/{sku}", price=9.0) for sku in "ABCD"}
SEEN = [Seen(product, 1) for product in GOODS.values()]


def picked(curation: Curation, count: int = 3, only: Filter | None = None) -> list[str]:
    shop = Shop(products=GOODS, curation=curation)
    return [each.product.key for each in pick(count, [SEEN[:2], SEEN[2:]], only or Filter(), Person(), shop)]


def test_a_hidden_product_makes_room_and_a_pinned_one_comes_first() -> None:
    assert picked(Curation()) == ["A", "B", "C"]
    assert picked(Curation({"A": Word(hidden="recalled")})) == ["B", "C", "D"]
    assert picked(Curation({"D": Word(pinned=True)})) == ["D", "A", "B"]
    assert picked(Curation({"D": Word(pinned=True, hidden="recalled")})) == ["A", "B", "C"]
    assert picked(Curation({"Z": Word(pinned=True)})) == ["A", "B", "C"]


def test_a_pinned_product_still_has_to_pass_the_filter() -> None:
    assert picked(Curation({"D": Word(pinned=True)}), only=Filter(skip=("D",))) == ["A", "B", "C"]


def test_a_correction_counts_before_the_filter_does() -> None:
    curation = Curation({"A": Word(set={"price": 99.0})})
    assert picked(curation, only=Filter(price_to=10.0)) == ["B", "C", "D"]
    assert curation.corrected(GOODS["A"]).price == 99.0
    assert curation.corrected(GOODS["B"]) is GOODS["B"]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"price": "cheap"}, "price"),
        ({"price": -1}, "price"),
        ({"price": float("nan")}, "price"),
        ({"stock": "many"}, "stock"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"image_url": "mug.jpg"}, "image_url"),
        ({"availability": "maybe"}, "availability"),
        ({"sku": "X"}, "sku"),
        ({"quantity": 2}, "quantity"),
    ],
)
def test_a_correction_that_does_not_fit_names_its_field(fields: dict[str, Any], where: str) -> None:
    with pytest.raises(BadContent) as caught:
        checked(fields)
    assert caught.value.where == where


def test_a_curation_comes_back_from_its_file() -> None:
    made = Curation({"A": Word({"price": 5.0, "name": "Mug"}, True, "", "ida", "2026-11-30"), "B": Word(hidden="old")})
    assert curation_of(file_of(made)).products == made.products
    assert file_of(Curation({"A": Word(by="ida")})) == {"products": {}}
    assert curation_of(None) == Curation()


@pytest.mark.parametrize("raw", [[], {}, {"products": []}, {"goods": {}}, {"products": {"A": {"sett": {}}}}])
def test_a_file_that_is_no_curation_is_refused_with_its_place(raw: Any) -> None:
    with pytest.raises(BadContent, match=r"catalog\.yaml|products"):
        curation_of(raw)
