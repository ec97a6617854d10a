"""Encoding: whole, within its weight, and with every pixel where it was."""

import numpy as np
import pytest

from tests.render.studio import seen
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


def test_the_heaviest_is_sent_at_the_lowest_quality() -> None:
    picture = encode.jpeg(noise(1200, 900))
    assert len(picture.body) > encode.MOST_BYTES
    assert seen(picture).size == (1200, 900)
