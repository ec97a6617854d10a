"""Every product has a picture, drawn once."""

from pathlib import Path

import pytest
from PIL import Image

from wetink.demo.drawing import SHAPES
from wetink.demo.pictures import photo
from wetink.demo.shop import BY_SKU, CATEGORIES, ITEMS

ONE_OF_EACH = list({item.shape: item for item in ITEMS}.values())


@pytest.mark.parametrize("item", ONE_OF_EACH, ids=lambda item: item.shape)
def test_a_shape_is_drawn_as_a_jpeg_of_800_square_with_something_on_it(item, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with Image.open(photo(item, tmp_path)) as image:
        assert (image.format, image.size) == ("JPEG", (800, 800))
        colors = image.resize((40, 40)).getcolors(1_600)
    assert colors is not None
    assert len(colors) > 100


def test_a_picture_is_drawn_once_and_then_kept(tmp_path: Path) -> None:
    first = photo(BY_SKU["TW-101"], tmp_path)
    stamp = first.stat().st_mtime_ns
    assert photo(BY_SKU["TW-101"], tmp_path).stat().st_mtime_ns == stamp
    assert [path.name for path in tmp_path.iterdir()] == ["TW-101.jpg"]


def test_two_products_of_one_shape_do_not_look_the_same(tmp_path: Path) -> None:
    assert photo(BY_SKU["TW-101"], tmp_path).read_bytes() != photo(BY_SKU["TW-102"], tmp_path).read_bytes()


def test_the_shop_has_forty_products_of_its_own_name_in_six_categories_each_with_a_shape() -> None:
    assert len(ITEMS) == len(BY_SKU) == len({item.name for item in ITEMS}) == 40
    assert {item.category for item in ITEMS} == set(CATEGORIES)
    assert {item.shape for item in ITEMS} == set(SHAPES)
