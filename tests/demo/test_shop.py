"""The sample shop: forty products, each with a photo of its own."""

import pytest
from PIL import Image

from wetink.demo.pages import HERE
from wetink.demo.shop import BY_SKU, CATEGORIES, ITEMS, Item, found

PHOTOS = HERE / "photos"


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.sku)
def test_a_photo_is_a_jpeg_of_800_square_with_something_on_it(item: Item) -> None:
    with Image.open(PHOTOS / f"{item.sku}.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (800, 800))
        colors = image.resize((40, 40)).getcolors(1_600)
    assert colors is not None
    assert len(colors) > 100


def test_every_product_has_a_photo_of_its_own_and_no_photo_is_left_over() -> None:
    files = list(PHOTOS.iterdir())
    assert {path.name for path in files} == {f"{item.sku}.jpg" for item in ITEMS}
    assert len({path.read_bytes() for path in files}) == len(ITEMS)


def test_the_photos_are_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in PHOTOS.iterdir()) < 1_500_000


def test_the_shop_has_forty_products_of_its_own_name_in_six_categories() -> None:
    assert len(ITEMS) == len(BY_SKU) == len({item.name for item in ITEMS}) == 40
    assert {item.category for item in ITEMS} == set(CATEGORIES)


def test_a_search_finds_a_product_by_its_kind() -> None:
    assert [item.name for item in found("sansevieria")] == ["Snake Plant"]
