"""Encoding: whole, within its weight, and with every pixel where it was."""

import numpy as np
import pytest

from tests.render.renderer import seen
from wetink.render import encode
from wetink.render.compose import Pixels


def noise(width: int, height: int, strength: int = 255) -> Pixels:
    """Return pixels that no encoder can do much about."""
    pixels = np.random.default_rng(1).integers(0, strength + 1, (height, width, 4), np.uint8)
    pixels[..., 3] = 255
    return pixels


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (200, 100)])
def test_a_png_keeps_every_pixel_and_its_alpha(width: int, height: int) -> None:
    pixels = noise(width, height)
    pixels[..., 3] = np.arange(width * height).reshape(height, width) % 256
    image = seen(encode.png(pixels))
    image.load()
    assert image.mode == "RGBA"
    assert (np.asarray(image) == pixels).all()


def test_a_jpeg_keeps_color_at_full_resolution() -> None:
    stripes = np.zeros((64, 64, 4), np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 255
    image = np.asarray(seen(encode.jpeg(stripes)).convert("RGB")).astype(int)
    assert image[:, ::2, 0].mean() > 180 > 75 > image[:, 1::2, 0].mean()


def test_a_heavy_jpeg_steps_down_in_quality() -> None:
    sizes = {strength: len(encode.jpeg(noise(640, 400, strength)).body) for strength in (10, 90, 140)}
    assert all(size <= encode.MOST_BYTES for size in sizes.values()), sizes
    tables = [seen(encode.jpeg(noise(640, 400, strength))).quantization[0][0] for strength in (10, 90, 140)]  # type: ignore[attr-defined]
    assert tables[0] < tables[1] < tables[2]


@pytest.mark.parametrize("most", [250_000, 170_000, 140_000])
def test_a_picture_weighs_what_it_may_and_says_what_had_to_give(most: int) -> None:
    heavy, light = noise(640, 400, 160), noise(40, 40, 2)
    for kind in (encode.jpeg, encode.png):
        picture = kind(heavy, most)
        assert len(picture.body) <= most
        assert seen(picture).size == (640, 400)
        assert f"stay below {most // 1000} KB" in picture.note
        assert kind(light, most).note == ""


def test_a_png_of_fewer_colors_keeps_what_is_clear() -> None:
    pixels = noise(640, 400, 200)
    pixels[:, :300, 3] = 0
    picture = encode.png(pixels, 150_000)
    image = seen(picture).convert("RGBA")
    assert "colors" in picture.note
    assert np.asarray(image)[:, :290, 3].max() <= 8
    assert np.asarray(image)[:, 310:, 3].min() >= 247


def test_what_cannot_be_made_light_enough_is_sent_all_the_same_and_says_so() -> None:
    for kind in (encode.jpeg, encode.png):
        picture = kind(noise(1200, 900), 30_000)
        assert len(picture.body) > 30_000
        assert seen(picture).size == (1200, 900)
        assert "make the block smaller" in picture.note
