"""Films: every picture looks as the page drawn for it, the first is complete, and the whole weighs what it may."""

import asyncio
import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image, ImageSequence

from tests.render.renderer import Album, near, photo, plain
from wetink.core.errors import BadContent
from wetink.ports import Film, Picture, Scene
from wetink.render import Renderer
from wetink.render.compose import Pixels
from wetink.render.gif.film import LONGEST, film

PAGE = """<div style="position: relative; width: 100px; height: 50px; background-color: #ffffff">
<div style="position: absolute; left: {{ frame | times: 20 }}px; top: 10px; width: 20px; height: 20px;
background-color: #cc0000"></div></div>"""


def pictures_of(body: bytes) -> list[tuple[Pixels, int]]:
    """Return what is seen, one picture after the other, and how long each stands (ms)."""
    with Image.open(io.BytesIO(body)) as image:
        assert image.format == "GIF"
        return [
            (np.asarray(each.convert("RGB")), int(each.info.get("duration", 0)))
            for each in ImageSequence.Iterator(image)
        ]


@pytest.fixture(scope="module")
def studio() -> Iterator[Renderer]:
    made = Renderer(Album({f"https://cdn.example/{n}.jpg": photo(color) for n, color in enumerate(("red", "blue"))}))
    yield made
    made.close()


def shot(studio: Renderer, it: Scene, frames: int = 4, **more: int) -> Picture:
    return asyncio.run(studio.film(Film(it, frames, 1_000, **more)))  # type: ignore[arg-type]


def test_each_picture_is_the_page_of_its_number(studio: Renderer) -> None:
    seen = pictures_of(shot(studio, plain(PAGE)).body)
    assert [stands for _, stands in seen] == [1_000] * 4
    for number, (picture, _) in enumerate(seen):
        assert picture.shape == (100, 200, 3)
        for other in range(4):
            red = near(tuple(picture[40, 20 + 40 * other]), (204, 0, 0))
            assert red == (other == number)


def test_the_first_picture_is_the_still_one(studio: Renderer) -> None:
    first = pictures_of(shot(studio, plain(PAGE)).body)[0][0].astype(int)
    still = asyncio.run(studio.render(plain(PAGE, data={"frame": 0, "frames": 4})))
    with Image.open(io.BytesIO(still.body)) as image:
        assert np.abs(first - np.asarray(image.convert("RGB"))).mean() < 2


def test_photos_may_change_from_picture_to_picture(studio: Renderer) -> None:
    urls = ("https://cdn.example/0.jpg", "https://cdn.example/1.jpg")
    page = '<img src="https://cdn.example/{{ frame }}.jpg" width="100" height="50" style="display: block">'
    seen = pictures_of(shot(studio, plain(page, photos=urls), 2).body)
    assert near(tuple(seen[0][0][50, 100]), (254, 0, 0))
    assert near(tuple(seen[1][0][50, 100]), (0, 0, 254))


def test_a_film_goes_on_for_ever_unless_it_is_told_to_stop(studio: Renderer) -> None:
    for loop in (True, False):
        with Image.open(io.BytesIO(shot(studio, plain(PAGE), loop=loop).body)) as image:
            assert image.info.get("loop") == (0 if loop else None)


def test_unchanged_pixels_are_not_encoded_again() -> None:
    ground = np.random.default_rng(1).integers(0, 255, (100, 100, 4), np.uint8)
    moved = [ground.copy() for _ in range(4)]
    for number, picture in enumerate(moved):
        picture[number : number + 3, :3] = 0
    body, _ = film(moved, 500, 10**7, loop=True)
    alone, _ = film(moved[:1], 500, 10**7, loop=True)
    assert len(body) < len(alone) * 1.1


def test_equal_pictures_are_one_that_stands_longer() -> None:
    same = np.full((10, 10, 4), 200, np.uint8)
    seen = pictures_of(film([same] * 3, 500, 10**6, loop=False)[0])
    assert [stands for _, stands in seen] == [1_500]


@given(st.integers(1, 5), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_few_colors_come_out_as_they_are(count: int, width: int, height: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    colors = chance.integers(0, 256, (8, 4), np.uint8)
    drawn = [colors[chance.integers(0, 8, (height, width))] for _ in range(count)]
    body, note = film(drawn, 300, 10**6, loop=True)
    seen = pictures_of(body)
    assert note == ""
    assert sum(stands for _, stands in seen) == 300 * count
    shown = [picture for picture, stands in seen for _ in range(stands // 300)]
    for one, other in zip(shown, drawn, strict=True):
        assert np.abs(one.astype(int) - other[..., :3]).max() <= 6, "colors that nobody can tell apart are one"


@pytest.mark.parametrize("most", [200_000, 100_000, 30_000])
def test_what_is_too_heavy_gives_way_and_says_so(most: int) -> None:
    noise = [np.random.default_rng(n).integers(0, 255, (150, 300, 4), np.uint8) for n in range(6)]
    body, note = film(noise, 400, most, loop=True)
    seen = pictures_of(body)
    assert len(body) <= most
    assert f"stay below {most // 1000} KB" in note
    assert sum(stands for _, stands in seen) == 6 * 400 or len(seen) < 6
    assert len(seen) > 1


def test_what_cannot_be_made_lighter_is_told() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 4), np.uint8)
    body, note = film([noise], 400, 900, loop=True)
    assert pictures_of(body)
    assert "make the block smaller" in note


def test_pictures_and_their_time_are_bounded(studio: Renderer) -> None:
    seen = pictures_of(shot(studio, plain("{{ frame }} of {{ frames }}"), 500).body)
    assert len(seen) <= 24
    assert pictures_of(film([np.zeros((4, 4, 4), np.uint8)], 10**9, 10**6, loop=False)[0])[0][1] <= LONGEST


def test_a_template_that_cannot_be_drawn_is_bad_content(studio: Renderer) -> None:
    with pytest.raises(BadContent):
        shot(studio, plain("{% if %}"))


def test_a_film_is_made_once(studio: Renderer) -> None:
    it = plain(PAGE, data={"name": "once"})
    assert shot(studio, it) is shot(studio, it)
    assert shot(studio, replace(it, scheme="dark")) is not shot(studio, it)
